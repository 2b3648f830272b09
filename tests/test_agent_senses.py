"""Senses: which spaces are felt, how numbers are lined up, and what is said about bad ones."""

import re

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from agent import Brain, SensoryError, UnsupportedSpaceError
from agent.percept import Body, Reward
from agent.senses import GOAL_KEYS, Senses

FLAT = spaces.Box(-np.inf, np.inf, (4,))
MOTORS = spaces.Box(-1, 1, (2,))


def goal_space(observation=4, achieved=2, desired=2, **extra):
    def box(size):
        return spaces.Box(-np.inf, np.inf, (size,))

    keys = dict(zip(GOAL_KEYS, map(box, (observation, achieved, desired)), strict=True))
    return spaces.Dict({**keys, **extra})


BAD_SPACES = {
    "discrete observation": (spaces.Discrete(3), MOTORS, "FlattenObservation"),
    "image": (spaces.Box(0, 255, (8, 8, 3), np.uint8), MOTORS, "not images"),
    "empty observation": (spaces.Box(-1, 1, (0,)), MOTORS, "flat Box"),
    "tuple": (spaces.Tuple([FLAT, FLAT]), MOTORS, "FlattenObservation"),
    "dict without goal keys": (
        spaces.Dict({"eye": FLAT, "ear": FLAT}),
        MOTORS,
        "is a dict of ear, eye: a goal task has exactly",
    ),
    "dict with a key more": (goal_space(ear=FLAT), MOTORS, "ear.*exactly observation"),
    "goals of two shapes": (goal_space(desired=3), MOTORS, r"\(2,\).*\(3,\)"),
    "image in a goal dict": (
        spaces.Dict({**goal_space().spaces, "observation": spaces.Box(0, 1, (3, 3))}),
        MOTORS,
        "observation is Box",
    ),
    "discrete action": (FLAT, spaces.Discrete(5), r"Discrete\(5\)"),
    "several discrete actions": (FLAT, spaces.MultiDiscrete([2, 3]), "motors need a flat Box"),
    "action matrix": (FLAT, spaces.Box(-1, 1, (2, 2)), "motors need a flat Box"),
    "unbounded action": (FLAT, spaces.Box(-np.inf, np.inf, (2,)), "RescaleAction"),
    "half-bounded action": (FLAT, spaces.Box(0, np.inf, (2,)), "RescaleAction"),
    "one empty range": (FLAT, spaces.Box(np.zeros(2, np.float32), np.float32([1, 0])), "empty"),
}


@pytest.mark.parametrize("build", [Senses, Brain], ids=["senses", "brain"])
@pytest.mark.parametrize(("observation", "action", "says"), BAD_SPACES.values(), ids=BAD_SPACES)
def test_a_space_that_cannot_be_felt_is_refused_with_a_way_out(build, observation, action, says):
    with pytest.raises(UnsupportedSpaceError) as error:
        build(observation, action)
    assert re.search(says, str(error.value), re.DOTALL)
    assert isinstance(error.value, ValueError)


@pytest.mark.parametrize("case", BAD_SPACES)
def test_wrappers_that_errors_name_exist(case):
    with pytest.raises(UnsupportedSpaceError) as error:
        Senses(*BAD_SPACES[case][:2])
    for name in re.findall(r"gymnasium\.wrappers\.(\w+)", str(error.value)):
        assert hasattr(gym.wrappers, name)


def test_flat_channels_keep_their_order():
    observation = np.arange(8.0).reshape(2, 4)
    senses = Senses(FLAT, MOTORS)
    channels = senses.channels(observation)
    np.testing.assert_array_equal(channels, observation)
    channels[:] = 0.0
    assert observation[1, 3] == 7.0  # a copy was given
    assert [senses.channel_name(i) for i in range(4)] == [f"observation[{i}]" for i in range(4)]
    assert not len(senses.achieved) and not len(senses.desired)
    np.testing.assert_array_equal(senses.proprioception, range(4))


def test_goal_channels_are_observation_achieved_desired_whatever_the_order_of_keys():
    senses = Senses(goal_space(3, 2, 2), MOTORS)
    observation = {
        "desired_goal": np.array([[5.0, 6.0]]),
        "observation": np.array([[0.0, 1.0, 2.0]]),
        "achieved_goal": np.array([[3.0, 4.0]]),
    }
    np.testing.assert_array_equal(senses.channels(observation), [range(7)])
    np.testing.assert_array_equal(senses.proprioception, [0, 1, 2])
    np.testing.assert_array_equal(senses.achieved, [3, 4])
    np.testing.assert_array_equal(senses.desired, [5, 6])
    names = [senses.channel_name(i) for i in range(7)]
    assert names[2:6] == [
        "observation[2]",
        "achieved_goal[0]",
        "achieved_goal[1]",
        "desired_goal[0]",
    ]
    with pytest.raises(IndexError):
        senses.channel_name(7)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("channel", range(8))
