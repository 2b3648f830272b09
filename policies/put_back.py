"""Putting bodies back to a start when they ask for it, whatever wraps their vector environment."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from stable_baselines3.common.vec_env import VecEnv, VecEnvWrapper, unwrap_vec_wrapper
from stable_baselines3.common.vec_env.base_vec_env import VecEnvObs, VecEnvStepReturn


class PutBack(VecEnvWrapper):
    """Ends the episodes of bodies that ask for it with the step under way, as a time limit does.

    It stands right above the environments, so that whatever normalises, stacks or counts sees an
    episode that was truncated.

    Attributes:
        count: bodies put back so far.

    """

    def __init__(self, venv: VecEnv) -> None:
        super().__init__(venv)
        self._asked = np.zeros(venv.num_envs, np.bool_)
        self.count = 0

    def ask(self, asked: NDArray[np.bool_]) -> None:
        """Put bodies (n,) back to a start after the next step, unless their episode is over."""
        self._asked = asked

    def reset(self) -> VecEnvObs:
        """Begin new episodes."""
        return self.venv.reset()

    def step_wait(self) -> VecEnvStepReturn:
        """Return what followed the action, and the first observation of who was put back.

        Raises:
            RuntimeError: the environment refuses to begin anew before its episode is over.

        """
        observation, reward, done, infos = self.venv.step_wait()
        bodies = np.flatnonzero(self._asked & ~done)
        self._asked = np.zeros(self.num_envs, np.bool_)
        if not len(bodies):
            return observation, reward, done, infos
        last, done, told = observation, done.copy(), list(self.venv.reset_infos)
        observation = _copied(last)
        for body in bodies.tolist():
            try:
                ((first, info),) = self.venv.env_method("reset", indices=[body])
            except RuntimeError as error:
                error.add_note(
                    "The brain asks to be put back to a start after each bout. Where an environment"
                    " does not allow that, give it BrainAgent(..., brain={'search': {'put_back': "
                    "False}}): it then learns within the episodes as they are, more slowly."
                )
                raise
            infos[body]["terminal_observation"] = _row(last, body)
            infos[body]["TimeLimit.truncated"] = True
            told[body] = info
            _put(observation, body, first)
            done[body] = True
        self.venv.reset_infos = told
        self.count += len(bodies)
        return observation, reward, done, infos


def with_put_back(env: VecEnv) -> VecEnv:
    """Let the bodies of a vector environment be put back, if they cannot be yet.

    Args:
        env: vector environment. What wraps it stays outside: then `PutBack` is put in between,
            where the environments themselves are wrapped first.

    Returns:
        A vector environment of the same bodies.

    """
    if unwrap_vec_wrapper(env, PutBack) is not None:
        return env
    if not isinstance(env, VecEnvWrapper):
        return PutBack(env)
    inner = env
    while isinstance(inner.venv, VecEnvWrapper):
        inner = inner.venv
    inner.venv = PutBack(inner.venv)
    return env


def _copied(observation: VecEnvObs) -> Any:
    if isinstance(observation, dict):
        return {key: part.copy() for key, part in observation.items()}
    return np.array(observation)


def _row(observation: Any, body: int) -> Any:
    if isinstance(observation, dict):
        return {key: part[body].copy() for key, part in observation.items()}
    return observation[body].copy()


def _put(observation: Any, body: int, first: Any) -> None:
    if isinstance(observation, dict):
        for key, part in observation.items():
            part[body] = first[key]
    else:
        observation[body] = first
