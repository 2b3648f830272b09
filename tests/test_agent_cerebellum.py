"""Cerebellum: paired models of a simulated arm, learnt step by step and without knocks."""

import dataclasses

import numpy as np
import pytest
from test_agent_bodies import Arm

from agent.cerebellum import Cerebellum
from agent.config import CerebellumConfig

CRUDE = np.array([0.1, 0.1])
NEVER = np.zeros(1, bool)


def newborn(*lesions, seed=0, **settings):
    return Cerebellum(2, CerebellumConfig(**settings), np.random.default_rng(seed), lesions)


def learn_one_by_one(cerebellum, angle, velocity, acceleration, command, touching=NEVER):
    knocks = []
    for q, v, a, u in zip(angle, velocity, acceleration, command, strict=True):
        fast = np.zeros((1, 2))
        knocks.append(cerebellum.learn(q[None], v[None], a[None], u[None], fast, touching)[1][0])
    return np.array(knocks)


def taught(arm=None, *lesions, n=600, seed=1, begin=150, **settings):
    """Cerebellum that has begun with some samples of an arm and learnt the rest one by one."""
    cerebellum = newborn(*lesions, **settings)
    life = (arm or Arm()).experience(n, seed)
    cerebellum.begin(*(x[:begin] for x in life), CRUDE)
    learn_one_by_one(cerebellum, *(x[begin:] for x in life))
    return cerebellum


def miss(cerebellum, arm, seed=99):
    """Root mean square error of the command on samples never seen, over its spread."""
    angle, velocity, acceleration, command = arm.experience(300, seed)
    error = command - cerebellum.inverse(angle, velocity, acceleration)
    return float(np.sqrt((error**2).mean() / (command**2).mean()))


def covariance(cerebellum):
    lower = np.tril(cerebellum.covariance)
    return lower + np.tril(lower, -1).T


@pytest.mark.parametrize("seed", range(3))
def test_commands_for_movements_never_seen_are_predicted(seed):
    arm = Arm()
    early, late = taught(n=300, seed=seed), taught(n=1500, seed=seed)
    assert miss(early, arm) < 0.1
    assert miss(late, arm) < 0.5 * miss(early, arm)


def test_granule_cells_are_what_holds_gravity_of_the_whole_arm():
    # Gravity depends on the sum of the angles, which no sum over single joints gives.
    assert miss(taught(None, "granule_cells"), Arm()) > 3 * miss(taught(), Arm())


def test_the_forward_model_undoes_the_inverse_model():
    cerebellum = taught()
    angle, velocity, acceleration, _ = Arm().experience(100, 5)
    command = cerebellum.inverse(angle, velocity, acceleration)
    back = cerebellum.forward(angle, velocity, command)
    np.testing.assert_allclose(back, acceleration, atol=1e-3 * np.abs(acceleration).max())


def test_the_forward_model_predicts_the_arm():
    angle, velocity, acceleration, command = Arm().experience(300, 98)
    predicted = taught(n=1500).forward(angle, velocity, command)
    error = np.sqrt(((predicted - acceleration) ** 2).mean() / (acceleration**2).mean())
    assert error < 0.1


def test_inertia_is_the_change_of_the_command_with_acceleration():
    cerebellum, h = taught(), 1e-3
    angle, velocity, acceleration, _ = Arm().experience(20, 6)
    for joint, step in enumerate(h * np.eye(2)):
        ends = [cerebellum.inverse(angle, velocity, acceleration + s * step) for s in (1, -1)]
        slope = (ends[0] - ends[1]) / (2 * h)
        np.testing.assert_allclose(cerebellum.inertia(angle)[..., joint], slope, atol=1e-8)


def test_inertia_is_the_arms():
    angle = Arm().experience(50, 6)[0]
    truth = Arm().mass(angle) / np.array(Arm().strength)[:, None]
    np.testing.assert_allclose(taught(n=1500).inertia(angle), truth, atol=0.1 * truth.max())


def test_viscosity_is_the_change_of_the_command_with_velocity_at_rest():
    cerebellum, h = taught(), 1e-3
    angle, zero = np.array([[0.3, -0.4]]), np.zeros((1, 2))
    for joint, step in enumerate(h * np.eye(2)):
        ends = [cerebellum.inverse(angle, s * step[None], zero) for s in (1, -1)]
        slope = (ends[0] - ends[1])[0] / (2 * h)
        np.testing.assert_allclose(cerebellum.viscosity()[:, joint], slope, atol=1e-8)


