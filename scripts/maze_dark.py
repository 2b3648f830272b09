"""Finding remembered places in the dark, by self-motion and bumps alone."""

from collections.abc import Iterator
from typing import Any

import gymnasium as gym
import numpy as np

from agent.config import BrainConfig
from envs.maze_senses import HiddenGoal, PlaceSense
from policies import BrainAgent
from scripts.maze_walks import ARRIVED

SECONDS = 60.0  # in the dark, before it counts
PLACES = 10  # that are gone to then
LEAVE = 8.0  # (Seconds) for each
BELIEVED = 0.15  # (Metres) from the place within which the brain takes itself to be there
NOISES = ((0.1, 0.0), (0.1, 1.0))
"""Noise of the felt velocity over its size, and how long it lasts, s."""


def dark_rows(
    name: str, config: BrainConfig, seed: int, steps: int, eval_seed: int
) -> Iterator[dict[str, Any]]:
    """Learn a map in the light; then roam in the dark for a minute, and go to places by name.

    The places are those of place cells. It counts where the body is when the brain takes itself to
    be there, or its time is up.
    """
    agent = BrainAgent("BrainPolicy", gym.make(name), seed=seed, brain=config).learn(steps)
    for noise, lasting in NOISES:
        env = HiddenGoal(
            PlaceSense(
                gym.make(name, max_episode_steps=10**6), "start", noise=noise, lasting=lasting
            ),
            np.inf,
        )
        yield {"noise": noise, "lasting": lasting} | _roam(agent, env, [eval_seed, seed])
        env.close()


def _roam(agent: BrainAgent, env: HiddenGoal, seeds: list[int]) -> dict[str, Any]:
    rng, world = np.random.default_rng(seeds), env.unwrapped
    step = float(world.point_env.dt)  # type: ignore[attr-defined]
    known = agent.brain.hippocampus.map.place
    seen, _ = env.reset(seed=seeds[0] + seeds[1])
    walker, begins = agent.brain.new_memory(1), np.ones(1, bool)
    unaided, hits = seen["achieved_goal"].copy(), list[bool]()
    time, left, goal, drift, alone = 0.0, 0.0, seen["desired_goal"], np.nan, np.nan
    while len(hits) < PLACES:
        batch = {key: part[None] for key, part in (seen | {"desired_goal": goal}).items()}
        action, walker = agent.brain.act(batch, walker, begins)
        begins = np.zeros(1, bool)
        seen, *_ = env.step(action[0])
        time, left = time + step, left - step
        truth, believed = world.data.qpos[:2], walker["place"][0]  # type: ignore[attr-defined]
        unaided = unaided + step * seen["observation"][2:4]
        if np.linalg.norm(believed - goal) >= BELIEVED and left > 0.0:
            continue
        if time > SECONDS:
            if np.isnan(drift):
                drift = float(np.linalg.norm(believed - truth))
                alone = float(np.linalg.norm(unaided - truth))
            else:
                hits.append(bool(np.linalg.norm(truth - goal) <= ARRIVED))
        goal, left = known[int(rng.integers(len(known)))], LEAVE
    return {
        "success": round(float(np.mean(hits)), 3),
        "drift": round(drift, 3),
        "unaided": round(alone, 3),
    }
