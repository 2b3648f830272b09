"""`neonate evaluate`: train algorithms and compare them on the same episodes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console

from agent.config import BrainConfig, config_to_dict
from policies.baselines import algorithm_settings, check_name, learns, make_algorithm
from scripts.curves import plot_curves, plot_profiles
from scripts.errors import UserError
from scripts.files import claim_folder, write_json
from scripts.launchers import LauncherName, Outcome, launch, usable_cores
from scripts.learning_curve import Run
from scripts.records import (
    collect_records,
    in_order,
    is_record_of,
    make_record,
    parse_shard,
    shard_folder,
)
from scripts.summary import Threshold, default_thresholds, summarise
from scripts.summary_tables import print_tables, write_csv, write_improvements
from scripts.tasks import Task, parse_kwargs

WRITTEN = ("results.json", "summary.csv", "improvement.csv", "curves.png", "profiles.png")
EVALUATIONS = 10  # along a run, where --eval-every is not given


@dataclass(frozen=True)
class Evaluate:
    """Train algorithms and compare them on episodes that none of them has trained on.

    Writes DIR/results.json (every run's curve), summary.csv, improvement.csv, curves.png and
    profiles.png, and prints tables. A run that is finished is written at once: after an
    interruption, the same command with --resume does the rest. A run that breaks is told in
    DIR/failures.json, and the others go on.

    Many machines: --launcher ray takes the cores of a Ray cluster. Without Ray, --shard i/n does
    the i-th of n parts in DIR/shard-i-of-n; when these folders are back in one place, the same
    command without --shard, with --resume, puts them together and does what is missing.
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
    n_envs: tuple[str, ...] = ("1",)
    """Bodies that learn together, their steps all counted: one number for all, or brain=4."""
    env_package: tuple[str, ...] = ()
    """Packages to import so that their environment ids are known, e.g. gymnasium_robotics."""
    env_kwargs: tuple[str, ...] = ()
    """Keyword arguments of the environment, as key=value."""
    jobs: int | None = None
    """Runs at a time, each in its own process on one core; all cores if not given."""
    launcher: LauncherName = "local"
    """Where runs are done: on this machine, or on a Ray cluster that has Neonate installed."""
    ray_address: str | None = None
    """Of the Ray cluster, e.g. 10.0.0.1:6379; RAY_ADDRESS or this machine alone if not given."""
    shard: str | None = None
    """Do one part of the runs, e.g. 2/4: the second of four."""
    resume: bool = False
    """Keep the finished runs of DIR and do the rest."""
    brain: BrainConfig = field(default_factory=BrainConfig)
    """Settings of the brain."""

    def run(self) -> None:
        """Do it."""
        runs = self._plan()
        out = self.out
        if self.shard is not None:
            part = parse_shard(self.shard)
            out, runs = shard_folder(out, part), runs[part[0] - 1 :: part[1]]
        claim_folder(out, self.resume)
        console = Console()
        records = in_order(collect_records(out), runs)
        todo = [run for run in runs if not any(is_record_of(run, r) for r in records)]
        if len(todo) < len(runs):
            console.print(f"{len(runs) - len(todo)} of {len(runs)} runs are finished already")
        failures: list[Outcome] = []
        if records:
            write_json(out / "results.json", records)
        try:
            jobs = self.jobs or usable_cores()
            for outcome in launch(todo, self.launcher, jobs, self.ray_address, console):
                if outcome.curve is None:
                    failures.append(outcome)
                    self._tell(console, outcome)
                else:
                    records.append(make_record(outcome.run, outcome.curve))
                    records = in_order(records, runs)
                    write_json(out / "results.json", records)
        except KeyboardInterrupt:
            console.print(f"{len(records)} finished runs are kept: the same with --resume goes on")
            raise
        asked = [r for r in records if any(is_record_of(run, r) for run in runs)]
        if asked:
            self._report(console, out, asked)
        self._account(out, failures, len(runs))

    @staticmethod
    def _tell(console: Console, outcome: Outcome) -> None:
        run = outcome.run
        console.print(f"{run.algo} seed {run.seed} broke: {outcome.error}", markup=False)

    @staticmethod
    def _account(out: Path, failures: Sequence[Outcome], asked: int) -> None:
        """Write down what broke, and end with an error if anything did."""
        path = out / "failures.json"
        if not failures:
            path.unlink(missing_ok=True)
            return
        told = [
            {**f.run.key(), "error": f.error, "traceback": f.traceback.splitlines()}
            for f in failures
        ]
        write_json(path, told)
        raise UserError(
            f"{len(failures)} of {asked} runs broke, see {path}; the others are finished. "
            "The same command with --resume tries these again"
        )

    def _plan(self) -> list[Run]:
        """List every run, checked before anything is written."""
        for name in self.algos:
            check_name(name)
        if len(set(self.algos)) < len(self.algos) or not self.algos:
            raise UserError(f"--algos {' '.join(self.algos)}: name each algorithm once")
        if self.jobs is not None and self.launcher == "ray":
            raise UserError("--jobs is for this machine: a Ray cluster uses the cores that it has")
        if self.ray_address is not None and self.launcher != "ray":
            raise UserError("--ray-address is of a Ray cluster: add --launcher ray")
        at_least = {"eval_episodes": 1, "jobs": 1, "first_seed": 0, "eval_seed": 0}
        for flag, least in at_least.items():
            if getattr(self, flag) is not None and getattr(self, flag) < least:
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
        bodies = per_algorithm("--n-envs", ("1", *self.n_envs), self.algos)
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
                bodies[name],
            )
            for name in self.algos
            for seed in train[: seeds[name]]
        ]

    def _report(self, console: Console, out: Path, records: Sequence[Mapping[str, Any]]) -> None:
        thresholds = [Threshold("return_mean", value) for value in self.thresholds]
        thresholds += [Threshold("success_rate", value) for value in self.success_thresholds]
        thresholds = thresholds or default_thresholds(records)
        rows = summarise(records, thresholds)
        write_csv(out / "summary.csv", rows, thresholds)
        write_improvements(out / "improvement.csv", records)
        plot_curves(out / "curves.png", self.env, records)
        plot_profiles(out / "profiles.png", self.env, records)
        last = self.eval_seed + self.eval_episodes - 1
        title = f"{self.env}, episodes {self.eval_seed} to {last}"
        print_tables(console, title, rows, thresholds, records)
        for name in WRITTEN:
            console.print(f"wrote {out / name}", soft_wrap=True)


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
