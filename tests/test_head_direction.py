"""A heading whose sensor stands still is gone on with by how fast the body turns."""

from dataclasses import replace

import numpy as np
import pytest

from agent.head_direction import HeadDirection
from agent.heading import Heading, HeadingSense
from agent.joints import Joints
from agent.working_memory import begin_episodes, new_memory

STEP, N = 0.05, 2
HEADING = Heading(
    cosine=-1, sine=0, turns=1.0, sign=1.0, zero=0.0, wander=1.0, turning=1, per_step=STEP
)


def turn(steps):
    """Turn two bodies: channels (steps, N, 3) of angle, angular velocity and time."""
    t = STEP * np.arange(steps)[:, None, None] + np.array([[0.0], [0.3]])
    return np.concatenate([0.8 * np.sin(t), 0.8 * np.cos(t), t], axis=-1)


def live(felt, heading=HEADING, starts_alike=True):
    """Believed headings (steps, N), and whether they are to be believed."""
    memory, sense, believed, known = new_memory(N, 2, felt.shape[-1], 10), HeadDirection(), [], []
    for channels in felt:
        off, sure = sense.believe(memory, channels, heading, starts_alike)
        believed.append(heading.angle(channels) + off)
        known.append(sure)
        memory["sensed"], memory["sensing"] = channels, np.ones(N, np.bool_)
    return np.array(believed), np.array(known)


def test_a_heading_that_moves_is_felt_as_it_is():
    felt = turn(40)
    believed, known = live(felt)
    np.testing.assert_array_equal(believed, HEADING.angle(felt.reshape(-1, 3)).reshape(-1, N))
    assert known[1:].all()


def test_a_heading_that_gets_stuck_goes_on_with_the_turning():
    true, felt = turn(400), turn(400)
    felt[50:, 1, 0] = felt[50, 1, 0]
    believed, known = live(felt)
    assert np.abs(believed - true[..., 0])[50 + HeadDirection.STUCK :].max() < 0.01
    # The other body's is sound.
    np.testing.assert_array_equal(believed[:, 0], HEADING.angle(true[:, 0]))
    assert known[1:].all()


@pytest.mark.parametrize("value", [0.0, 2.0])
def test_one_that_was_never_felt_begins_as_episodes_begin(value):
    true, felt = turn(400), turn(400)
    felt[:, 0, 0] = value
    believed, known = live(felt)
    assert np.abs(believed - true[..., 0])[HeadDirection.STUCK + 1 :].max() < 0.01
    # Where episodes begin in any direction it cannot be known.
    _, known = live(felt, starts_alike=False)
    assert not known[HeadDirection.STUCK + 1 :, 0].any() and known[1:, 1].all()


def test_without_a_sense_of_turning_it_is_not_believed():
    felt = turn(60)
    felt[20:, 1, 0] = felt[20, 1, 0]
    _, known = live(felt, replace(HEADING, turning=-1))
    np.testing.assert_array_equal(known[1:, 1], np.arange(1, 60) < 20 + HeadDirection.STUCK)
    assert known[1:, 0].all()


def test_a_lost_look_is_no_stuck_heading():
    felt = turn(40)
    for lost in range(10, 20):
        felt[lost] = felt[9]
    believed, known = live(felt)
    np.testing.assert_array_equal(believed, HEADING.angle(felt.reshape(-1, 3)).reshape(-1, N))
    assert known[1:].all()


def test_a_new_episode_forgets_what_was_stuck():
    felt, sense, memory = turn(30), HeadDirection(), new_memory(N, 2, 3, 10)
    felt[:, :, 0] = 0.5
    for step, channels in enumerate(felt):
        memory = begin_episodes(memory, np.full(N, step == 20))
        off, _ = sense.believe(memory, channels, HEADING, starts_alike=True)
        memory["sensed"], memory["sensing"] = channels, np.ones(N, np.bool_)
        assert (off == 0.0).all() == (step % 20 < HeadDirection.STUCK)


def test_the_sense_of_turning_is_found_in_what_was_looked_at():
    rng = np.random.default_rng(0)
    sense = HeadingSense(6, stride=1)
    angle = np.cumsum(rng.normal(0.02, 0.01, 900))
    rate = np.gradient(angle) / (2 * STEP)  # half as fast as it turns, in its own unit
    seen = np.column_stack([np.cos(angle), np.sin(angle), rate, rng.normal(size=(900, 3))])
    for step in range(899):
        rows = np.array([0]), np.array([step])
        sense.look(seen[None, step], seen[None, step + 1], *rows)
    none = np.zeros(0, np.int64)
    joints = Joints(none, none, none, STEP, *(np.zeros(0) for _ in range(6)))
    heading = sense.find(joints, none)
    assert heading is not None and heading.turning == 2
    assert heading.per_step == pytest.approx(2 * STEP, rel=0.1)
