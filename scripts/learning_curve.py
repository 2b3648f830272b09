"""One training run with evaluations on the way: the unit of work of `neonate evaluate`."""

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from stable_baselines3.common.callbacks import BaseCallback

from agent.config import BrainConfig
from envs.batched import make_many
from policies.baselines import learns, make_algorithm
from policies.evaluation import Evaluator
from scripts.tasks import Task


@dataclass(frozen=True)
class CurvePoint:
    """Scores after some training, on the evaluation episodes."""

    steps: int
    """Environment steps of training, babbling and exploration included."""
    cpu_seconds: float
    """CPU time of training so far; making the algorithm and evaluating it are not counted."""
    return_mean: float
    """Mean return over the episodes."""
    return_std: float
    """Standard deviation of the return over the episodes."""
    success_rate: float | None
    """Fraction of episodes whose last step was a success; None where the task does not tell."""


@dataclass(frozen=True)
class Run:
    """What to train, for how long, and how to evaluate it."""

    task: Task
    algo: str
    seed: int
    steps: int
    eval_every: int
    eval_episodes: int
    eval_seed: int
    settings: Mapping[str, Any] = field(default_factory=dict)
    """What the algorithm is set to, for the record."""
    brain_config: BrainConfig | None = None
    """What the brain is made with."""
    n_envs: int = 1
    """Bodies that learn together."""

    def key(self) -> dict[str, Any]:
        """Name all that makes a finished run the same as this one."""
        return {
            "env": self.task.env,
            "env_kwargs": dict(self.task.kwargs),
            "algo": self.algo,
            "seed": self.seed,
            "steps": self.steps,
            "eval": {
                "every": self.eval_every,
                "episodes": self.eval_episodes,
                "first_seed": self.eval_seed,
            },
            "settings": dict(self.settings),
            "n_envs": self.n_envs,
        }


class Measure(BaseCallback):
    """Evaluates every so many steps and at the end, and keeps the time of training apart.

    Args:
        evaluator: scores the algorithm as it is.
        every: steps between evaluations.
        steps: steps of the whole training; the evaluation there waits for the last update.
        report: called with the steps done, now and then.

    """

    def __init__(
        self, evaluator: Evaluator, every: int, steps: int, report: Callable[[int], None]
    ) -> None:
        super().__init__()
        self.evaluator, self.every, self.steps, self.report = evaluator, every, steps, report
        self.curve: list[CurvePoint] = []
        self._next = every
        self._cpu_seconds, self._resumed = 0.0, 0.0

    def measure(self) -> None:
        """Evaluate now."""
        scores = self.evaluator(self.model)
        self.curve.append(
            CurvePoint(
                steps=self.model.num_timesteps,
                cpu_seconds=round(self._cpu_seconds, 4),
                return_mean=float(scores.returns.mean()),
                return_std=float(scores.returns.std()),
                success_rate=scores.success_rate,
            )
        )

    def _on_training_start(self) -> None:
        self._resumed = time.process_time()

    def _on_step(self) -> bool:
        due = self.num_timesteps >= self._next
        if due and self.num_timesteps < self.steps:
            self._cpu_seconds += time.process_time() - self._resumed
            self.measure()
            self._next += self.every * -(-(self.num_timesteps + 1 - self._next) // self.every)
            self._resumed = time.process_time()
        if due or self.num_timesteps % 100 == 0:
            self.report(self.num_timesteps)
        return True

    def _on_training_end(self) -> None:
        self._cpu_seconds += time.process_time() - self._resumed
        self.measure()


def run_curve(run: Run, report: Callable[[int], None] = lambda steps: None) -> list[dict[str, Any]]:
    """Train once and return the curve as plain dictionaries, see `CurvePoint`.

    An algorithm that does not learn is not trained: its curve is one evaluation at 0 steps.
    """
    torch.set_num_threads(1)  # CPU seconds are to be comparable, and small networks gain nothing
    evaluator = Evaluator(run.task, run.eval_seed, run.eval_episodes)
    bodies = make_many(run.task, run.n_envs)
    agent = make_algorithm(run.algo, bodies, run.seed, run.brain_config, steps=run.steps)
    measure = Measure(evaluator, run.eval_every, run.steps, report)
    try:
        if learns(run.algo):
            agent.learn(run.steps, callback=measure)
        else:
            measure.init_callback(agent)
            measure.measure()
    finally:
        evaluator.close()
        if agent.env is not None:
            agent.env.close()
    return [asdict(point) for point in measure.curve]


def prepare_worker() -> None:
    """Keep a worker process on one core; must run before numpy and torch do any work."""
    os.environ["OMP_NUM_THREADS"] = "1"
    torch.set_num_threads(1)
