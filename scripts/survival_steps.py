"""Very long lives: whether numbers stay finite, memory stays the same and skill stays."""

import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from stable_baselines3.common.vec_env import DummyVecEnv

from policies.baselines import make_algorithm
from policies.brain_agent import BrainAgent
from policies.evaluation import Evaluator
from scripts.tasks import Task

EPISODES = 10  # of each evaluation
LOOKS = 10  # along a life


def long_life(
    env: str,
    steps: int,
    seed: int,
    bodies: int,
    eval_seed: int,
    report: Callable[[dict[str, Any]], None] = lambda row: None,
) -> dict[str, Any]:
    """Let a brain live for so many steps, and look at it ten times on the way.

    Args:
        env: id.
        steps: summed over bodies.
        seed: of the brain and its environment.
        bodies: that live side by side.
        eval_seed: seed of the first evaluation episode.
        report: called with each look.

    Returns:
        What was seen: `looks`, each with steps, return on the evaluation episodes, resident memory
        in MB, size of the state and its largest number; `finite`, whether all weights were finite
        at every look; `memory_growth_mb` from the second look, when everything is in place, to the
        last; `drift`, the last return minus that of the third look.

    """
    task = Task(env)
    vec = DummyVecEnv([task] * bodies)
    agent = make_algorithm("brain", vec, seed)
    assert isinstance(agent, BrainAgent)
    evaluator = Evaluator(task, eval_seed, EPISODES)
    looks: list[dict[str, Any]] = []
    begun = time.process_time()
    try:
        for part in range(1, LOOKS + 1):
            agent.learn(part * steps // LOOKS - agent.num_timesteps, reset_num_timesteps=False)
            state = agent.brain.state()
            # Only the range of movement may be infinite: as long as no limit was felt.
            numbers = {
                name: array
                for name, array in state.items()
                if array.dtype.kind == "f" and name != "body_schema.range"
            }
            row = {
                "steps": agent.num_timesteps,
                "return_mean": float(evaluator(agent).returns.mean()),
                "resident_mb": round(resident_mb(), 1),
                "state_kb": round(sum(array.nbytes for array in state.values()) / 1024, 1),
                "largest": max(float(np.abs(a).max(initial=0.0)) for a in numbers.values()),
                "finite": all(bool(np.isfinite(a).all()) for a in numbers.values()),
                "cpu_seconds": round(time.process_time() - begun, 1),
            }
            looks.append(row)
            report(row)
    finally:
        evaluator.close()
        vec.close()
    return {
        "env": env,
        "steps": agent.num_timesteps,
        "bodies": bodies,
        "seed": seed,
        "finite": all(row["finite"] for row in looks),
        "memory_growth_mb": round(looks[-1]["resident_mb"] - looks[1]["resident_mb"], 1),
        "drift": looks[-1]["return_mean"] - looks[2]["return_mean"],
        "looks": looks,
    }


def resident_mb() -> float:
    """Memory of this process that is in use now, MB; where that cannot be read, the most so far."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return pages * resource.getpagesize() / 2**20
