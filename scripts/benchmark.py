"""`neonate benchmark`: what the brain costs, beside the simulator and beside SB3."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm

from agent.config import BrainConfig
from envs.batched import make_many
from policies.baselines import make_algorithm
from policies.brain_agent import BrainAgent
from scripts.errors import UserError
from scripts.files import write_json
from scripts.tasks import Task
from scripts.versions import command_line, versions


@dataclass(frozen=True)
class Costs:
    """CPU time of one repeat on one environment."""

    bare_steps_per_second: float
    """Gymnasium's loop with random actions and nothing else."""
    training_steps_per_second: float
    """The brain's `learn` from birth with one body, simulator included: finding the body, too."""
    raised_steps_per_second: dict[int, float]
    """`learn` as life goes on, simulator included, by number of bodies; steps summed over them."""
    act_us: float
    """Microseconds of the brain's `predict`, one observation."""
    learn_us: float
    """Microseconds of the brain's learning from one transition."""
    sac_act_us: float
    """Microseconds of SB3 SAC's `predict`, one observation."""
    sac_update_us: float
    """Microseconds of SB3 SAC's gradient update, one per step."""

    def figures(self) -> dict[str, float]:
        """Every figure by its name in the file; `raised_8_steps_per_second` is of 8 bodies."""
        figures: dict[str, Any] = asdict(self)
        by_bodies = figures.pop("raised_steps_per_second")
        return figures | {f"raised_{n}_steps_per_second": rate for n, rate in by_bodies.items()}

    def ratios(self) -> dict[str, float]:
        """Relate the brain to the bare loop and to SAC."""
        bare = self.bare_steps_per_second
        return {
            "training_over_bare": self.training_steps_per_second / bare,
            **{f"raised_{n}_over_bare": r / bare for n, r in self.raised_steps_per_second.items()},
            "act_over_sac": self.act_us / self.sac_act_us,
            "learn_over_sac_update": self.learn_us / self.sac_update_us,
        }


@dataclass(frozen=True)
class Benchmark:
    """Measure what the brain costs in CPU time: beside the bare simulator and beside SB3's SAC.

    Everything is measured in one run on one core, repeat by repeat in turn, and the median over
    repeats is told: a busy machine slows all of it alike. Training is measured from birth with one
    body; and with each number of `bodies` as life goes on, over four times as many steps, when as
    many have been lived. The bare loop runs before each of these, and its mean over a repeat is
    what they are related to.
    """

    envs: tuple[str, ...] = (
        "Reacher-v5",
        "neonate/Reach-v0",
        "neonate/Reach3D-v0",
        "Ant-v5",
        "HalfCheetah-v5",
        "Swimmer-v5",
    )
    """Environments to measure on."""
    steps: int = 2000
    """Environment steps of each loop, summed over bodies."""
    bodies: tuple[int, ...] = (1, 8, 32)
    """Numbers of bodies that learn together, in one process (SB3's DummyVecEnv)."""
    calls: int = 300
    """Calls of each function that is timed by itself."""
    repeats: int = 5
    """Repeats, of which the median is told."""
    seed: int = 0
    """Seeds everything."""
    out: Path | None = None
    """JSON file to write; must not exist."""
    env_package: tuple[str, ...] = ()
    """Packages to import so that their environment ids are known."""
    brain: BrainConfig = field(default_factory=BrainConfig)
    """Settings of the brain."""

    def run(self) -> None:
        """Do it."""
        if self.out is not None and self.out.exists():
            raise UserError(f"--out {self.out} exists: name another file")
        for flag in ("steps", "calls", "repeats"):
            if getattr(self, flag) < 1:
                raise UserError(f"--{flag} {getattr(self, flag)}: must be at least 1")
        if min(self.bodies, default=1) < 1 or len(set(self.bodies)) < len(self.bodies):
            raise UserError(f"--bodies {self.bodies}: name numbers of at least 1, each once")
        torch.set_num_threads(1)
        tasks = [Task(env, {}, ("envs", *self.env_package)) for env in self.envs]
        console = Console()
        results: dict[str, list[Costs]] = {}
        with Progress(console=console, transient=True) as progress:
            bar = progress.add_task("measuring", total=len(tasks) * self.repeats)
            for task in tasks:
                results[task.env] = []
                for repeat in range(self.repeats):
                    results[task.env].append(self._measure(task, self.seed + repeat))
                    progress.advance(bar)
        _print(console, results, self.bodies)
        if self.out is not None:
            self.out.parent.mkdir(parents=True, exist_ok=True)
            write_json(self.out, self._document(results))
            console.print(f"wrote {self.out}", soft_wrap=True)

    def _measure(self, task: Task, seed: int) -> Costs:
        def bare_seconds() -> float:
            return _seconds(lambda: bare_loop(task, self.steps, seed))

        bare = [bare_seconds()]
        agent = make_algorithm("brain", task, seed, self.brain)
        training = self.steps / _seconds(lambda: agent.learn(self.steps))
        assert isinstance(agent, BrainAgent)
        raised = {}
        for n in self.bodies:
            bare.append(bare_seconds())
            raised[n] = self._raised(task, n, seed)
        act, learn = _brain_calls(agent, self.calls)
        sac = make_algorithm("sac", task, seed, steps=self.steps)
        assert isinstance(sac, OffPolicyAlgorithm)
        sac.learn(sac.batch_size)  # fills the buffer that the updates draw from
        seen = _observations(sac, self.calls)
        sac_act = _seconds(lambda: [sac.predict(o, deterministic=True) for o in seen])
        update = _seconds(lambda: sac.train(self.calls, sac.batch_size))
        for model in (agent, sac):
            assert model.env is not None
            model.env.close()
        per_call = 1e6 / self.calls
        return Costs(
            bare_steps_per_second=self.steps * len(bare) / sum(bare),
            training_steps_per_second=training,
            raised_steps_per_second=raised,
            act_us=act * 1e6,
            learn_us=learn * 1e6,
            sac_act_us=sac_act * per_call,
            sac_update_us=update * per_call,
        )

    def _raised(self, task: Task, n: int, seed: int) -> float:
        """Tell at how many steps per CPU second n bodies that have lived a while go on learning."""
        env = make_many(task, n)
        agent = make_algorithm("brain", env, seed, self.brain)
        # Looking for a geometry in vain takes some 100 ms, each time after twice as many steps:
        # what is timed is long enough to spread it as a life does.
        agent.learn(4 * self.steps)
        begun = agent.num_timesteps
        seconds = _seconds(lambda: agent.learn(4 * self.steps, reset_num_timesteps=False))
        env.close()
        return (agent.num_timesteps - begun) / seconds

    def _document(self, results: dict[str, list[Costs]]) -> dict[str, Any]:
        return {
            "schema": 2,
            "command": command_line(),
            "versions": versions(),
            "steps": self.steps,
            "calls": self.calls,
            "bodies": list(self.bodies),
            "envs": {
                env: {"repeats": [cost.figures() for cost in costs], "median": medians(costs)}
                for env, costs in results.items()
            },
        }


