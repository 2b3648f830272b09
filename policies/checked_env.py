"""Checks that stand between an environment and the algorithms that would learn nonsense from it."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from gymnasium import spaces
from stable_baselines3.common.vec_env import VecEnv, VecEnvWrapper
from stable_baselines3.common.vec_env.base_vec_env import VecEnvObs, VecEnvStepReturn

from agent.errors import SensoryError, UnsupportedSpaceError


class FiniteVecEnv(VecEnvWrapper):
    """Passes everything on, and raises `agent.SensoryError` at a NaN or infinite number."""

    def __init__(self, venv: VecEnv) -> None:
        super().__init__(venv)

    def reset(self) -> VecEnvObs:
        """Begin new episodes."""
        observation = self.venv.reset()
        _check_observation(observation)
        return observation

    def step_wait(self) -> VecEnvStepReturn:
        """Return what followed the action."""
        observation, reward, done, infos = self.venv.step_wait()
        _check_observation(observation)
        _check("reward", reward)
        for i in np.flatnonzero(done):
            _check_observation(infos[i].get("terminal_observation", {}))
        return observation, reward, done, infos


def check_spaces(observation_space: spaces.Space, action_space: spaces.Space) -> None:
    """Make sure that observations are vectors of numbers and actions bounded vectors.

    Raises:
        UnsupportedSpaceError: they are something else; the message says which wrapper helps.

    """
    if not isinstance(action_space, spaces.Box) or len(action_space.shape) != 1:
        raise UnsupportedSpaceError(
            f"actions are {action_space}: a one-dimensional Box is needed. These algorithms move "
            "joints; choose an environment with continuous actions"
        )
    if not action_space.is_bounded():
        raise UnsupportedSpaceError(
            f"actions are {action_space}: bounds must be finite. Wrap the environment in "
            "gymnasium.wrappers.RescaleAction after giving it finite bounds"
        )
    parts = {"observation": observation_space}
    if isinstance(observation_space, spaces.Dict):
        parts = dict(observation_space.spaces)
    for name, part in parts.items():
        if not isinstance(part, spaces.Box) or len(part.shape) != 1:
            raise UnsupportedSpaceError(
                f"{name} is {part}: a one-dimensional Box is needed. Flatten it with "
                "gymnasium.wrappers.FlattenObservation; pictures are not supported"
            )


def _check_observation(observation: Any) -> None:
    parts = observation if isinstance(observation, Mapping) else {"observation": observation}
    for name, values in parts.items():
        _check(name, values)


def _check(name: str, values: Any) -> None:
    bad = ~np.isfinite(values)
    if bad.any():
        where = [int(i) for i in np.argwhere(bad)[0]]
        raise SensoryError(
            f"the environment gave {name}{where} = {np.asarray(values)[bad][0]}, not a finite "
            "number: correct the environment; nothing was learnt from this step"
        )
