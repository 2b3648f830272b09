"""Senses: from a Gymnasium observation to what is felt and seen."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from agent.errors import SensoryError, UnsupportedSpaceError
from agent.joints import Joints
from agent.percept import Array, Body, Percept, Transition

GOAL_KEYS = ("observation", "achieved_goal", "desired_goal")
PLACE_KEYS = ("observation", "achieved_goal", "places", "cue", "go", "pressed", "answer")
"""Keys of a task that offers places to choose from, instead of one goal."""

_LEAST, _MOST = np.array(-1.0), np.array(1.0)  # (Full strength; arrays need no conversion)


class Senses:
    """Lines up an observation as numbered channels, and reads them once the body is known.

    A flat observation gives its numbers as channels. A goal dict gives those of `observation`,
    then of `achieved_goal`, then of `desired_goal`; its keys are a hint that is taken.
    Where a task offers places to choose from (`PLACE_KEYS`), what is desired is no part of the
    observation: its channels, which come after those of `achieved_goal`, are the brain's to write.
    A command u in [−1, 1] per motor is spread over the action box.

    Attributes:
        n_channels: how many numbers an observation has.
        n_motors: how many numbers an action has.
        proprioception: channels among which joints are looked for.
        achieved: channels of `achieved_goal`, empty for a flat observation.
        desired: channels of `desired_goal`, empty for a flat observation.
        keys: channels of what else a task with places shows, by key; empty for other tasks.

    Raises:
        UnsupportedSpaceError: for spaces that are not flat boxes of numbers, or a goal dict of
            them, or for actions without bounds.

    """

    def __init__(self, observation_space: spaces.Space[Any], action_space: spaces.Space[Any]):
        self._keys = self._find_keys(observation_space)
        if isinstance(observation_space, spaces.Dict):
            sizes = [self._box_size(observation_space[key], key) for key in self._keys]
        else:
            sizes = [self._box_size(observation_space, "the observation")]
        self.keys: dict[str, NDArray[np.int64]] = {}
        if self._keys == PLACE_KEYS:
            sizes = self._with_places(sizes)
        self._sizes = sizes
        edges = np.cumsum([0, *sizes])
        self.n_channels = int(edges[-1])
        self.proprioception = np.arange(sizes[0])
        self.achieved = np.arange(edges[1], edges[2]) if self._keys else np.empty(0, np.int64)
        self.desired = np.arange(edges[2], edges[3]) if self._keys else np.empty(0, np.int64)

        if not isinstance(action_space, spaces.Box) or len(action_space.shape) != 1:
            raise UnsupportedSpaceError(
                f"the action space is {action_space}: motors need a flat Box of numbers; wrap the "
                "environment in a gymnasium.ActionWrapper that takes one, or choose another task: "
                "discrete acts have no muscles"
            )
        low, high = action_space.low.astype(float), action_space.high.astype(float)
        if not (np.isfinite(low) & np.isfinite(high) & (high > low)).all():
            raise UnsupportedSpaceError(
                f"the action space {action_space} has no bounds, or empty ones: give each motor "
                "a finite range, e.g. with gymnasium.wrappers.RescaleAction(env, -1, 1)"
            )
        self.n_motors = low.size
        self._center, self._half = (high + low) / 2, (high - low) / 2

    def _with_places(self, sizes: list[int]) -> list[int]:
        """Make room for a desired goal, and say where the parts of a task with places are."""
        if sizes[2] != sizes[1] * sizes[5] or sizes[4] != 1 or sizes[6] != 1:
            raise UnsupportedSpaceError(
                f"the parts {', '.join(PLACE_KEYS)} have the sizes {sizes}: there must be a place, "
                "as achieved_goal measures it, for each number of `pressed`, and one number in "
                "`go` and `answer`"
            )
        sizes = [*sizes[:2], sizes[1], *sizes[2:]]
        edges = np.cumsum(sizes)[2:]
        for name, start, stop in zip(PLACE_KEYS[2:], edges[:-1], edges[1:], strict=True):
            self.keys[name] = np.arange(start, stop)
        return sizes

    @staticmethod
    def _find_keys(space: spaces.Space[Any]) -> tuple[str, ...]:
        if not isinstance(space, spaces.Dict):
            return ()
        if set(space.spaces) == set(PLACE_KEYS):
            return PLACE_KEYS
        missing = [key for key in GOAL_KEYS if key not in space.spaces]
        if missing or len(space.spaces) != len(GOAL_KEYS):
            raise UnsupportedSpaceError(
                f"the observation is a dict of {', '.join(space.spaces)}: a goal task has exactly "
                f"{', '.join(GOAL_KEYS)}; for any other dict use "
                "gymnasium.wrappers.FlattenObservation(env)"
            )
        if space["achieved_goal"].shape != space["desired_goal"].shape:
            raise UnsupportedSpaceError(
                f"achieved_goal has shape {space['achieved_goal'].shape} and desired_goal "
                f"{space['desired_goal'].shape}: they must be the same kind of thing"
            )
        return GOAL_KEYS

    @staticmethod
    def _box_size(space: spaces.Space[Any], name: str) -> int:
        if not isinstance(space, spaces.Box) or len(space.shape) != 1 or space.shape[0] == 0:
            raise UnsupportedSpaceError(
                f"{name} is {space}: the brain feels a flat Box of numbers (joint angles, "
                "velocities, positions), not images or discrete states; choose a state-based "
                "task, or use gymnasium.wrappers.FlattenObservation(env)"
            )
        return int(space.shape[0])

    def channels(self, observation: Any) -> Array:
        """Line up a batch of observations.

        Args:
            observation: (n, n_channels), or a dict of arrays (n, ·).

        Returns:
            (n, n_channels) float64, a copy.

        Raises:
            SensoryError: when a number is NaN or infinite, or the shape is not that of the space.

        """
        if self._keys:
            if not isinstance(observation, Mapping) or observation.keys() != set(self._keys):
                got = list(observation) if isinstance(observation, Mapping) else type(observation)
                raise SensoryError(f"the observation has {got}: expected {', '.join(self._keys)}")
            names = [*self._keys]
            if self.keys:
                names.insert(2, "achieved_goal")  # (Nothing is desired as long as none is chosen)
            parts = [
                self._part(observation[key], size, key)
                for key, size in zip(names, self._sizes, strict=True)
            ]
            joined = np.concatenate(parts, axis=1)
        else:
            joined = np.array(self._part(observation, self.n_channels, "observation"), order="C")
        if not _all_finite(joined):
            body, channel = (int(i) for i in np.argwhere(~np.isfinite(joined))[0])
            raise SensoryError(
                f"{self.channel_name(channel)} of environment {body} is {joined[body, channel]}: "
                "the simulation has diverged or a sensor is broken; nothing was learnt from it. "
                "End the episode there (terminated) or repair the environment"
            )
        return joined

    @staticmethod
    def _part(numbers: Any, size: int, name: str) -> Array:
        part = np.asarray(numbers, float)
        if part.ndim != 2 or part.shape[1] != size:
            raise SensoryError(f"{name} has shape {part.shape}: expected (n, {size})")
        return part

    def channel_name(self, channel: int) -> str:
        """Name a channel as the environment's author would: key and index."""
        if not self._keys:
            return f"observation[{channel}]"
        names = ["observation", "achieved_goal", "desired_goal", *self._keys[2:]]
        for key, size in zip(names if self.keys else self._keys, self._sizes, strict=True):
            if channel < size:
                return f"{key}[{channel}]"
            channel -= size
        raise IndexError(channel)

    def action(self, command: Array) -> NDArray[np.float32]:
        """Spread commands (n, n_motors) in [−1, 1] over the action box."""
        return (self._center + self._half * full_at_most(command)).astype(np.float32)

    def command(self, action: Any) -> Array:
        """Turn actions (n, n_motors) back into commands in [−1, 1].

        Raises:
            SensoryError: when a number is NaN or infinite.

        """
        command = np.asarray(action, float)
        if not _all_finite(command):
            raise SensoryError(
                f"the action is {action}: nothing was learnt; hand in finite numbers"
            )
        return (command - self._center) / self._half

    @staticmethod
    def reward(reward: Any) -> Array:
        """Rewards (n,) as floats.

        Raises:
            SensoryError: when one is NaN or infinite.

        """
        received = np.asarray(reward, float)
        if not _all_finite(received):
            body = int(np.flatnonzero(~np.isfinite(received))[0])
            raise SensoryError(
                f"the reward of environment {body} is {received[body]}: nothing was learnt from "
                "it. Repair the reward or end the episode before it"
            )
        return received

    def transition(
        self,
        observation: Any,
        action: Any,
        reward: Any,
        next_observation: Any,
        terminated: Any,
        truncated: Any,
    ) -> Transition:
        """Read one step of each of n bodies.

        Args:
            observation: before the step, (n, ·) or dict of them.
            action: (n, n_motors) that was taken.
            reward: (n,).
            next_observation: after the step.
            terminated: (n,) whether the episode ended before the time was up.
            truncated: (n,) whether it ended otherwise.

        Raises:
            SensoryError: for what is not finite, or of another shape.

        """
        ended = np.asarray(terminated, bool)
        return Transition(
            before=self.channels(observation),
            after=self.channels(next_observation),
            reward=self.reward(reward),
            command=full_at_most(self.command(action)),
            terminated=ended,
            ended=ended | np.asarray(truncated, bool),
        )

    def angles(self, channels: Array, body: Body | Joints) -> Array:
        """Joint angles (…, n_joints) from channels (…, n_channels)."""
        angle: Array = channels.take(body.sine, axis=-1)
        pair = body.periodic
        if np.count_nonzero(pair):
            np.arctan2(angle, channels.take(body.cosine, axis=-1), out=angle, where=pair)
        return angle

    def percept(self, channels: Array, body: Body) -> Percept:
        """Read channels (n, n_channels) with the body schema."""
        outcome = channels.take(body.outcome, axis=1)
        has_goal = len(body.goal) > 0
        return Percept(
            angle=self.angles(channels, body),
            velocity=channels.take(body.velocity, axis=1),
            outcome=outcome,
            context=channels.take(body.context, axis=1),
            goal=channels.take(body.goal, axis=1) if has_goal else np.zeros_like(outcome),
        )


def full_at_most(command: Array) -> Array:
    """Commands (n, n_motors), none of them beyond full strength."""
    return np.asarray(np.minimum(np.maximum(command, _LEAST), _MOST))


def _all_finite(numbers: Array) -> bool:
    """Tell whether all are finite: the sum of their squares, which is quick, is so only then."""
    return math.isfinite(np.vdot(numbers, numbers)) or bool(np.isfinite(numbers).all())