def bare_loop(task: Task, steps: int, seed: int) -> None:
    """Step one environment with random actions, as Gymnasium's documentation does."""
    env = task()
    env.action_space.seed(seed)
    env.reset(seed=seed)
    for _ in range(steps):
        _, _, terminated, truncated, _ = env.step(env.action_space.sample())
        if terminated or truncated:
            env.reset()
    env.close()


def medians(costs: list[Costs]) -> dict[str, float]:
    """Median over repeats of each cost, and of each repeat's ratios."""
    rows = [{**cost.figures(), **cost.ratios()} for cost in costs]
    return {name: float(np.median([row[name] for row in rows])) for name in rows[0]}


def _seconds(work: Callable[[], object]) -> float:
    """CPU seconds of this process that some work takes."""
    begun = time.process_time()
    work()
    return time.process_time() - begun


def _brain_calls(agent: BrainAgent, calls: int) -> tuple[float, float]:
    """Median CPU seconds of `predict`, and of learning from a transition, as life goes on."""
    env, brain = agent.env, agent.brain
    assert env is not None
    observation: Any = env.reset()
    start, memory, state = np.ones(env.num_envs, dtype=bool), brain.new_memory(env.num_envs), None
    act, learn = np.empty(calls), np.empty(calls)
    for i in range(calls):
        begun = time.perf_counter()
        _, state = agent.predict(observation, state, start, deterministic=True)
        act[i] = time.perf_counter() - begun
        action, memory = brain.act(observation, memory, start, learning=True)
        after, reward, done, infos = env.step(action)
        cut = np.array([info.get("TimeLimit.truncated", False) for info in infos])
        successor: Any = infos[0]["terminal_observation"] if done[0] else None
        successor = after if successor is None else _batch_of_one(successor)
        begun = time.perf_counter()
        brain.learn(observation, action, reward, successor, done & ~cut, done & cut, memory)
        learn[i] = time.perf_counter() - begun
        observation, start = after, done
    return float(np.median(act)), float(np.median(learn))


def _observations(agent: OffPolicyAlgorithm, count: int) -> list[Any]:
    """Collect observations of one body, as the algorithm sees them."""
    env = agent.env
    assert env is not None
    seen: list[Any] = [env.reset()]
    while len(seen) < count:
        seen.append(env.step(np.array([env.action_space.sample()]))[0])
    return seen


def _batch_of_one(observation: Any) -> Any:
    if isinstance(observation, dict):
        return {key: part[None] for key, part in observation.items()}
    return observation[None]


def _print(console: Console, results: dict[str, list[Costs]], bodies: tuple[int, ...]) -> None:
    """Show the medians: one table beside the simulator, one beside SAC; bodies as ratios."""
    counts = [f"{n} {'body' if n == 1 else 'bodies'}" for n in bodies]
    whole = _table("Steps per CPU second", "bare loop", "from birth", "ratio", *counts)
    calls = _table("µs per call", "act", "SAC", "ratio", "learn", "SAC update", "ratio")
    for env, costs in results.items():
        m = medians(costs)
        names = ["bare_steps_per_second", "training_steps_per_second", "training_over_bare"]
        names += [f"raised_{n}_over_bare" for n in bodies]
        whole.add_row(env, *(f"{m[k]:.3g}" if "over" in k else f"{m[k]:,.0f}" for k in names))
        calls.add_row(
            env,
            f"{m['act_us']:,.0f}",
            f"{m['sac_act_us']:,.0f}",
            f"{m['act_over_sac']:.3g}",
            f"{m['learn_us']:,.0f}",
            f"{m['sac_update_us']:,.0f}",
            f"{m['learn_over_sac_update']:.3g}",
        )
    console.print(whole)
    console.print(calls)


def _table(title: str, *heads: str) -> Table:
    table = Table(title=title, caption="medians over repeats", header_style="bold")
    table.add_column("environment", no_wrap=True)
    for head in heads:
        table.add_column(head, justify="right")
    return table