def test_single_samples_and_stacks_give_the_same():
    cerebellum = taught()
    life = [x.reshape(4, 5, 2) for x in Arm().experience(20, 7)]
    for model in (cerebellum.inverse, cerebellum.forward):
        stacked = model(*life[:3])
        assert stacked.shape == (4, 5, 2)
        np.testing.assert_allclose(model(*(x[1, 2] for x in life[:3])), stacked[1, 2])


def test_learning_stays_finite_and_the_covariance_positive_for_long():
    cerebellum = taught()
    early = miss(cerebellum, Arm())
    learn_one_by_one(cerebellum, *Arm().experience(20_000, 8))
    assert np.isfinite(cerebellum.weights).all()
    assert np.linalg.eigvalsh(covariance(cerebellum)).min() > 0
    assert miss(cerebellum, Arm()) < 0.8 * early


def test_standing_still_for_long_does_not_blow_anything_up():
    cerebellum = taught(None, gravity_granules=20, gain_granules=4)
    still = np.zeros((5000, 2))
    learn_one_by_one(cerebellum, still + 0.3, still, still, still + 0.2)
    assert np.isfinite(cerebellum.weights).all()
    assert np.linalg.eigvalsh(covariance(cerebellum)).min() > 0
    assert np.abs(cerebellum.weights).max() < 1e3


@pytest.mark.parametrize("joint", [0, 1])
def test_knocks_are_felt_at_their_joint_and_not_learnt(joint):
    hit, spared = taught(), taught()
    life = Arm().experience(300, 9)
    knocked = [x.copy() for x in life]
    at = np.arange(5, 300, 20)
    knocked[2][at, joint] += 300.0  # rad/s² that no command explains
    spikes = learn_one_by_one(hit, *knocked)
    assert spikes[at, joint].all()
    assert not np.delete(spikes, at, axis=0).any()
    learn_one_by_one(spared, *(np.delete(x, at, axis=0) for x in life))
    # Knocks widen what counts as usual, and so the weight of later samples, by a little.
    away = np.linalg.norm(hit.weights - spared.weights)
    assert away < 0.01 * np.linalg.norm(spared.weights)
    assert miss(hit, Arm()) == pytest.approx(miss(spared, Arm()), rel=0.05)


def test_knocks_while_babbling_do_not_spoil_the_beginning():
    life = Arm().experience(150, 2)
    clean, knocked = newborn(), newborn()
    clean.begin(*life, CRUDE)
    spoilt = [x.copy() for x in life]
    spoilt[2][::20] += 300.0
    pain = knocked.begin(*spoilt, CRUDE)
    assert pain[::20].any(axis=1).all()
    assert pain.any(axis=1).sum() < 16
    assert miss(knocked, Arm()) < 3.5 * miss(clean, Arm())


@pytest.mark.parametrize("seed", [5, 6, 7])
def test_leaning_on_a_limit_while_babbling_does_not_spoil_the_beginning(seed):
    arm = Arm(inertia=(0.5, 0.02, 0.12), weight=(0.0, 0.0), damping=(1.0, 0.5))
    life = arm.experience(100, seed)
    leaning = np.arange(60, 72)
    spoilt = [x.copy() for x in life]
    spoilt[0][leaning, 1], spoilt[1][leaning, 1], spoilt[2][leaning, 1] = 1.5, 0.0, 0.0
    spoilt[2][60, 1] = -600.0  # rad/s², the knock
    spoilt[3][leaning, 1] = np.linspace(0.6, 0.2, 12)  # pushes in vain
    clean, leant = newborn(), newborn()
    clean.begin(*(np.delete(x, leaning, axis=0) for x in life), CRUDE)
    pain = leant.begin(*spoilt, CRUDE)
    np.testing.assert_array_equal(np.flatnonzero(pain.any(axis=1)), leaning)
    assert miss(leant, arm) < 5 * miss(clean, arm)


def test_the_command_is_the_read_out_of_the_features():
    cerebellum = taught()
    life = [x.reshape(4, 5, 2) for x in Arm().experience(20, 7)[:3]]
    expected = cerebellum.features(*life) @ cerebellum.weights.T
    np.testing.assert_allclose(cerebellum.inverse(*life), expected, atol=1e-12)


