"""Disturbances of what is felt: noise, a stuck sensor, lost frames, delay."""

from collections import deque
from collections.abc import Mapping
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from envs.disturbance import Disturbance, Observation, at_least_0, check_probability, mujoco_of

Spread = float | NDArray[np.float64] | Mapping[str, float | NDArray[np.float64]]

Channel = int | tuple[str, int]

NOT_SENSED = ("desired_goal",)


class SensorNoise(Disturbance):
    """Independent Gaussian noise on every channel that is sensed, anew at each step.

    Channels with finite bounds are clipped to them.

    Args:
        env: the environment.
        sigma: standard deviation of the noise over the spread of the channel, e.g. 0.25.
        spread: usual standard deviation of each channel: one number, an array as long as the
            observation, or a dict of these for a goal dictionary. `channel_spread` measures it.

    Raises:
        ValueError: sigma or a spread is negative or not finite, or has another shape.

    """

    def __init__(self, env: gym.Env, sigma: float, spread: Spread = 1.0) -> None:
        super().__init__(env, sigma=sigma, spread=spread)
        self.sigma = at_least_0("sigma", sigma)
        self._boxes = sensed_boxes(env.observation_space)
        self._spread = {}
        for key, box in self._boxes.items():
            one: Any = spread.get(key, 0.0) if isinstance(spread, Mapping) else spread
            one = np.asarray(one, dtype=np.float64)
            if one.shape not in ((), box.shape) or not (np.isfinite(one) & (one >= 0.0)).all():
                raise ValueError(
                    f"spread of {key or 'the observation'} is {one!r}: give one number from 0 up, "
                    f"or an array of shape {box.shape} of them"
                )
            self._spread[key] = one

    def sense(self, observation: Observation, first: bool) -> Observation:
        """Add the noise."""
        if not self.active:
            return observation
        for key, box in self._boxes.items():
            felt = _part(observation, key)
            noisy = felt + self.sigma * self._spread[key] * self.rng.standard_normal(box.shape)
            noisy = np.clip(noisy, box.low, box.high).astype(felt.dtype)
            observation = _replaced(observation, key, noisy)
        return observation


class StuckSensor(Disturbance):
    """One channel that shows the same number throughout an episode.

    Args:
        env: the environment.
        channel: its index; (key, index) for a goal dictionary. A list of them, or None for all
            that are sensed, draws another one for each episode.
        value: what it shows; None: whatever it felt when the episode began.

    Raises:
        ValueError: there is no such channel, or the value is not finite.

    """

    def __init__(
        self,
        env: gym.Env,
        channel: Channel | list[Channel] | None = None,
        value: float | None = 0.0,
    ) -> None:
        super().__init__(env, channel=channel, value=value)
        boxes = sensed_boxes(env.observation_space)
        known = [(key, i) for key, box in boxes.items() for i in range(box.shape[0])]
        if channel is None:
            self._channels = known
        else:
            asked = channel if isinstance(channel, list) else [channel]
            self._channels = [one if isinstance(one, tuple) else ("", one) for one in asked]
        if not self._channels or not set(self._channels) <= set(known):
            sizes = ", ".join(
                f"{k or 'the observation'} has {b.shape[0]}" for k, b in boxes.items()
            )
            raise ValueError(f"there is no sensor {channel!r} to get stuck: {sizes}")
        if value is not None and not np.isfinite(value):
            raise ValueError(f"value is {value!r}: give a finite number, or None")
        self.value = value
        self.stuck = self._channels[0]  # in this episode
        self._shown = 0.0

    def begin(self) -> None:
        """Choose the sensor."""
        self.stuck = self._channels[int(self.rng.integers(len(self._channels)))]

    def sense(self, observation: Observation, first: bool) -> Observation:
        """Replace its number."""
        key, index = self.stuck
        felt = _part(observation, key)
        if first:
            self._shown = float(felt[index]) if self.value is None else self.value
        if not self.active:
            return observation
        felt = felt.copy()
        felt[index] = self._shown
        return _replaced(observation, key, felt)


