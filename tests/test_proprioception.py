"""Joints whose sensors stand still, or a look of which is lost, are expected from the rest."""

import numpy as np
import pytest

from agent.errors import StateError
from agent.joint_expectation import WINDOW, JointExpectation
from agent.joints import Joints
from agent.proprioception import Proprioception
from agent.working_memory import new_memory

STEP, N = 0.05, 2
JOINTS = Joints(
    cosine=np.array([-1, -1]),
    sine=np.array([0, 1]),
    velocity=np.array([2, 3]),
    step=STEP,
    gain=np.ones(2),
    pull=np.zeros(2),
    rest=np.zeros(2),
    low=np.full(2, -1.0),
    high=np.full(2, 1.0),
    start=np.sin(0.3 * np.array([2.0, 3.0])),  # (as the second body of `swing` begins)
)


def swing(steps):
    """Swing two joints of two bodies: channels (steps, N, 5), the last one tells the time."""
    t = STEP * np.arange(steps)[:, None, None] + np.array([[0.0], [0.3]])
    rate = np.array([2.0, 3.0])
    angle, velocity = np.sin(rate * t), rate * np.cos(rate * t)
    return np.concatenate([angle, velocity, t[..., :1]], axis=-1)


def live(felt, wanted):
    """Believe angles and velocities, (steps, N, 2) each."""
    memory, sense = new_memory(N, 2, felt.shape[-1], 10), Proprioception(JOINTS)
    believed = [
        sense.feel(memory, channels.copy(), channels[:, :2].copy(), aim)
        for channels, aim in zip(felt, wanted, strict=True)
    ]
    return tuple(np.array(part) for part in zip(*believed, strict=True))


def test_what_is_sound_goes_through_as_it_is():
    felt = swing(50)
    angle, velocity = live(felt, felt[..., :2] + 0.1)
    np.testing.assert_array_equal(angle, felt[..., :2])
    np.testing.assert_array_equal(velocity, felt[..., 2:4])


@pytest.mark.parametrize("value", [0.0, 5.0])
def test_a_stuck_angle_is_followed_by_its_velocity(value):
    true, felt = swing(200), swing(200)
    felt[:, 1, 0] = value
    wanted = true[..., :2]
    angle, _ = live(felt, wanted)
    off = np.abs(angle - true[..., :2])[Proprioception.STUCK + 1 :]
    assert off.max() < 0.02
    np.testing.assert_array_equal(angle[:, 0], true[:, 0, :2])  # the other body's is sound


def test_an_angle_that_gets_stuck_goes_on_from_where_it_was_felt():
    true, felt = swing(2000), swing(2000)
    felt[100:, :, 0] = felt[100, :, 0]
    angle, _ = live(felt, 0.5 + true[..., :2])  # a little off what is wanted
    off = np.abs(angle - true[..., :2])
    assert off[100 + Proprioception.STUCK :].max() < 0.02 and not off[:100].any()


@pytest.mark.parametrize("off", [0.0, 0.05])
def test_a_stuck_angle_is_drawn_to_what_is_usual_where_velocities_go_astray(off):
    felt, memory, sense = swing(8000), new_memory(N, 2, 5, 10), Proprioception(JOINTS)
    wanted = 0.5 + 2.0 * felt[..., :2]  # it follows with half the stroke, and elsewhere
    felt[..., 2] += off
    for channels, aim in zip(felt[:4000], wanted, strict=False):
        sense.feel(memory, channels, channels[:, :2].copy(), aim, 0)
    true = felt[4000:, :, 0].copy()
    felt[4000:, :, 0] = felt[4000, :, 0]
    angle = [
        sense.feel(memory, channels, channels[:, :2].copy(), aim)[0][:, 0]
        for channels, aim in zip(felt[4000:], wanted[4000:], strict=True)
    ]
    # Nothing but velocities would be 10 rad off by the end.
    assert np.abs(np.array(angle) - true)[Proprioception.STUCK + 1 :].max() < 0.1


def test_a_newborn_expects_joints_where_they_are_wanted_and_believes_velocities():
    expectation = JointExpectation(2)
    wanted = np.array([[0.3, -0.2]])
    np.testing.assert_allclose(expectation.expect(wanted, wanted - 0.1), wanted)
    np.testing.assert_array_equal(expectation.draw, 0.0)


def test_what_is_usual_is_learnt_only_from_windows_without_a_gap():
    expectation, other = JointExpectation(1), JointExpectation(1)
    for t in range(500):
        if t % 90 == 0:
            expectation.interrupt()
        expectation.watch(np.sin([t]), np.cos([t]), np.array([0.1]), 1.0)
    for name in ("normal", "moment", "drift", "bias"):
        np.testing.assert_array_equal(expectation.state()[name], other.state()[name])


@pytest.mark.parametrize("value", [0.0, 5.0])
def test_a_stuck_velocity_is_the_change_of_its_angle(value):
    true, felt = swing(200), swing(200)
    felt[..., 3] = value
    _, velocity = live(felt, true[..., :2])
    assert np.abs(velocity - true[..., 2:4])[Proprioception.STUCK + 1 :].max() < 0.1


def test_a_joint_at_rest_is_not_stuck():
    felt = swing(50)
    felt[..., 0], felt[..., 2] = 0.3, 0.0
    angle, velocity = live(felt, np.zeros((50, N, 2)))
    np.testing.assert_array_equal(angle[..., 0], 0.3)
    np.testing.assert_array_equal(velocity[..., 0], 0.0)


def test_a_lost_look_is_taken_for_what_was_wanted():
    felt, wanted = swing(50), swing(50)[..., :2] + 0.1
    felt[20, 0] = felt[19, 0]
    angle, velocity = live(felt, wanted)
    np.testing.assert_array_equal(angle[20, 0], wanted[20, 0])
    np.testing.assert_array_equal(velocity[20, 0], felt[19, 0, 2:4])
    np.testing.assert_array_equal(angle[21], felt[21, :, :2])


@pytest.mark.parametrize(
    ("name", "value"),
    [("counts", np.array([WINDOW, 1])), ("normal", -np.eye(3)[None])],
)
def test_what_no_life_leaves_behind_is_refused(name, value):
    state = JointExpectation(1).state()
    JointExpectation.check_state(state)
    with pytest.raises(StateError, match=name):
        JointExpectation.check_state(state | {name: value})
