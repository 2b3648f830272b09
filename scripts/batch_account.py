"""`python -m scripts.batch_account`: what many crawlers at once cost, and what of it is physics.

Everything is measured in CPU seconds of one thread, so that other work on the machine matters
little, and is stated as control steps of single bodies per CPU second. The physics of a batch is
timed while it is stepped: what the same bodies would cost bare, in the same postures.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
from stable_baselines3.common.vec_env import DummyVecEnv, VecEnv

import envs  # noqa: F401  registers the tasks
from envs.batched import BatchedVecEnv, make_many
from policies.baselines import make_algorithm
from scripts.files import write_json
from scripts.versions import versions

ENV = "neonate/CrawlTo-v0"


class TimedBatch:
    """A batch of simulations that tells how many CPU seconds its steps have taken."""

    def __init__(self, batch: Any):
        self._batch, self.seconds = batch, 0.0

    def step(self, **settings: Any) -> None:
        """Step it."""
        begun = time.process_time()
        self._batch.step(**settings)
        self.seconds += time.process_time() - begun


def task() -> gym.Env:
    """Make one crawler."""
    return gym.make(ENV)


def measure(bodies: int, steps: int, born: int) -> dict[str, Any]:
    """Measure environments one by one and as a batch, and training on them.

    Args:
        bodies: that live at once.
        steps: control steps of each.
        born: steps of life, summed over bodies, before training is timed.

    """
    found: dict[str, Any] = {"bodies": bodies, "steps": steps}
    one_by_one, many = DummyVecEnv([task] * bodies), make_many(task, bodies)
    for name, vec_env in (("environments", one_by_one), ("batched_environments", many)):
        rng = np.random.default_rng(0)
        vec_env.seed(0)
        vec_env.reset()

        def live(vec_env: VecEnv = vec_env, rng: np.random.Generator = rng) -> None:
            shape = bodies, *vec_env.action_space.shape  # type: ignore[misc]
            for _ in range(steps):
                vec_env.step(rng.uniform(-1, 1, shape).astype(np.float32))

        found |= _account(name, vec_env, live, steps * bodies)
        vec_env.close()
    for name, n in (("training", bodies), ("training_of_one", 1)):
        vec_env = make_many(task, n)
        agent = make_algorithm("brain", vec_env, 0)
        agent.learn(born)
        life = steps * n if n > 1 else steps * 8

        def train(agent: Any = agent, life: int = life) -> None:
            agent.learn(life, reset_num_timesteps=False)

        found |= _account(name, vec_env, train, life)
        vec_env.close()
    found["training_over_one"] = round(found["training"] / found["training_of_one"], 2)
    return found


def _account(name: str, vec_env: VecEnv, work: Callable[[], Any], steps: int) -> dict[str, float]:
    """Control steps per CPU second, and the share of the time that a batch's physics took."""
    timed = None
    if isinstance(vec_env, BatchedVecEnv):
        timed = vec_env.batch = TimedBatch(vec_env.batch)
    begun = time.process_time()
    work()
    seconds = time.process_time() - begun
    found = {name: round(steps / seconds, 1)}
    if timed is not None:
        found[f"{name}_physics_share"] = round(timed.seconds / seconds, 3)
    return found


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bodies", type=int, default=64)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--born", type=int, default=20_000)
    parser.add_argument("--out", type=Path, default=Path("results/batch.json"))
    asked = parser.parse_args()
    found = measure(asked.bodies, asked.steps, asked.born)
    write_json(asked.out, {"env": ENV, "versions": versions(), **found})
    print(found)


if __name__ == "__main__":
    main()