def test_a_number_that_is_none_is_named_with_its_key_index_and_environment(bad, channel):
    senses = Senses(goal_space(), MOTORS)
    whole = np.zeros((3, 8))
    whole[2, channel] = bad
    parts = dict(zip(GOAL_KEYS, np.split(whole, [4, 6], axis=1), strict=True))
    name = (*(f"observation[{i}]" for i in range(4)), "achieved_goal[0]", "achieved_goal[1]")
    name += ("desired_goal[0]", "desired_goal[1]")
    with pytest.raises(SensoryError, match=re.escape(f"{name[channel]} of environment 2 is {bad}")):
        senses.channels(parts)


@pytest.mark.parametrize(
    ("space", "observation", "says"),
    [
        (FLAT, np.zeros(4), r"\(4,\).*\(n, 4\)"),
        (FLAT, np.zeros((1, 5)), r"\(1, 5\)"),
        (goal_space(), np.zeros((1, 8)), "expected observation, achieved_goal, desired_goal"),
        (goal_space(), {"observation": np.zeros((1, 4))}, "expected observation, achieved_goal"),
        (
            goal_space(),
            {k: np.zeros((1, 4)) for k in GOAL_KEYS},
            r"achieved_goal has shape \(1, 4\): expected \(n, 2\)",
        ),
    ],
)
def test_an_observation_of_another_shape_is_refused(space, observation, says):
    with pytest.raises(SensoryError, match=says):
        Senses(space, MOTORS).channels(observation)


@given(
    low=st.lists(st.floats(-100, 99), min_size=2, max_size=2),
    width=st.lists(st.floats(0.1, 200), min_size=2, max_size=2),
    command=arrays(float, (3, 2), elements=st.floats(-1, 1)),
)
def test_commands_survive_the_way_through_the_action_box(low, width, command):
    box = spaces.Box(np.array(low, np.float32), np.float32(low) + np.float32(width))
    senses = Senses(FLAT, box)
    action = senses.action(command)
    assert action.dtype == np.float32
    assert all(box.contains(a) for a in action)
    size = np.abs([box.low, box.high]).max() / (box.high - box.low).min()
    np.testing.assert_allclose(senses.command(action), command, atol=1e-6 * (1 + size))


def test_commands_beyond_full_are_cut_and_the_ends_are_the_box():
    box = spaces.Box(np.array([-2.0, 1.0], np.float32), np.array([2.0, 3.0], np.float32))
    senses = Senses(FLAT, box)
    ends = senses.action(np.array([[-7.0, -1.0], [1.0, 7.0], [0.0, 0.0]]))
    np.testing.assert_array_equal(ends, [[-2.0, 1.0], [2.0, 3.0], [0.0, 2.0]])


@given(angle=arrays(float, (5, 2), elements=st.floats(-3.1, 3.1)))
def test_angles_are_read_from_pairs_and_from_angles(angle):
    senses = Senses(spaces.Box(-np.inf, np.inf, (5,)), MOTORS)
    # Joint 0 as sine (channel 3) and cosine (channel 1), joint 1 as the angle (channel 4).
    channels = np.zeros((5, 5))
    channels[:, 3], channels[:, 1] = np.sin(angle[:, 0]), np.cos(angle[:, 0])
    channels[:, 4], channels[:, 0] = angle[:, 1], 9.0
    body = Body(
        cosine=np.array([1, -1]),
        sine=np.array([3, 4]),
        velocity=np.array([2, 0]),
        step=0.1,
        gain=np.ones(2),
        outcome=np.array([0]),
        goal=np.empty(0, np.int64),
        context=np.array([2]),
        reward=Reward(1.0, 0.0, 0.0),
    )
    kept = channels.copy()
    percept = senses.percept(channels, body)
    np.testing.assert_allclose(percept.angle, angle, atol=1e-12)
    np.testing.assert_array_equal(channels, kept)
    np.testing.assert_array_equal(percept.velocity[:, 1], 9.0)
    np.testing.assert_array_equal(percept.goal, np.zeros((5, 1)))
    np.testing.assert_array_equal(body.periodic, [True, False])
