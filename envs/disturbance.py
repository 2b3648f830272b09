"""What all disturbances share; the disturbances themselves are listed in `envs.disturbances`."""

import zlib
from typing import Any

import gymnasium as gym
import numpy as np

Observation = Any  # an array, or a dict of arrays


class Disturbance(gym.Wrapper, gym.utils.RecordConstructorArgs):
    """What all disturbances share: a generator of their own, and a switch.

    Args:
        env: the environment.
        **told: the arguments of the wrapper, kept for `env.spec`.

    """

    def __init__(self, env: gym.Env, **told: Any) -> None:
        gym.utils.RecordConstructorArgs.__init__(self, **told)
        gym.Wrapper.__init__(self, env)
        self.rng = np.random.default_rng()
        self._active = True

    @property
    def active(self) -> bool:
        """Whether the disturbance is on now."""
        return self._active

    @active.setter
    def active(self, active: bool) -> None:
        self._active = bool(active)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Begin an episode; a seed makes everything that is drawn from now on repeatable."""
        if seed is not None:
            # Another stream for each kind, so that two wrappers do not draw alike.
            self.rng = np.random.default_rng([seed, zlib.crc32(type(self).__name__.encode())])
        observation, info = self.env.reset(seed=seed, options=options)
        self.begin()
        return self.sense(observation, first=True), info

    def step(self, action: Any) -> tuple[Observation, Any, bool, bool, dict[str, Any]]:
        """Take a step of the environment."""
        self.before_step()
        observation, reward, terminated, truncated, info = self.env.step(action)
        return self.sense(observation, first=False), reward, terminated, truncated, info

    def begin(self) -> None:
        """Draw what holds for an episode."""

    def before_step(self) -> None:
        """Act on the body before a step."""

    def sense(self, observation: Observation, first: bool) -> Observation:
        """Return what is felt instead of an observation; `first` begins an episode."""
        return observation


def mujoco_of(env: gym.Env) -> Any:
    """Return the MuJoCo environment inside.

    Raises:
        ValueError: there is none.

    """
    inner = env.unwrapped
    if not all(hasattr(inner, name) for name in ("model", "data", "dt")):
        raise ValueError(f"{env} is no MuJoCo environment of Gymnasium: it has no model and data")
    return inner


def at_least_0(name: str, value: float) -> float:
    """Return a number from 0 up.

    Raises:
        ValueError: it is none.

    """
    if not (np.isfinite(value) and value >= 0.0):
        raise ValueError(f"{name} is {value!r}: write a finite number from 0 up")
    return float(value)


def check_probability(value: float) -> float:
    """Return a probability.

    Raises:
        ValueError: it is none.

    """
    if not 0.0 <= value <= 1.0:
        raise ValueError(f"probability is {value!r}: write a number from 0 to 1")
    return float(value)
