"""`neonate robustness`: what is left of an agent's score when senses, body or world misbehave."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.vec_env import DummyVecEnv

from agent.config import BrainConfig, config_to_dict
from envs.disturbance import mujoco_of
from policies.baselines import algorithm_settings, as_vec_env, check_name, learns, make_algorithm
from policies.evaluation import Evaluator
from scripts.battery import BATTERY, CLEAN, Felt, disturbed, feel
from scripts.errors import UserError
from scripts.evaluate import per_algorithm
from scripts.files import claim_folder, read_json, write_json, write_rows
from scripts.intervals import interval_of
from scripts.robustness_picture import plot_robustness
from scripts.run_folder import RunFolder, RunInfo
from scripts.tasks import Task, parse_kwargs
from scripts.versions import command_line, versions

SCHEMA = 1
FEEL_EPISODES = 2  # undisturbed, from which the spread of each channel is measured
Row = dict[str, Any]


@dataclass(frozen=True)
class Robustness:
    """Disturb agents that were trained undisturbed, and tell what share of their score is left.

    Trains what is not in the folder of agents yet, and measures each agent, frozen, on the same
    episodes clean and under each disturbance. With --learn-on it also lives for so many steps
    with each disturbance, learning, before it is measured again; then the same sensor or motor
    fails in every episode. Writes DIR/robustness.json, robustness.csv and robustness.png, and
    prints a table. After an interruption, the same command with --resume does the rest.
    """

    env: str
    """Environment id of a MuJoCo body, of any installed package."""
    out: Path
    """Folder to write to; must be new or empty, or be resumed."""
    algos: tuple[str, ...] = ("brain", "ppo", "oscillator")
    """Algorithms to disturb: brain, ppo, sac, td3, tqc, oscillator, pd, random."""
    steps: tuple[str, ...] = ("50000",)
    """Training steps: one number for all, or brain=50000 sac=100000 where budgets differ."""
    seeds: tuple[str, ...] = ("1",)
    """Number of training seeds: one number for all, or brain=3 ppo=1."""
    first_seed: int = 0
    """First training seed."""
    agents: Path | None = None
    """Folder of trained agents, ALGO-SEED each as `neonate train` writes; DIR/agents if not given.
    Those missing are trained."""
    disturbances: tuple[str, ...] = ("all",)
    """Disturbances, or all."""
    learn_on: int = 0
    """Steps that agents live and learn with each disturbance before they are measured again."""
    eval_episodes: int = 10
    """Episodes of each measurement."""
    eval_seed: int = 20_000
    """Seed of the first episode; the others count up from it."""
    env_package: tuple[str, ...] = ()
    """Packages to import so that their environment ids are known, e.g. gymnasium_robotics."""
    env_kwargs: tuple[str, ...] = ()
    """Keyword arguments of the environment, as key=value."""
    resume: bool = False
    """Keep the finished measurements of DIR and do the rest."""
    brain: BrainConfig = field(default_factory=BrainConfig)
    """Settings of the brain."""

    def run(self) -> None:
        """Do it."""
        names, steps, seeds = self._check()
        torch.set_num_threads(1)
        task = Task(self.env, parse_kwargs(self.env_kwargs), ("envs", *self.env_package))
        _check_body(task)
        claim_folder(self.out, self.resume)
        path = self.out / "robustness.json"
        document = self._document(task, names, steps)
        if path.exists():
            document["runs"] = _runs_of(path, document)
        console = Console()
        for algo in self.algos:
            for seed in range(self.first_seed, self.first_seed + seeds[algo]):
                todo = self._todo(document["runs"], algo, seed, names)
                if not todo:
                    continue
                folder = self._trained(task, algo, seed, steps[algo], console)
                for row in self._measure(task, folder, algo, seed, todo):
                    document["runs"].append(row)
                    write_json(path, document)
                    learnt = f" after {row['learn_on']:,} steps with it" if row["learn_on"] else ""
                    text = f"{algo} {seed}, {row['disturbance']}{learnt}: {row['return_mean']:.2f}"
                    console.print(text, highlight=False)
        document["table"] = table_of(document["runs"], self.algos, names)
        write_json(path, document)
        write_rows(self.out / "robustness.csv", document["table"])
        plot_robustness(self.out / "robustness.png", document)
        _print(console, document)
        for name in ("robustness.json", "robustness.csv", "robustness.png"):
            console.print(f"wrote {self.out / name}", soft_wrap=True)

    def _check(self) -> tuple[tuple[str, ...], dict[str, int], dict[str, int]]:
        for name in self.algos:
            check_name(name)
        names = tuple(BATTERY) if self.disturbances == ("all",) else self.disturbances
        for name in names:
            if name not in BATTERY:
                raise UserError(f"--disturbances {name}: write all, or some of {' '.join(BATTERY)}")
        if self.eval_episodes < 1 or self.learn_on < 0:
            raise UserError("--eval-episodes must be at least 1, and --learn-on at least 0")
        steps = per_algorithm("--steps", self.steps, self.algos)
        seeds = per_algorithm("--seeds", self.seeds, self.algos)
        last = self.first_seed + max(seeds.values())
        if self.first_seed < self.eval_seed + self.eval_episodes and self.eval_seed < last:
            raise UserError("training and evaluation seeds overlap: change --first-seed")
        return names, steps, seeds

    def _document(
        self, task: Task, names: Sequence[str], steps: Mapping[str, int]
    ) -> dict[str, Any]:
        return {
            "schema": SCHEMA,
            "env": task.env,
            "env_kwargs": dict(task.kwargs),
            "eval": {"first_seed": self.eval_seed, "episodes": self.eval_episodes},
            "steps": dict(steps),
            "disturbances": {name: BATTERY[name][0] for name in names},
            "versions": versions(),
            "command": command_line(),
            "runs": [],
            "table": [],
        }

    def _todo(
        self, runs: Sequence[Row], algo: str, seed: int, names: Sequence[str]
    ) -> list[tuple[str, int]]:
        """List disturbances and steps of learning on that are not measured yet."""
        done = {
            (r["disturbance"], r["learn_on"])
            for r in runs
            if (r["algo"], r["seed"]) == (algo, seed)
        }
        wanted = [(name, 0) for name in (CLEAN, *names)]
        if self.learn_on and learns(algo):
            wanted += [(name, self.learn_on) for name in names]
        return [one for one in wanted if one not in done]

    def _trained(self, task: Task, algo: str, seed: int, steps: int, console: Console) -> RunFolder:
        """Return the folder of a trained agent, which is trained now where there is none."""
        folder = RunFolder((self.agents or self.out / "agents") / f"{algo}-{seed}")
        if folder.info_file.is_file():
            info = folder.read()
            if info.task() != task or info.algo != algo or info.seed != seed:
                raise UserError(f"{folder.path} holds another run: name another --agents folder")
            if learns(algo) and info.steps_done < steps:
                raise UserError(
                    f"{folder.path} has {info.steps_done} of {steps} steps: go on with neonate "
                    f"train --resume --out {folder.path} --steps {steps}, or ask for fewer"
                )
            return folder
        console.print(f"training {algo}, seed {seed}, for {steps:,} steps", highlight=False)
        env = as_vec_env(task)
        agent = make_algorithm(algo, env, seed, self.brain, steps=steps)
        if learns(algo):
            agent.learn(steps)
        settings: Mapping[str, Any] = config_to_dict(self.brain)
        if algo != "brain":
            settings = algorithm_settings(algo, task(), steps)
        folder.path.mkdir(parents=True, exist_ok=True)
        info = RunInfo(
            env=task.env,
            algo=algo,
            seed=seed,
            steps_asked=steps,
            steps_done=agent.num_timesteps,
            env_kwargs=task.kwargs,
            env_packages=tuple(task.packages),
            settings=settings,
            versions=versions(),
            commands=(command_line(),),
        )
        folder.save(agent, info)
        env.close()
        return folder

    def _measure(
        self,
        task: Task,
        folder: RunFolder,
        algo: str,
        seed: int,
        todo: Sequence[tuple[str, int]],
    ) -> "Measurements":
        agent = folder.load(folder.read(), DummyVecEnv([task]))
        # Just before the episodes that are measured: of seeds that nothing else uses.
        felt = feel(task, agent, self.eval_seed - FEEL_EPISODES, FEEL_EPISODES)
        return Measurements(self, task, folder, algo, seed, todo, felt)


class Measurements:
    """The measurements of one agent, one after the other."""

    def __init__(
        self,
        asked: Robustness,
        task: Task,
        folder: RunFolder,
        algo: str,
        seed: int,
        todo: Sequence[tuple[str, int]],
        felt: Felt,
    ) -> None:
        self.asked, self.task, self.folder, self.felt = asked, task, folder, felt
        self.algo, self.seed, self.todo = algo, seed, todo

    def __iter__(self) -> Any:
        """Yield a row for each."""
        for name, learn_on in self.todo:
            which = self.seed if learn_on else None
            make = disturbed(self.task, name, self.felt, which)
            bodies = DummyVecEnv([make])
            try:
                agent = self.folder.load(self.folder.read(), bodies)
                if learn_on:
                    agent.learn(learn_on, reset_num_timesteps=False)
                yield self._row(agent, make, name, learn_on)
            finally:
                bodies.close()

    def _row(self, agent: BaseAlgorithm, make: Any, name: str, learn_on: int) -> Row:
        evaluator = Evaluator(make, self.asked.eval_seed, self.asked.eval_episodes)
        try:
            scores = evaluator(agent)
        finally:
            evaluator.close()
        return {
            "algo": self.algo,
            "seed": self.seed,
            "disturbance": name,
            "learn_on": learn_on,
            "return_mean": float(scores.returns.mean()),
            "returns": [round(float(value), 4) for value in scores.returns],
            "success_rate": scores.success_rate,
        }


def _check_body(task: Task) -> None:
    """Refuse an environment whose body cannot be disturbed."""
    env = task()
    try:
        mujoco_of(env)
    except ValueError as error:
        raise UserError(f"--env {task.env}: {error}") from error
    finally:
        env.close()


def table_of(runs: Sequence[Row], algos: Sequence[str], names: Sequence[str]) -> list[Row]:
    """One row for each algorithm, disturbance and amount of learning on.

    `retained` is the mean over seeds of an agent's score over its own clean score, with its 95 %
    interval over seeds (Student's t); it is absent where a clean score is not positive, where a
    share says nothing. `success` is there where the task tells it.
    """
    rows = []
    for algo in algos:
        own = [run for run in runs if run["algo"] == algo]
        clean = {run["seed"]: run for run in own if run["disturbance"] == CLEAN}
        for name in (CLEAN, *names):
            for learn_on in sorted({r["learn_on"] for r in own if r["disturbance"] == name}):
                group = [
                    run
                    for run in own
                    if run["disturbance"] == name
                    and run["learn_on"] == learn_on
                    and run["seed"] in clean
                ]
                if group:
                    rows.append(_row_of(algo, name, learn_on, group, clean))
    return rows


def _row_of(
    algo: str, name: str, learn_on: int, group: Sequence[Row], clean: Mapping[int, Row]
) -> Row:
    score = interval_of([run["return_mean"] for run in group])
    row: Row = {
        "algo": algo,
        "disturbance": name,
        "learn_on": learn_on,
        "seeds": len(group),
        "return": score.mean,
        "return_low": score.low,
        "return_high": score.high,
        "worst_episode": min(min(run["returns"]) for run in group),
    }
    before = [clean[run["seed"]]["return_mean"] for run in group]
    if min(before) > 0.0:
        shares = [run["return_mean"] / b for run, b in zip(group, before, strict=True)]
        kept = interval_of(shares)
        row |= {
            "retained": kept.mean,
            "retained_low": kept.low,
            "retained_high": kept.high,
        }
    if all(run["success_rate"] is not None for run in group):
        row["success"] = float(np.mean([run["success_rate"] for run in group]))
    return row


def _runs_of(path: Path, document: Mapping[str, Any]) -> list[Row]:
    """Read the finished measurements of a folder that belong to the same battery."""
    before = read_json(path)
    same = ("schema", "env", "env_kwargs", "eval")
    if not isinstance(before, dict) or any(before.get(k) != document[k] for k in same):
        raise UserError(
            f"{path} is of another battery ({', '.join(same)} differ): name another --out folder"
        )
    return list(before["runs"])


def _print(console: Console, document: Mapping[str, Any]) -> None:
    table = Table(title=f"{document['env']}: score under disturbance, share of clean in brackets")
    rows = document["table"]
    algos = list(dict.fromkeys(row["algo"] for row in rows))
    table.add_column("disturbance")
    for algo in algos:
        table.add_column(algo, justify="right")
    cells = {(row["algo"], row["disturbance"], row["learn_on"]): row for row in rows}
    for name, learn_on in dict.fromkeys((r["disturbance"], r["learn_on"]) for r in rows):
        label = document["disturbances"].get(name, name)
        learnt = f", {learn_on:,} steps lived with it" if learn_on else ""
        words = []
        for algo in algos:
            row = cells.get((algo, name, learn_on))
            share = f" ({100 * row['retained']:.0f} %)" if row and "retained" in row else ""
            words.append("" if row is None else f"{row['return']:.1f}{share}")
        table.add_row(label + learnt, *words)
    console.print(table)
