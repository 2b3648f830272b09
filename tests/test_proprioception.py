"""Joints whose sensors stand still, or a look of which is lost, are expected from the rest."""

import numpy as np
import pytest

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
    assert off.max() < 0.1 and off[50:].max() < 0.05  # (It begins where it was wanted: a step off)
    np.testing.assert_array_equal(angle[:, 0], true[:, 0, :2])  # the other body's is sound


def test_a_stuck_angle_does_not_drift_away_from_what_is_wanted():
    felt = swing(4000)
    felt[:, :, 0], felt[..., 2] = 0.0, felt[..., 2] + 0.05  # its velocity is a little off, too
    angle, _ = live(felt, swing(4000)[..., :2])
    assert np.abs(angle[2000:, :, 0]).max() < 1.3


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


def test_a_heading_that_stands_still_alone_is_not_believed():
    felt, sense = swing(10), Proprioception(JOINTS)
    felt[4:, 1, 0] = felt[3, 1, 0]
    memory, sound = new_memory(N, 2, 5, 10), []
    for channels in felt:
        sound.append(sense.sound(memory, channels, (0,)))
        sense.feel(memory, channels, channels[:, :2], channels[:, :2])
    assert np.array(sound)[:, 0].all()
    np.testing.assert_array_equal(np.array(sound)[:, 1], np.arange(10) < 3 + Proprioception.STUCK)