def test_what_is_felt_at_a_limit_is_not_learnt():
    cerebellum = taught()
    before = cerebellum.weights.copy()
    learn_one_by_one(cerebellum, *Arm().experience(20, 3), touching=np.ones(1, bool))
    np.testing.assert_array_equal(cerebellum.weights, before)


@pytest.mark.parametrize(
    "change",
    [{"inertia": (1.0, 0.3, 0.25)}, {"strength": (5.0, 5.0)}, {"damping": (1.0, 0.8)}],
    ids=lambda change: next(iter(change)),
)
def test_a_changed_body_is_learnt_anew(change):
    changed = dataclasses.replace(Arm(), **change)
    cerebellum = taught(n=800, begin=150)
    surprised = miss(cerebellum, changed)
    learn_one_by_one(cerebellum, *changed.experience(3000, 11))
    assert miss(cerebellum, changed) < 0.35 * surprised


def test_the_fast_state_follows_what_the_model_misses_and_is_cut_by_its_lesion():
    weak = dataclasses.replace(Arm(), strength=(6.0, 3.0))
    angle, velocity, acceleration, command = (x[:1] for x in weak.experience(1, 12))
    inside = np.zeros((1, 2), bool)
    for lesions, follows in ((), True), (("fast_state",), False), (("cerebellum",), False):
        cerebellum, fast = taught(None, *lesions), np.zeros((1, 2))
        missed = command - cerebellum.inverse(angle, velocity, acceleration)
        for _ in range(30):
            fast = cerebellum.correct(fast, missed, velocity, inside)
        np.testing.assert_allclose(fast, np.clip(missed, -1, 1) if follows else 0.0, atol=1e-3)


def test_a_joint_that_stands_still_at_the_edge_of_its_range_does_not_push_harder():
    cerebellum, still = taught(None), np.zeros((1, 2))
    missed = np.full((1, 2), 0.02)  # too little to be a knock
    edge = np.array([[True, False]])
    fast = cerebellum.correct(still, missed, still, edge)
    assert fast[0, 0] == 0.0 and fast[0, 1] > 0.0
    assert (cerebellum.correct(still, missed, np.ones((1, 2)), edge) > 0.0).all()


def test_what_a_posture_costs_changes_as_the_stiffness_says():
    cerebellum, rng = taught(None), np.random.default_rng(3)
    angle, velocity, acceleration = rng.normal(size=(3, 6, 2))
    stiffness = cerebellum.stiffness(angle, acceleration)
    for j in range(2):
        step = 1e-6 * np.eye(2)[j]
        ahead, behind = (
            cerebellum.inverse(angle + way, velocity, acceleration) for way in (step, -step)
        )
        np.testing.assert_allclose(stiffness[..., j], (ahead - behind) / 2e-6, atol=1e-6)


def test_granule_cells_can_be_taken_away_without_changing_the_rest():
    whole, lesioned = newborn(), newborn("granule_cells")
    config = CerebellumConfig()
    lost = config.gravity_granules + 2 * config.gain_granules
    assert whole.prior.size - lesioned.prior.size == lost
    assert np.isfinite(lesioned.features(*(x[0] for x in Arm().experience(1, 0)[:3]))).all()


def test_a_lesioned_cerebellum_never_learns():
    cerebellum = newborn("cerebellum")
    life = Arm().experience(300, 1)
    cerebellum.begin(*life, CRUDE)
    born = cerebellum.weights.copy()
    assert np.count_nonzero(born) == 2  # one crude gain for each joint
    learn_one_by_one(cerebellum, *life)
    np.testing.assert_array_equal(cerebellum.weights, born)


def test_a_restored_cerebellum_goes_on_bit_by_bit():
    first, life = taught(), Arm().experience(50, 13)
    second = newborn(seed=77)
    second.load_state({key: value.copy() for key, value in first.state().items()})
    for cerebellum in (first, second):
        learn_one_by_one(cerebellum, *life)
    for key, value in first.state().items():
        assert value.tobytes() == second.state()[key].tobytes(), key
    np.testing.assert_array_equal(first.inverse(*life[:3]), second.inverse(*life[:3]))
