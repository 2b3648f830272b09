"""`python -m scripts.batch_account`: what many crawlers at once cost, and what of it is physics.

Everything is measured in CPU seconds of one thread, so that other work on the machine matters
little, and is stated as control steps of single bodies per CPU second.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium as gym
import mujoco
import numpy as np
from stable_baselines3.common.vec_env import DummyVecEnv, VecEnv

import envs  # noqa: F401  registers the tasks
from envs.batched import make_many
from policies.baselines import make_algorithm
from scripts.files import write_json
from scripts.versions import versions

ENV = "neonate/CrawlTo-v0"


def task() -> gym.Env:
    """Make one crawler."""
    return gym.make(ENV)


def measure(bodies: int, steps: int, born: int) -> dict[str, Any]:
    """Measure bare batches, bare single simulations, environments and training.

    Args:
        bodies: that live at once.
        steps: control steps of each.
        born: steps of life, summed over bodies, before training is timed.

    """
    env = gym.make(ENV).unwrapped
    env.reset(seed=0)
    rng = np.random.default_rng(0)
    model, data, substeps = env.model, env.data, env.frame_skip  # type: ignore[attr-defined]
    low, high = model.actuator_ctrlrange.T

    def loop() -> None:
        for _ in range(steps * bodies):
            data.ctrl[:] = rng.uniform(low, high)
            mujoco.mj_step(model, data, nstep=substeps)

    found: dict[str, Any] = {"bodies": bodies, "steps": steps}
    found["bare_loop"] = _rate(loop, steps * bodies)
    try:
        from mujoco.batch import Batch
    except ImportError:
        found["bare_batch"] = None
    else:
        batch = Batch(model, nsim=bodies, nthread=1)
        ctrl, place = batch.bind("ctrl"), batch.bind("qpos")
        place[:] = data.qpos

        def batched() -> None:
            for _ in range(steps):
                ctrl[:] = rng.uniform(low, high, (bodies, len(low)))
                batch.step(nstep=substeps)

        found["bare_batch"] = _rate(batched, steps * bodies)
    one_by_one, many = DummyVecEnv([lambda: gym.make(ENV)] * bodies), make_many(task, bodies)
    for name, vec_env in (("environments", one_by_one), ("batched_environments", many)):
        vec_env.reset()

        def environments(vec_env: VecEnv = vec_env) -> None:
            for _ in range(steps):
                vec_env.step(rng.uniform(-1, 1, (bodies, len(low))).astype(np.float32))

        found[name] = _rate(environments, steps * bodies)
        vec_env.close()
    for name, n in (("training", bodies), ("training_of_one", 1)):
        bodies_env = make_many(task, n)
        agent = make_algorithm("brain", bodies_env, 0)
        agent.learn(born)
        life = steps * n if n > 1 else steps * 8
        found[name] = _rate(
            lambda agent=agent, life=life: agent.learn(life, reset_num_timesteps=False),  # type: ignore[misc]
            life,
        )
        bodies_env.close()
    env.close()
    return found


def _rate(work: Callable[[], Any], steps: int) -> float:
    """Control steps per CPU second."""
    begun = time.process_time()
    work()
    return round(steps / (time.process_time() - begun), 1)


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bodies", type=int, default=64)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--born", type=int, default=6000)
    parser.add_argument("--out", type=Path, default=Path("results/batch.json"))
    asked = parser.parse_args()
    found = measure(asked.bodies, asked.steps, asked.born)
    write_json(asked.out, {"env": ENV, "versions": versions(), **found})
    print(found)


if __name__ == "__main__":
    main()
