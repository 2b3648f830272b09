"""`neonate evaluate`: train algorithms and compare them on the same episodes."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

from agent.config import BrainConfig, config_to_dict
from policies.baselines import algorithm_settings, check_name, learns, make_algorithm
from scripts.curves import plot_curves
from scripts.errors import UserError
from scripts.files import claim_folder, read_json, write_json
from scripts.learning_curve import Run, prepare_worker, run_curve
from scripts.summary import Threshold, default_thresholds, print_tables, summarise, write_csv
from scripts.tasks import Task, parse_kwargs
from scripts.versions import command_line, versions

SCHEMA = 1
EVALUATIONS = 10  # along a run, where --eval-every is not given


@dataclass(frozen=True)
class Evaluate:
    """Train algorithms and compare them on episodes that none of them has trained on.

    Writes DIR/results.json (every run's curve), summary.csv and curves.png, and prints a table.
    A run that is finished is written at once: after an interruption, the same command with
    --resume does the rest.
    """

    env: str
    """Environment id, of any installed package."""
    out: Path
    """Folder to write to; must be new or empty, or be resumed."""
    algos: tuple[str, ...] = ("brain", "sac", "pd", "random")
    """Algorithms to compare: brain, ppo, sac, td3, tqc, oscillator, pd, random."""
    steps: tuple[str, ...] = ("2000",)
    """Training steps: one number for all, or brain=300 sac=30000 where budgets differ."""
    seeds: tuple[str, ...] = ("3",)
    """Number of training seeds: one number for all, or brain=10 sac=3."""
    first_seed: int = 0
    """First training seed."""
    eval_episodes: int = 50
    """Episodes of each evaluation."""
    eval_seed: int = 20_000
    """Seed of the first evaluation episode; the others count up from it."""
    eval_every: tuple[str, ...] = ()
    """Steps between evaluations, as --steps; a tenth of the steps if not given."""
    thresholds: tuple[float, ...] = ()
    """Returns whose cost is wanted; the best SB3 algorithm's final return if not given."""
    success_thresholds: tuple[float, ...] = ()
    """Success rates whose cost is wanted; 0.9 if neither kind is given."""
    env_package: tuple[str, ...] = ()
    """Packages to import so that their environment ids are known, e.g. gymnasium_robotics."""
    env_kwargs: tuple[str, ...] = ()
    """Keyword arguments of the environment, as key=value."""
    jobs: int = 1
    """Runs at a time, each in its own process on one core."""
    resume: bool = False
    """Keep the finished runs of DIR and do the rest."""
    brain: BrainConfig = field(default_factory=BrainConfig)
    """Settings of the brain."""

    def run(self) -> None:
        """Do it."""
        runs = self._plan()
        claim_folder(self.out, self.resume)
        console = Console()
        path = self.out / "results.json"
        records: list[dict[str, Any]] = load_records(path) if path.exists() else []
        todo = [run for run in runs if not any(_is_record_of(run, r) for r in records)]
        if len(todo) < len(runs):
            console.print(f"{len(runs) - len(todo)} of {len(runs)} runs are finished already")
        try:
            for run, curve in _work(todo, self.jobs, console):
                records.append(_record(run, curve))
                write_json(path, records)
        except KeyboardInterrupt:
            console.print(f"{len(records)} finished runs are kept: the same with --resume goes on")
            raise
        asked = [r for r in records if any(_is_record_of(run, r) for run in runs)]
        self._report(console, asked)

    def _plan(self) -> list[Run]:
        """List every run, checked before anything is written."""
        for name in self.algos:
            check_name(name)
        if len(set(self.algos)) < len(self.algos) or not self.algos:
            raise UserError(f"--algos {' '.join(self.algos)}: name each algorithm once")
        at_least = {"eval_episodes": 1, "jobs": 1, "first_seed": 0, "eval_seed": 0}
        for flag, least in at_least.items():
            if getattr(self, flag) < least:
                name = flag.replace("_", "-")
                raise UserError(f"--{name} {getattr(self, flag)}: must be at least {least}")
        seeds = per_algorithm("--seeds", self.seeds, self.algos)
        train = range(self.first_seed, self.first_seed + max(seeds.values()))
        test = range(self.eval_seed, self.eval_seed + self.eval_episodes)
        if train.start < test.stop and test.start < train.stop:
            raise UserError(
                f"training seeds {train.start} to {train.stop - 1} and evaluation seeds "
                f"{test.start} to {test.stop - 1} overlap: change --first-seed or --eval-seed"
            )
        steps = per_algorithm("--steps", self.steps, self.algos)
        every = per_algorithm("--eval-every", self.eval_every, self.algos, steps)
        task = Task(self.env, parse_kwargs(self.env_kwargs), ("envs", *self.env_package))
        env = task()
        try:
            for name in self.algos:  # each complains now if it cannot live in this environment
                make_algorithm(name, env, self.first_seed, self.brain, steps=steps[name])
            settings = {name: algorithm_settings(name, env, steps[name]) for name in self.algos}
        finally:
            env.close()
        settings["brain"] = config_to_dict(self.brain)
        return [
            Run(
                task,
                name,
                seed,
                steps[name] if learns(name) else 0,
                every[name] if learns(name) else 0,
                self.eval_episodes,
                self.eval_seed,
                settings[name],
                self.brain if name == "brain" else None,
            )
            for name in self.algos
            for seed in train[: seeds[name]]
        ]

    def _report(self, console: Console, records: Sequence[Mapping[str, Any]]) -> None:
        thresholds = [Threshold("return_mean", value) for value in self.thresholds]
        thresholds += [Threshold("success_rate", value) for value in self.success_thresholds]
        thresholds = thresholds or default_thresholds(records)
        rows = summarise(records, thresholds)
        write_csv(self.out / "summary.csv", rows, thresholds)
        plot_curves(self.out / "curves.png", self.env, records)
        last = self.eval_seed + self.eval_episodes - 1
        print_tables(console, f"{self.env}, episodes {self.eval_seed} to {last}", rows, thresholds)
        for name in ("results.json", "summary.csv", "curves.png"):
            console.print(f"wrote {self.out / name}", soft_wrap=True)


def per_algorithm(
    flag: str,
    words: Sequence[str],
    algos: Sequence[str],
    steps: Mapping[str, int] | None = None,
) -> dict[str, int]:
    """Read a number for each algorithm from `3000`, `brain=300 sac=30000`, or a mix of them.

    Args:
        flag: the flag's name, for errors.
        words: what was typed.
        algos: the algorithms that need a number.
        steps: training steps; where given, an algorithm without a number gets a tenth of them.

    Raises:
        UserError: not a positive whole number, an unknown algorithm, or one without a number.

    """
    default: int | None = None
    numbers: dict[str, int] = {}
    for word in words:
        name, equals, text = word.rpartition("=")
        if equals and name not in algos:
            raise UserError(f"{flag} {word}: {name!r} is not among --algos {' '.join(algos)}")
        try:
            number = int(text)
        except ValueError as error:
            raise UserError(f"{flag} {word}: write a whole number, e.g. {flag} 3000") from error
        if number < 1:
            raise UserError(f"{flag} {word}: must be at least 1")
        if equals:
            numbers[name] = number
        else:
            default = number
    for name in algos:
        if name not in numbers:
            if default is None and steps is not None:
                numbers[name] = max(1, steps[name] // EVALUATIONS)
            elif default is None:
                raise UserError(
                    f"{flag} says nothing of {name}: add {name}=N, or one number for all"
                )
            else:
                numbers[name] = default
    return numbers


def load_records(path: Path) -> list[dict[str, Any]]:
    """Read results.json.

    Raises:
        UserError: it is damaged, or of another schema.

    """
    records = read_json(path)
    if not isinstance(records, list) or any(
        not isinstance(r, dict) or r.get("schema") != SCHEMA or not r.get("curve") for r in records
    ):
        raise UserError(
            f"{path} is not a list of records of schema {SCHEMA}: name another --out folder"
        )
    return records


def _is_record_of(run: Run, record: Mapping[str, Any]) -> bool:
    return all(record.get(key) == value for key, value in run.key().items())


def _record(run: Run, curve: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        **run.key(),
        "versions": versions(),
        "command": command_line(),
        "curve": curve,
    }


def _advance(progress: Progress, bar: TaskID, steps: int) -> None:
    progress.update(bar, completed=steps)


def _work(
    runs: Sequence[Run], jobs: int, console: Console
) -> Iterator[tuple[Run, list[dict[str, Any]]]]:
    """Do the runs, and give each one when it is finished."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as progress:
        everything = progress.add_task("runs", total=len(runs))
        if jobs == 1:
            for run in runs:
                bar = progress.add_task(f"{run.algo} seed {run.seed}, steps", total=run.steps)
                yield run, run_curve(run, partial(_advance, progress, bar))
                progress.remove_task(bar)
                progress.advance(everything)
            return
        pool = ProcessPoolExecutor(jobs, get_context("spawn"), prepare_worker)
        with pool:
            futures = {pool.submit(run_curve, run): run for run in runs}
            try:
                for future in as_completed(futures):
                    yield futures[future], future.result()
                    progress.advance(everything)
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
