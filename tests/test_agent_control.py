"""Optimal control, reach proposals and the reflex: movements that arrive, and stay safe."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import solve_discrete_are
from test_agent_bodies import Arm

from agent.body_schema import BodySchema
from agent.cerebellum import Cerebellum
from agent.config import BabbleConfig, CerebellumConfig, ReachConfig, SchemaConfig, SpinalCordConfig
from agent.joint_range import JointRange
from agent.kinematic_chain import KinematicChain
from agent.motor_programs.babble import Babble
from agent.motor_programs.reach import Reach, _unroll
from agent.motor_programs.reaching import Reaching
from agent.motor_programs.refinement import beyond, glimpses
from agent.optimal_control import riccati_feedback
from agent.percept import Body, Percept, Reward
from agent.spinal_cord import SpinalCord

STEP = 0.02
QUICK = settings(max_examples=25, deadline=None, derandomize=True)


# --- Riccati


@QUICK
@given(seed=st.integers(0, 10_000), nx=st.integers(1, 6), nu=st.integers(1, 3))
def test_gains_are_those_of_the_discrete_riccati_equation(seed, nx, nu):
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=(nx, nx)), rng.normal(size=(nx, nu))
    a *= rng.uniform(0.3, 1.1) / np.abs(np.linalg.eigvals(a)).max()
    q, r, s = [], [], []
    for _ in range(4):
        root = rng.normal(size=(nx + nu, nx + nu))
        cost = root @ root.T + 0.1 * np.eye(nx + nu)
        q.append(cost[:nx, :nx])
        s.append(cost[:nx, nx:])
        r.append(cost[nx:, nx:])
    gains = riccati_feedback(a, b, np.array(q), np.array(r), np.array(s))
    assert gains.shape == (4, nu, nx)
    for k, gain in enumerate(gains):
        p = solve_discrete_are(a, b, q[k], r[k], s=s[k])
        truth = np.linalg.solve(r[k] + b.T @ p @ b, b.T @ p @ a + s[k].T)
        np.testing.assert_allclose(gain, truth, atol=1e-6 * (1 + np.abs(truth).max()))
        assert np.abs(np.linalg.eigvals(a - b @ gain)).max() < 1


def test_one_hard_problem_in_a_stack_does_not_spoil_the_others():
    a, b = np.array([[1.0, STEP], [0.0, 1.0]]), np.array([[0.5 * STEP**2], [STEP]])
    q = np.array([np.diag([1.0, 0.0]), np.diag([1e-9, 0.0]), np.diag([1e9, 0.0])])
    r, s = np.full((3, 1, 1), 1e-3), np.zeros((3, 2, 1))
    stacked = riccati_feedback(a, b, q, r, s)
    for k in range(3):
        alone = riccati_feedback(a, b, q[k : k + 1], r[:1], s[:1])[0]
        np.testing.assert_allclose(stacked[k], alone, rtol=1e-5)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_what_no_command_can_hold_has_no_gains():
    a, b = np.diag([1.2, 0.5]), np.array([[0.0], [1.0]])  # nothing reaches the first state
    gains = riccati_feedback(a, b, np.eye(2)[None], np.eye(1)[None], np.zeros((1, 2, 1)))
    assert np.isnan(gains).all()


# --- Spinal cord


def reflexes(*lesions):
    cord = SpinalCord(2, SpinalCordConfig(stiffness=0.2, damping=0.5), lesions)
    cord.feel(np.array([[-100.0, 30.0], [20.0, -50.0]]))
    return cord


def test_the_reflex_is_a_damped_spring_about_the_wanted_movement():
    wanted, angle, velocity = np.array([[1.0, -2.0]]), np.array([[0.1, 0.0]]), np.array([[0, 0.5]])
    omega = 0.2 / STEP
    expected = wanted + omega**2 * angle + 2 * 0.5 * omega * velocity
    np.testing.assert_allclose(reflexes().reflex(wanted, angle, velocity, STEP), expected)


def test_the_reflex_is_no_stronger_than_anything_felt():
    pulled = reflexes().reflex(
        np.zeros((2, 2)), np.array([[9, 9], [-9, -9]]), np.zeros((2, 2)), STEP
    )
    np.testing.assert_array_equal(pulled, [[100, 50], [-100, -50]])


def test_the_wanted_movement_itself_may_be_stronger_than_anything_felt():
    wanted = np.array([[300.0, -70.0]])
    still, off = np.zeros((1, 2)), np.array([[9.0, -9.0]])
    np.testing.assert_array_equal(reflexes().reflex(wanted, still, still, STEP), wanted)
    np.testing.assert_array_equal(reflexes().reflex(wanted, off, still, STEP), wanted)
    np.testing.assert_array_equal(reflexes().reflex(wanted, -off, still, STEP), [[-300, 70]])


def test_a_cut_spinal_cord_passes_on_what_is_wanted():
    wanted, error = np.array([[1.0, -2.0]]), np.ones((1, 2))
    np.testing.assert_array_equal(
        reflexes("spinal_cord").reflex(wanted, error, error, STEP), wanted
    )


@pytest.mark.parametrize("step", [0.002, 0.02, 0.1])
def test_the_reflex_alone_is_stable_whatever_the_step(step):
    cord = SpinalCord(1, SpinalCordConfig())
    cord.feel(np.full((1, 1), 1e9))
    q, v = np.ones((1, 1)), np.zeros((1, 1))
    for _ in range(100):
        a = cord.reflex(np.zeros((1, 1)), -q, -v, step)
        q, v = q + step * v + 0.5 * step**2 * a, v + step * a
    assert abs(q[0, 0]) < 1e-3


# --- Babble


def test_babbling_has_the_strength_and_smoothness_it_is_given():
    babble, rng = Babble(BabbleConfig(smoothness=0.8)), np.random.default_rng(0)
    commands, command = [], np.zeros((500, 2))
    for _ in range(60):
        command = babble.command(command, np.full(500, 0.2), rng)
        commands.append(command)
    before, after = np.stack(commands[30:-1]), np.stack(commands[31:])
    assert after.std() == pytest.approx(0.2, rel=0.03)
    assert (before * after).mean() / (after**2).mean() == pytest.approx(0.8, abs=0.02)


def test_bouts_have_all_strengths_between_weakest_and_strongest():
    config = BabbleConfig(weakest=0.01, strongest=1.0)
    strength = Babble(config).strength(20_000, np.random.default_rng(0))
    np.testing.assert_allclose(np.quantile(strength, [0, 0.5, 1]), [0.01, 0.1, 1.0], rtol=0.05)


# --- Reach


@pytest.fixture(scope="module")
def mind():
    """Body schema and cerebellum of a two-joint arm of 0.4 and 0.3 m, as if well known."""
    schema = BodySchema(2, SchemaConfig())
    joints = np.arange(2)
    schema.body = Body(
        cosine=np.full(2, -1),
        sine=joints,
        velocity=joints + 2,
        step=STEP,
        gain=np.ones(2),
        outcome=np.array([4, 5]),
        goal=np.array([6, 7]),
        context=np.empty(0, np.int64),
        reward=Reward(distance=1.0, effort=0.1, offset=-0.2),
    )
    schema.chain = KinematicChain(2, 2)
    schema.chain.parameters[:] = [0, 0, 1, 0, 0, 1, 0, 0, 0, 0.4, 0, 0, 0.7, 0, 0]
    schema.spread = 0.3
    postures = np.random.default_rng(1).uniform(-1.5, 1.5, (200, 2))
    schema.range.widen(postures)
    cerebellum = Cerebellum(2, CerebellumConfig(), np.random.default_rng(0))
    cerebellum.begin(*Arm().experience(400, 1), np.array([0.1, 0.1]))
    return schema, cerebellum


AIMS = [(0.5, 0.2), (0.3, -0.3), (0.1, 0.6)]
each_aim = pytest.mark.parametrize("aim", AIMS, ids=str)


@each_aim
def test_final_postures_bring_the_outcome_to_the_aim_the_nearest_first(mind, aim):
    schema, angle = mind[0], np.array([0.2, 0.4])
    postures = Reach(2, ReachConfig()).postures(angle, np.array(aim), schema)
    np.testing.assert_allclose(schema.chain(postures), np.tile(aim, (len(postures), 1)), atol=5e-3)
    way = np.abs(postures - angle).sum(axis=1)
    assert (np.diff(way) >= 0).all()
    assert len(postures) == 2  # elbow to the left and to the right
    assert np.abs(postures[0] - postures[1]).max() > 0.1


@each_aim
def test_postures_keep_within_the_limits_that_are_sure(mind, aim):
    schema, _ = mind
    limited = BodySchema(2, SchemaConfig())
    limited.load_state({key: value.copy() for key, value in schema.state().items()})
    for _ in range(3):
        limited.range._feel_limit(1, 0.0, high=False)
    low, high = limited.range.limits()
    assert low[1] > 0.0 and np.isinf(high).all()
    postures = Reach(2, ReachConfig()).postures(np.array([0.2, 0.4]), np.array(aim), limited)
    assert len(postures) == 1
    assert (postures >= low).all() and (postures <= high).all()


def test_postures_keep_within_a_stride_of_the_known_unless_a_joint_goes_round(mind):
    low, high = mind[0].reachable()
    np.testing.assert_allclose(low, mind[0].range.free_low - mind[0].range.STRIDE)
    np.testing.assert_allclose(high, mind[0].range.free_high + mind[0].range.STRIDE)
    turning = BodySchema(2, SchemaConfig())
    turning.load_state({**mind[0].state(), "cosine": np.array([6, -1])})
    np.testing.assert_array_equal(np.isinf(turning.reachable()), [[True, False]] * 2)


def test_a_limit_felt_once_is_not_believed_and_probed():
    schema = BodySchema(1, SchemaConfig())
    schema.range.feel(np.linspace(-1, 1, 50)[:, None], np.zeros((50, 1), bool), np.zeros((50, 1)))
    hit = np.array([[1.02]]), np.ones((1, 1), bool), np.ones((1, 1))
    schema.range.feel(*hit)
    assert np.isinf(schema.range.limits()[1]).all()
    assert 1.02 < schema.range.limits(probing=True)[1][0] < 2
    schema.range.feel(*hit)
    assert np.isinf(schema.range.limits()[1]).all()  # the same encounter
    for _ in range(10):
        schema.range.feel(np.array([[0.5]]), np.zeros((1, 1), bool), np.zeros((1, 1)))
    schema.range.feel(*hit)
    assert 0.9 < schema.range.limits()[1][0] < 1.02
    free = np.array([[1.5]]), np.zeros((1, 1), bool), np.zeros((1, 1))
    schema.range.feel(*free)  # it was none
    assert np.isinf(schema.range.limits()[1]).all()


def with_a_limit(encounters):
    """Make a schema of one joint that has met a limit at 1 rad so many times."""
    schema = BodySchema(1, SchemaConfig())
    roam(schema, *np.linspace(-1, 1, 50))
    for _ in range(encounters):
        schema.range.feel(np.ones((1, 1)), np.ones((1, 1), bool), np.ones((1, 1)))
        roam(schema, *np.linspace(-0.5, 0.5, 10))
    return schema


def roam(schema, *angles):
    for angle in angles:
        schema.range.feel(np.full((1, 1), angle), np.zeros((1, 1), bool), np.zeros((1, 1)))


def test_an_encounter_with_a_limit_counts_once_however_it_is_told():
    angle = np.concatenate([np.linspace(-1, 1, 50), np.ones(4), np.zeros(10), np.ones(4)])[:, None]
    knock = (angle == 1) & (np.arange(len(angle)) >= 50)[:, None]
    in_turn, at_once = BodySchema(1, SchemaConfig()), BodySchema(1, SchemaConfig())
    in_turn.range.feel(angle, knock, knock.astype(float), in_turn=True)
    for i in range(len(angle)):
        at_once.range.feel(angle[i : i + 1], knock[i : i + 1], knock[i : i + 1].astype(float))
    for schema in (in_turn, at_once):
        assert np.isfinite(schema.range.limits()[1]).all()  # two, believed
        assert (
            1.0
            < schema.range.limits(probing=True)[1][0]
            == pytest.approx(1 + JointRange._PROBE / 2)
        )


def test_a_limit_that_is_passed_without_a_knock_is_farther_out_and_doubted():
    schema = with_a_limit(3)
    roam(schema, 1.0 + 0.5 * schema.range.SKIN)
    assert schema.range.limits()[1][0] == pytest.approx(
        1 - schema.range.SKIN
    )  # limits give way a little
    roam(schema, 1.0 + 1.5 * schema.range.SKIN, 1.0 + 1.6 * schema.range.SKIN)
    assert schema.range.limits()[1][0] == pytest.approx(1 + 0.5 * schema.range.SKIN)
    roam(schema, *np.zeros(10), 1.0 + 3 * schema.range.SKIN)
    assert np.isinf(schema.range.limits()[1]).all()  # once is not believed
    roam(schema, *np.zeros(10), 1.0 + 4.5 * schema.range.SKIN)
    assert np.isinf(schema.range.limits(probing=True)[1]).all()  # none


@pytest.mark.parametrize("gain", [1.0, -1.0])
@pytest.mark.parametrize(
    ("before", "after", "limit"),
    [
        (2.0, 0.1, True),  # stopped
        (0.0, 0.0, True),  # pushing without moving
        (2.0, -1.0, True),  # bounced off
        (-2.0, -3.0, False),  # on its way away
        (0.5, 2.0, False),  # getting faster
    ],
)
def test_only_what_goes_or_pushes_into_a_limit_can_be_stopped_by_it(before, after, limit, gain):
    moving = [
        Percept(zero, np.array([[v]]), zero, zero, zero)
        for v in (before, after)
        for zero in [np.zeros((1, 1))]
    ]
    mind = SimpleNamespace(
        schema=SimpleNamespace(known=SimpleNamespace(gain=np.array([gain]))),
        cerebellum=SimpleNamespace(velocity_scale=np.ones(1)),
    )
    stopped = Reaching._stopped(mind, *moving, np.array([[0.3 * gain]]))
    np.testing.assert_array_equal(stopped, [[0.3 if limit else 0.0]])


def propose(mind, aim, horizon=60, angle=(0.2, 0.4), velocity=(0.5, -0.3), probing=False):
    reach = Reach(2, ReachConfig())
    state = np.array(angle), np.array(velocity)
    return reach.propose(*state, np.array(aim), *mind, horizon=horizon, probing=probing)


@each_aim
@pytest.mark.parametrize("horizon", [10, 60])
def test_proposals_have_their_shapes_and_start_where_the_body_is(mind, aim, horizon):
    proposals = propose(mind, aim, horizon)
    k = 2 * len(ReachConfig().vigours)
    assert proposals.angle.shape == proposals.velocity.shape == (k, horizon + 1, 2)
    assert proposals.acceleration.shape == (k, horizon, 2)
    assert proposals.worth.shape == proposals.vigour.shape == proposals.venture.shape == (k,)
    assert sorted(set(proposals.vigour.tolist())) == list(range(len(ReachConfig().vigours)))
    np.testing.assert_allclose(proposals.angle[:, 0], np.tile([0.2, 0.4], (k, 1)), atol=1e-12)
    np.testing.assert_allclose(proposals.velocity[:, 0], np.tile([0.5, -0.3], (k, 1)), atol=1e-12)


def test_movements_unroll_as_they_would_step_by_step():
    rng = np.random.default_rng(0)
    closed, state = 0.3 * rng.normal(size=(3, 4, 4)), rng.normal(size=(3, 4))
    for horizon in (1, 2, 13, 64):
        expected = [state]
        for _ in range(horizon):
            expected.append(np.einsum("kij,kj->ki", closed, expected[-1]))
        np.testing.assert_allclose(_unroll(closed, state, horizon), np.stack(expected, 1))


@each_aim
def test_a_proposal_is_a_movement(mind, aim):
    p = propose(mind, aim)
    np.testing.assert_allclose(np.diff(p.velocity, axis=1), STEP * p.acceleration, atol=1e-10)
    mean = 0.5 * (p.velocity[:, 1:] + p.velocity[:, :-1])
    np.testing.assert_allclose(np.diff(p.angle, axis=1), STEP * mean, atol=1e-10)


@each_aim
def test_every_movement_arrives_and_the_more_vigorous_the_sooner(mind, aim):
    schema, _ = mind
    p = propose(mind, aim, horizon=300)
    distance = np.linalg.norm(schema.chain(p.angle) - aim, axis=-1)
    assert (distance[:, -1] < 0.1 * distance[:, 0]).all()
    assert np.abs(p.velocity[:, -1]).max() < 0.1
    late = distance.sum(axis=1).reshape(2, -1)
    assert (np.diff(late, axis=1) < 0).all()


@each_aim
def test_the_imagined_reward_is_distance_and_effort_of_what_is_imagined(mind, aim):
    schema, cerebellum = mind
    p, reach = propose(mind, aim), Reach(2, ReachConfig())
    for k in range(len(p.worth)):
        plan = reach.refine(p, k, np.array(aim), *mind, boldness=0.0)
        middle = [0.5 * (x[1:] + x[:-1]) for x in (plan.angle, plan.velocity)]
        command = cerebellum.inverse(*middle, plan.acceleration)
        possible = np.abs(command).max(axis=-1) <= 0.9
        assert possible.any()
        distance = np.linalg.norm(schema.chain(plan.angle[1:]) - aim, axis=-1)
        plain = -0.2 - distance - 0.1 * (command**2).sum(axis=-1)
        np.testing.assert_allclose(plan.reward[possible], plain[possible], atol=1e-9)
        # What motors cannot give counts against it.
        assert (plan.reward[~possible] < plain[~possible]).all()


@each_aim
@pytest.mark.parametrize("horizon", [1, 2, 10, 60])
def test_the_worth_of_a_proposal_is_its_return_but_for_what_glimpses_miss(mind, aim, horizon):
    schema, cerebellum = mind
    p, reach = propose(mind, aim, horizon), Reach(2, ReachConfig())
    movements = p.angle, p.velocity, p.acceleration
    every = slice(None), np.array(aim), schema, cerebellum, schema.range.limits()
    exact = reach._imagine(movements, *every).sum(axis=1)
    np.testing.assert_allclose(p.worth, exact, rtol=0.03)
    if horizon <= 10:
        np.testing.assert_allclose(p.worth, exact, rtol=1e-9)
    steps, stand_for = glimpses(horizon)
    assert stand_for.sum() == horizon and steps[0] == 0 and steps[-1] == horizon - 1


@each_aim
def test_refining_a_movement_makes_it_a_better_movement(mind, aim):
    reach, p = Reach(2, ReachConfig()), propose(mind, aim)
    every = slice(None), np.array(aim), *mind, mind[0].range.limits()
    before = reach._imagine((p.angle, p.velocity, p.acceleration), *every).sum(axis=1)
    for k in range(len(before)):
        refined = reach.refine(p, k, np.array(aim), *mind, boldness=0.0)
        assert refined.reward.sum() >= before[k] - 1e-3 * abs(before[k])
        np.testing.assert_allclose(refined.angle[0], p.angle[k, 0], atol=1e-12)
        np.testing.assert_allclose(refined.velocity[0], p.velocity[k, 0], atol=1e-12)
        np.testing.assert_allclose(
            np.diff(refined.velocity, axis=0), STEP * refined.acceleration, atol=1e-9
        )
    best = before.argmax()
    gained = reach.refine(p, best, np.array(aim), *mind, boldness=0.0).reward.sum()
    assert gained > before[best] + 1e-3


@each_aim
def test_a_refined_movement_heeds_the_limits_that_are_believed(mind, aim):
    schema, cerebellum = mind
    p = propose(mind, aim)
    best = p.worth.argmax()
    path = p.angle[best]
    joint = int(np.ptp(path, axis=0).argmax())
    up = path[:, joint].max() - path[0, joint] > path[0, joint] - path[:, joint].min()
    farthest = path[:, joint].max() if up else path[:, joint].min()
    limit = path[0, joint] + 0.7 * (farthest - path[0, joint])
    limited = BodySchema(2, SchemaConfig())
    limited.load_state(schema.state())
    for _ in range(2):
        limited.range._feel_limit(joint, limit, high=bool(up))
    over = beyond(path, limited.range.limits())[:, joint]
    refined = Reach(2, ReachConfig()).refine(
        p, best, np.array(aim), limited, cerebellum, boldness=0.0
    )
    left = beyond(refined.angle, limited.range.limits())[:, joint]
    assert np.abs(over).max() > 0.05
    assert np.abs(left).sum() < 0.5 * np.abs(over).sum()


def test_leaving_the_range_felt_so_far_is_a_venture(mind):
    schema, _ = mind
    p = propose(mind, AIMS[0])
    outside = np.maximum(p.angle - schema.range.free_high, 0) + np.maximum(
        schema.range.free_low - p.angle, 0
    )
    away = outside[:, 1:].sum(axis=(1, 2))
    np.testing.assert_allclose(p.venture, away * schema.spread, atol=1e-9)


def test_joints_that_go_round_take_the_shorter_way(mind):
    schema = BodySchema(2, SchemaConfig())
    schema.load_state({**mind[0].state(), "cosine": np.array([6, 7])})
    way = schema.difference(np.array([3.0, 0.5]), np.array([-3.0, 0.0]))
    np.testing.assert_allclose(way, [6.0 - 2 * np.pi, 0.5])
    for _ in range(2):
        schema.range._feel_limit(0, 3.1, high=True)
    assert schema.difference(np.array([3.0, 0.5]), np.array([-3.0, 0.0]))[0] == pytest.approx(6.0)
