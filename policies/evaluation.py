"""Evaluation on episodes that are the same for every algorithm."""

from collections.abc import Callable
from dataclasses import dataclass

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.vec_env import DummyVecEnv

from policies.checked_env import FiniteVecEnv
from policies.priors import JacobianPD

SIDE_BY_SIDE = 50  # episodes that run at once


@dataclass(frozen=True)
class EpisodeScores:
    """What each evaluation episode came to, in the order of their seeds."""

    returns: NDArray[np.float64]
    """Sum of rewards, (episodes,)."""
    lengths: NDArray[np.int64]
    """Steps, (episodes,)."""
    successes: NDArray[np.bool_] | None
    """`is_success` at the last step, (episodes,); None where the environment does not tell."""

    @property
    def success_rate(self) -> float | None:
        """Fraction of episodes that ended in success."""
        return None if self.successes is None else float(self.successes.mean())


class Evaluator:
    """Runs an algorithm, frozen and deterministic, on episodes of given seeds.

    Episode i is reset with seed `first_seed + i` whatever came before it, so every algorithm
    meets the same starts and goals at every evaluation (SB3's `evaluate_policy` seeds the first
    episode only). Only `predict` is called: weights and normalisation statistics stay as they
    are, and rewards are the environment's own.

    Args:
        make_env: makes one environment; not used for training.
        first_seed: seed of the first episode.
        episodes: number of episodes.

    """

    def __init__(self, make_env: Callable[[], gym.Env], first_seed: int, episodes: int) -> None:
        if episodes < 1:
            raise ValueError(f"{episodes} evaluation episodes: at least 1 is needed")
        self.seeds = first_seed + np.arange(episodes)
        bodies = [make_env for _ in range(min(episodes, SIDE_BY_SIDE))]
        self.env = FiniteVecEnv(DummyVecEnv(bodies))

    def __call__(self, agent: BaseAlgorithm) -> EpisodeScores:
        """Run every episode once."""
        if isinstance(agent, JacobianPD):
            agent.set_env(self.env)  # it reads the bodies that it moves
        batches = [
            self._run(agent, self.seeds[start : start + self.env.num_envs])
            for start in range(0, len(self.seeds), self.env.num_envs)
        ]
        returns, lengths, successes = (np.concatenate(part) for part in zip(*batches, strict=True))
        told = not np.isnan(successes).any()
        return EpisodeScores(returns, lengths, successes.astype(bool) if told else None)

    def close(self) -> None:
        """Close the environments."""
        self.env.close()

    def _run(
        self, agent: BaseAlgorithm, seeds: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]]:
        """Run one batch of episodes side by side; a body that is done is stepped but not scored."""
        env, n = self.env, self.env.num_envs
        normaliser = agent.get_vec_normalize_env()
        env.seed(int(seeds[0]))  # body i gets seed + i at the next reset
        observation = env.reset()
        state, start = None, np.ones(n, dtype=bool)
        running = np.arange(n) < len(seeds)
        returns, lengths = np.zeros(n), np.zeros(n, dtype=np.int64)
        successes = np.full(n, np.nan)
        while running.any():
            if normaliser is not None:
                observation = normaliser.normalize_obs(observation)  # type: ignore[arg-type]
            action, state = agent.predict(
                observation,  # type: ignore[arg-type]
                state=state,
                episode_start=start,
                deterministic=True,
            )
            observation, reward, start, infos = env.step(action)
            returns[running] += reward[running]
            lengths[running] += 1
            for i in np.flatnonzero(running & start):
                successes[i] = infos[i].get("is_success", np.nan)
            running &= ~start
        scored = slice(len(seeds))
        return returns[scored], lengths[scored], successes[scored]
