"""Crawling on with a weakened leg: what it costs, and what living on with it brings back."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import gymnasium as gym
from stable_baselines3.common.vec_env import DummyVecEnv

from agent.config import BrainConfig
from envs.disturbances import WeakActuator
from policies.brain_agent import BrainAgent
from policies.evaluation import Evaluator
from scripts.adaptation_measures import Row, row_of
from scripts.adaptation_runs import Run
from scripts.errors import UserError
from scripts.tasks import Task


@dataclass(frozen=True)
class WeakLeg:
    """What is done to a crawling body, and for how long.

    Attributes:
        env: id of a MuJoCo body that crawls.
        motors: of the leg.
        strength: that is left to it, over the usual one.
        life: steps before.
        lived: steps with it after which the score is measured, in order.
        episodes: of a measurement.
        first_episode: seed of the first of these.

    """

    env: str = "Ant-v5"
    motors: tuple[int, ...] = (0, 1)
    strength: float = 0.5
    life: int = 50_000
    lived: tuple[int, ...] = (5_000, 10_000, 20_000)
    episodes: int = 5
    first_episode: int = 20_000

    def check(self) -> None:
        """Make both bodies once.

        Raises:
            UserError: they cannot be made.

        """
        self.weakened().close()

    def weakened(self) -> gym.Env:
        """Make the body with the weak leg."""
        env = Task(self.env)()
        try:
            for motor in self.motors:
                env = WeakActuator(env, self.strength, motor)
        except ValueError as error:
            raise UserError(f"--leg {' '.join(map(str, self.motors))}: {error}") from error
        return env


def weak_leg_runs(asked: WeakLeg, brain: BrainConfig, seed: int) -> Iterator[Run]:
    """Measure one brain before, with and after living on with a weak leg, and a newborn one.

    The newborn is the control: what so many steps with the weak leg bring from nothing.
    """
    healthy = Task(asked.env)
    began = time.process_time()
    agent = _newborn(healthy, brain, seed)
    agent.learn(asked.life)
    before = score(asked, healthy, agent)
    points = [(0, score(asked, asked.weakened, agent))]
    bodies = DummyVecEnv([asked.weakened])
    agent.set_env(bodies)
    points += _live(asked, agent)
    yield _run(asked, brain, seed, "lives on", before, points, time.process_time() - began)
    began = time.process_time()
    points = _live(asked, _newborn(asked.weakened, brain, seed))
    yield _run(asked, brain, seed, "is newborn", before, points, time.process_time() - began)


def score(asked: WeakLeg, make: Callable[[], gym.Env], agent: BrainAgent) -> float:
    """Mean return of a brain that does not learn."""
    evaluator = Evaluator(make, asked.first_episode, asked.episodes)
    try:
        return float(evaluator(agent).returns.mean())
    finally:
        evaluator.close()


def summarise_legs(runs: Sequence[Run]) -> list[Row]:
    """Rows of group (who), experiment (crawl) and measures: returns, and shares of before."""
    rows: list[Row] = []
    for label, own in _groups(runs).items():
        told = {"return before": [run["before"] for run in own]}
        for i, steps in enumerate(own[0]["steps"]):
            name = f"return after {steps:,} steps with the weak leg"
            told[name] = [run["returns"][i] for run in own]
            shares = [100 * run["returns"][i] / run["before"] for run in own]
            told[f"share of before after {steps:,} steps, %"] = shares
        rows += [row_of(label, "crawl", name, values) for name, values in told.items()]
    return rows


def _groups(runs: Sequence[Run]) -> dict[str, list[Run]]:
    groups: dict[str, list[Run]] = {}
    for run in runs:
        lesions = "".join(f", without {lesion}" for lesion in run["lesions"])
        groups.setdefault(f"brain that {run['life']}{lesions}", []).append(run)
    return groups


def _newborn(make: Callable[[], gym.Env], brain: BrainConfig, seed: int) -> BrainAgent:
    return BrainAgent("BrainPolicy", DummyVecEnv([make]), seed=seed, brain=brain)


def _live(asked: WeakLeg, agent: BrainAgent) -> list[tuple[int, float]]:
    points, done = [], 0
    for steps in asked.lived:
        agent.learn(steps - done, reset_num_timesteps=False)
        points.append((steps, score(asked, asked.weakened, agent)))
        done = steps
    env = agent.get_env()
    assert env is not None
    env.close()
    return points


def _run(
    asked: WeakLeg,
    brain: BrainConfig,
    seed: int,
    life: str,
    before: float,
    points: Sequence[tuple[int, float]],
    seconds: float,
) -> Run:
    return {
        "algo": "brain",
        "seed": seed,
        "experiment": "crawl",
        "life": life,
        "env": asked.env,
        "motors": list(asked.motors),
        "strength": asked.strength,
        "lesions": list(brain.lesions),
        "cpu_seconds": round(seconds, 2),
        "before": round(before, 1),
        "steps": [steps for steps, _ in points],
        "returns": [round(value, 1) for _, value in points],
    }