class DroppedFrames(Disturbance):
    """Each observation but the first of an episode is lost with some probability.

    The one shown before stays then.

    Args:
        env: the environment.
        probability: of losing one, 0 to 1.

    Raises:
        ValueError: it is no probability.

    """

    def __init__(self, env: gym.Env, probability: float) -> None:
        super().__init__(env, probability=probability)
        self.probability = check_probability(probability)
        self._shown: Observation = None

    def sense(self, observation: Observation, first: bool) -> Observation:
        """Show the new one or the old one."""
        lost = self.rng.random() < self.probability
        if first or not (lost and self.active):
            self._shown = observation
        return _copied(self._shown)


class SensoryDelay(Disturbance):
    """The whole observation is as old as the delay says; an episode begins with its first one.

    Args:
        env: the environment.
        steps: delay in control steps; or
        ms: delay in ms, a multiple of the control step of a MuJoCo environment.

    Raises:
        ValueError: neither or both are given, or a delay that is no number of steps.

    """

    def __init__(self, env: gym.Env, steps: int | None = None, ms: float | None = None) -> None:
        super().__init__(env, steps=steps, ms=ms)
        if (steps is None) == (ms is None):
            raise ValueError("give the delay either in steps or in ms, e.g. steps=2")
        if ms is not None:
            step_ms = 1000.0 * float(mujoco_of(env).dt)
            steps_asked = ms / step_ms if np.isfinite(ms) else -1.0
            if steps_asked < 0 or abs(steps_asked - round(steps_asked)) > 1e-6:
                raise ValueError(
                    f"ms is {ms!r}: write a multiple of the control step of {step_ms:g} ms from "
                    f"0 up, e.g. {2 * step_ms:g}"
                )
            steps = round(steps_asked)
        if not isinstance(steps, int | np.integer) or steps < 0:
            raise ValueError(f"steps is {steps!r}: write a whole number from 0 up")
        self.steps = int(steps)
        self._line: deque[Observation] = deque(maxlen=self.steps + 1)

    def sense(self, observation: Observation, first: bool) -> Observation:
        """Show what was felt some steps ago."""
        observation = _copied(observation)
        self._line.extend([observation] * (self.steps + 1 if first else 1))
        return _copied(self._line[0]) if self.active else _copied(observation)


def sensed_boxes(space: spaces.Space) -> dict[str, spaces.Box]:
    """Return the parts of an observation that are sensed, by key; "" where it is flat.

    Raises:
        ValueError: the observation is neither a vector nor a dictionary of vectors.

    """
    parts = dict(space.spaces) if isinstance(space, spaces.Dict) else {"": space}
    boxes = {}
    for key, part in parts.items():
        if not isinstance(part, spaces.Box) or len(part.shape) != 1:
            raise ValueError(f"{key or 'the observation'} is {part}: a vector is needed")
        if key not in NOT_SENSED:
            boxes[key] = part
    return boxes


def channel_spread(observations: Observation) -> Any:
    """Measure the spread of each channel, as `SensorNoise` takes it.

    Args:
        observations: (n, channels) that were felt, or a dict of such.

    Returns:
        Standard deviation of each channel, (channels,), or a dict of such.

    """
    if isinstance(observations, Mapping):
        return {key: np.std(part, axis=0) for key, part in observations.items()}
    return np.std(observations, axis=0)


def _part(observation: Observation, key: str) -> NDArray[np.floating[Any]]:
    return observation[key] if key else observation


def _replaced(observation: Observation, key: str, part: NDArray[np.floating[Any]]) -> Observation:
    return {**observation, key: part} if key else part


def _copied(observation: Observation) -> Observation:
    if isinstance(observation, Mapping):
        return {key: part.copy() for key, part in observation.items()}
    return observation.copy()
