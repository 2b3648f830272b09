"""Basal ganglia: the gate takes the best, and dopamine teaches what a movement was worth."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from agent.basal_ganglia import BasalGanglia
from agent.config import BasalGangliaConfig

VALUES = arrays(float, st.integers(1, 8), elements=st.floats(-1e3, 1e3))


@given(value=VALUES)
def test_the_gate_lets_the_best_through(value):
    assert value[BasalGanglia(3, BasalGangliaConfig()).gate(value, None)] == value.max()


@given(value=VALUES, seed=st.integers(0, 99))
def test_without_basal_ganglia_the_first_idea_goes_through(value, seed):
    lesioned = BasalGanglia(3, BasalGangliaConfig(), ("basal_ganglia",))
    assert lesioned.gate(value, None) == 0
    assert lesioned.gate(value, np.random.default_rng(seed)) == 0


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e4])
def test_while_learning_proposals_go_through_by_softmax(scale):
    ganglia = BasalGanglia(3, BasalGangliaConfig(temperature=0.5))
    value = -scale * np.array([1.0, 1.2, 2.0])
    rng = np.random.default_rng(0)
    taken = np.bincount([ganglia.gate(value, rng) for _ in range(4000)], minlength=3) / 4000
    chance = np.exp((value - value.max()) / (0.5 * scale))
    np.testing.assert_allclose(taken, chance / chance.sum(), atol=0.03)


def test_a_cold_gate_takes_the_best_even_while_learning():
    ganglia = BasalGanglia(3, BasalGangliaConfig(temperature=1e-6))
    rng = np.random.default_rng(0)
    assert {ganglia.gate(np.array([-2.0, -1.0, -1.1]), rng) for _ in range(50)} == {1}


def run_movement(ganglia, reward, imagined, vigour):
    """Dopamine of each step of one movement."""
    length, chosen = np.array([len(reward)]), np.array([vigour])
    steps = zip(reward[:, None], imagined[:, None], strict=True)
    return np.concatenate([ganglia.learn(r, i, chosen, length) for r, i in steps])


@given(
    reward=arrays(float, 20, elements=st.floats(-10, 10)),
    imagined=arrays(float, 20, elements=st.floats(-10, 10)),
    critic=arrays(float, 4, elements=st.floats(-5, 5)),
    vigour=st.integers(0, 2),
)
def test_dopamine_sums_to_what_the_movement_was_better_than_expected(
    reward, imagined, critic, vigour
):
    # With a critic that stands still, so that V is one number for the whole movement.
    ganglia = BasalGanglia(3, BasalGangliaConfig(learning_rate=0.0))
    ganglia.critic = critic
    dopamine = run_movement(ganglia, reward, imagined, vigour)
    value = ganglia.value(np.array([imagined.sum()]), np.array([vigour]))[0]
    assert dopamine.sum() == pytest.approx(reward.sum() - value, abs=1e-9)


@pytest.mark.parametrize("rate", [0.05, 0.5])
def test_the_critic_moves_by_the_rate_times_dopamine_along_the_features(rate):
    ganglia = BasalGanglia(3, BasalGangliaConfig(learning_rate=rate))
    before = ganglia.critic.copy()
    dopamine = ganglia.learn(np.array([2.0]), np.array([0.5]), np.array([1]), np.array([10]))
    features = np.array([1.0, 0.0, 1.0, 0.0])
    np.testing.assert_allclose(
        ganglia.critic - before, rate * dopamine * features / (features @ features)
    )


def test_what_imagination_always_misses_is_learnt_and_changes_the_choice():
    ganglia = BasalGanglia(2, BasalGangliaConfig())
    imagined = np.array([-20.0, -21.0])  # the first vigour looks better …
    assert ganglia.gate(ganglia.value(imagined, np.arange(2)), None) == 0
    length, missed = 10, np.array([-0.5, 0.0])  # … but each of its steps is worse than imagined
    for _ in range(400):
        for vigour in range(2):
            step = np.full(length, imagined[vigour] / length)
            dopamine = run_movement(ganglia, step + missed[vigour], step, vigour)
    assert np.abs(dopamine).max() < 0.01
    value = ganglia.value(imagined, np.arange(2))
    np.testing.assert_allclose(value, imagined + length * missed, atol=0.1)
    assert ganglia.gate(value, None) == 1


@pytest.mark.parametrize("lesion", ["critic", "basal_ganglia"])
def test_a_lesioned_critic_never_learns_but_dopamine_is_still_the_surprise(lesion):
    ganglia = BasalGanglia(2, BasalGangliaConfig(), (lesion,))
    dopamine = run_movement(ganglia, np.ones(5), np.zeros(5), 1)
    np.testing.assert_array_equal(dopamine, np.ones(5))
    np.testing.assert_array_equal(ganglia.critic, np.zeros(3))


def test_bodies_that_learn_together_all_count():
    # Two bodies at the same vigour teach it twice as much as one.
    one, two = (BasalGanglia(2, BasalGangliaConfig()) for _ in range(2))
    one.learn(np.ones(1), np.zeros(1), np.array([1]), np.array([10]))
    two.learn(np.ones(2), np.zeros(2), np.array([1, 1]), np.array([10, 10]))
    np.testing.assert_allclose(two.critic, 2 * one.critic)


def test_what_was_learnt_can_be_handed_over():
    ganglia, other = (BasalGanglia(2, BasalGangliaConfig()) for _ in range(2))
    run_movement(ganglia, np.ones(5), np.zeros(5), 1)
    other.load_state(ganglia.state())
    np.testing.assert_array_equal(other.critic, ganglia.critic)
    run_movement(other, np.ones(5), np.zeros(5), 0)
    assert not np.array_equal(other.critic, ganglia.critic)  # a copy was taken
