"""The battery of disturbances that `neonate robustness` goes through."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray
from stable_baselines3.common.base_class import BaseAlgorithm

from envs.disturbances import (
    AddedMass,
    DroppedFrames,
    Push,
    SensorNoise,
    SensoryDelay,
    StuckSensor,
    WeakActuator,
    channel_spread,
)
from envs.sensor_disturbances import NOT_SENSED, Channel
from scripts.tasks import Task
from scripts.watching import as_batch

CLEAN = "clean"


@dataclass(frozen=True)
class Felt:
    """What an agent feels in undisturbed episodes.

    Attributes:
        spread: standard deviation of each channel, (channels,), or a dict of these.
        moving: channels that are not constant.

    """

    spread: Any
    moving: list[Channel]


Wrap = Callable[[gym.Env, Felt, int | None], gym.Env]

BATTERY: Mapping[str, tuple[str, Wrap]] = {
    "noise_0.25": (
        "noise, σ 0.25 of each channel's spread",
        lambda env, felt, which: SensorNoise(env, 0.25, felt.spread),
    ),
    "noise_0.5": (
        "noise, σ 0.5 of each channel's spread",
        lambda env, felt, which: SensorNoise(env, 0.5, felt.spread),
    ),
    "stuck_0": (
        "one sensor stuck at 0",
        lambda env, felt, which: StuckSensor(env, _one(felt.moving, which), 0.0),
    ),
    "stuck_5": (
        "one sensor stuck at 5",
        lambda env, felt, which: StuckSensor(env, _one(felt.moving, which), 5.0),
    ),
    "dropped_0.25": (
        "a quarter of the frames lost",
        lambda env, felt, which: DroppedFrames(env, 0.25),
    ),
    "delay_1": ("senses one step late", lambda env, felt, which: SensoryDelay(env, steps=1)),
    "delay_2": ("senses two steps late", lambda env, felt, which: SensoryDelay(env, steps=2)),
    "push": (
        "pushed by half of its weight for 2 steps, 5 % a step",
        lambda env, felt, which: Push(env, strength=0.5, probability=0.05, steps=2),
    ),
    "weak": (
        "one actuator with half of its force",
        lambda env, felt, which: WeakActuator(env, 0.5, _motor(env, which)),
    ),
    "dead": (
        "one actuator dead",
        lambda env, felt, which: WeakActuator(env, 0.0, _motor(env, which)),
    ),
    "mass_0.5": (
        "trunk or hand with half of its mass",
        lambda env, felt, which: AddedMass(env, factor=0.5),
    ),
    "mass_1.5": (
        "trunk or hand with 1.5 × its mass",
        lambda env, felt, which: AddedMass(env, factor=1.5),
    ),
}
"""Title of each disturbance, and how it is made of an environment. The last argument is None to
draw a sensor or motor for each episode, or a number that chooses one for all episodes."""


def disturbed(task: Task, name: str, felt: Felt, which: int | None = None) -> Callable[[], gym.Env]:
    """Return a maker of disturbed environments."""
    return task if name == CLEAN else partial(_make, task, name, felt, which)


def _make(task: Task, name: str, felt: Felt, which: int | None) -> gym.Env:
    return BATTERY[name][1](task(), felt, which)


def feel(task: Task, agent: BaseAlgorithm, first_seed: int, episodes: int) -> Felt:
    """Measure what an agent feels as it performs undisturbed."""
    env = task()
    normaliser = agent.get_vec_normalize_env()
    seen: list[Any] = []
    try:
        for seed in range(first_seed, first_seed + episodes):
            observation, _ = env.reset(seed=seed)
            state: Any = None
            start, over = np.ones(1, bool), False
            while not over:
                seen.append(observation)
                batch: Any = as_batch(observation)
                if normaliser is not None:
                    batch = normaliser.normalize_obs(batch)
                action, state = agent.predict(batch, state, start, deterministic=True)
                observation, _, terminated, truncated, _ = env.step(action[0])
                over, start = terminated or truncated, np.zeros(1, bool)
    finally:
        env.close()
    if not isinstance(seen[0], Mapping):
        spread: NDArray[np.float64] = channel_spread(np.array(seen))
        return Felt(spread, [int(i) for i in np.flatnonzero(spread > 1e-9)])
    parts = {key: np.array([one[key] for one in seen]) for key in seen[0]}
    spreads = channel_spread(parts)
    moving: list[Channel] = [
        (key, int(i))
        for key, part in spreads.items()
        if key not in NOT_SENSED
        for i in np.flatnonzero(part > 1e-9)
    ]
    return Felt(spreads, moving)


def _one(channels: list[Channel], which: int | None) -> list[Channel]:
    return channels if which is None else [channels[which % len(channels)]]


def _motor(env: gym.Env, which: int | None) -> int | None:
    n: int = env.action_space.shape[0]  # type: ignore[index]
    return None if which is None else which % n
