"""`neonate lesion`: what the brain scores without each of its parts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.table import Table

from agent.config import LESIONS, BrainConfig, config_to_dict
from policies.baselines import make_algorithm
from policies.brain_agent import BrainAgent
from policies.evaluation import Evaluator
from policies.lesioned import lesion_trained
from scripts.errors import UserError
from scripts.files import claim_folder, read_json, write_json, write_rows
from scripts.intervals import interval_of
from scripts.lesion_picture import plot_lesions
from scripts.tasks import Task, parse_kwargs
from scripts.versions import command_line, versions

SCHEMA = 1
INTACT = "intact"
BIRTH, AFTER = "from birth", "after learning"
Row = dict[str, Any]


@dataclass(frozen=True)
class Lesion:
    """Take away each part of the brain, before it learns and after it has learnt.

    Trains an intact brain for each seed, and one without each of the regions from birth; and takes
    each region away from the intact brain that has learnt. Writes DIR/lesions.json (every score),
    lesions.csv and lesions.png, and prints a table. After an interruption, the same command with
    --resume does the rest.
    """

    env: str
    """Environment id, of any installed package."""
    out: Path
    """Folder to write to; must be new or empty, or be resumed."""
    regions: tuple[str, ...] = ("all",)
    """Regions to take away, one at a time; all for every one of agent.config.LESIONS."""
    steps: int = 2000
    """Training steps."""
    seeds: int = 3
    """Number of training seeds."""
    first_seed: int = 0
    """First training seed."""
    eval_episodes: int = 20
    """Episodes of each evaluation."""
    eval_seed: int = 20_000
    """Seed of the first evaluation episode; the others count up from it."""
    env_package: tuple[str, ...] = ()
    """Packages to import so that their environment ids are known, e.g. gymnasium_robotics."""
    env_kwargs: tuple[str, ...] = ()
    """Keyword arguments of the environment, as key=value."""
    resume: bool = False
    """Keep the finished scores of DIR and do the rest."""
    brain: BrainConfig = field(default_factory=BrainConfig)
    """Settings of the brain; its lesions are there in every one, the intact one included."""

    def run(self) -> None:
        """Do it."""
        regions = self._check()
        torch.set_num_threads(1)
        task = Task(self.env, parse_kwargs(self.env_kwargs), ("envs", *self.env_package))
        env = task()
        try:
            make_algorithm("brain", env, 0, self.brain)  # complains now if it cannot live there
        finally:
            env.close()
        claim_folder(self.out, self.resume)
        path = self.out / "lesions.json"
        document = self._document(task, regions)
        if path.exists():
            document["runs"] = _runs_of(path, document)
        console = Console()
        evaluator = Evaluator(task, self.eval_seed, self.eval_episodes)
        try:
            for seed in range(self.first_seed, self.first_seed + self.seeds):
                self._do_seed(task, evaluator, seed, regions, document, path, console)
        finally:
            evaluator.close()
        document["table"] = table_of(document["runs"], regions)
        write_json(path, document)
        write_rows(self.out / "lesions.csv", document["table"])
        plot_lesions(self.out / "lesions.png", document)
        _print(console, document)
        for name in ("lesions.json", "lesions.csv", "lesions.png"):
            console.print(f"wrote {self.out / name}", soft_wrap=True)

    def _check(self) -> tuple[str, ...]:
        regions = tuple(LESIONS) if self.regions == ("all",) else self.regions
        for name in regions:
            if name not in LESIONS:
                raise UserError(f"--regions {name}: write all, or some of {' '.join(LESIONS)}")
        for flag in ("steps", "seeds", "eval_episodes"):
            if getattr(self, flag) < 1:
                raise UserError(f"--{flag.replace('_', '-')} {getattr(self, flag)}: at least 1")
        last = self.first_seed + self.seeds
        if self.first_seed < self.eval_seed + self.eval_episodes and self.eval_seed < last:
            raise UserError("training and evaluation seeds overlap: change --first-seed")
        return regions

    def _document(self, task: Task, regions: Sequence[str]) -> dict[str, Any]:
        return {
            "schema": SCHEMA,
            "env": task.env,
            "env_kwargs": dict(task.kwargs),
            "steps": self.steps,
            "eval": {"first_seed": self.eval_seed, "episodes": self.eval_episodes},
            "settings": config_to_dict(self.brain),
            "regions": list(regions),
            "versions": versions(),
            "command": command_line(),
            "runs": [],
            "table": [],
        }

    def _do_seed(
        self,
        task: Task,
        evaluator: Evaluator,
        seed: int,
        regions: Sequence[str],
        document: dict[str, Any],
        path: Path,
        console: Console,
    ) -> None:
        """Score the intact brain of a seed, and each lesion both ways."""
        runs: list[Row] = document["runs"]
        done = {(r["lesion"], r["when"]) for r in runs if r["seed"] == seed}
        asked = {(name, when) for name in regions for when in (BIRTH, AFTER)}
        if asked | {(INTACT, BIRTH)} <= done:
            return

        def score(agent: BrainAgent, lesion: str, when: str) -> None:
            scores = evaluator(agent)
            row = {
                "lesion": lesion,
                "when": when,
                "seed": seed,
                "return_mean": float(scores.returns.mean()),
                "return_std": float(scores.returns.std()),
                "success_rate": scores.success_rate,
            }
            if (lesion, when) not in done:
                runs.append(row)
                write_json(path, document)
                console.print(f"seed {seed}, {lesion}, {when}: {row['return_mean']:.3f}")

        intact = self._train(task, seed, ())
        score(intact, INTACT, BIRTH)
        for name in regions:
            if (name, AFTER) not in done:
                score(lesion_trained(intact, [name]), name, AFTER)
            if (name, BIRTH) not in done:
                score(self._train(task, seed, (name,)), name, BIRTH)

    def _train(self, task: Task, seed: int, lesions: tuple[str, ...]) -> BrainAgent:
        config = replace(self.brain, lesions=(*self.brain.lesions, *lesions))
        agent = make_algorithm("brain", task, seed, config)
        assert isinstance(agent, BrainAgent)
        agent.learn(self.steps)
        if agent.env is not None:
            agent.env.close()
        return agent


def table_of(runs: Sequence[Mapping[str, Any]], regions: Sequence[str]) -> list[Row]:
    """One row for the intact brain and two for each region.

    Differences are those of brains with the same seed. A region costs something where the 95 %
    interval of its difference (Student's t) lies below 0, of return or of success.
    """
    by: dict[tuple[str, str], dict[int, Mapping[str, Any]]] = {}
    for run in runs:
        by.setdefault((run["lesion"], run["when"]), {})[run["seed"]] = run
    intact = by.get((INTACT, BIRTH), {})
    rows = []
    wanted = [(INTACT, BIRTH), *((name, when) for name in regions for when in (BIRTH, AFTER))]
    for lesion, when in wanted:
        group = by.get((lesion, when), {})
        seeds = sorted(group.keys() & intact.keys())
        if not seeds:
            continue
        row: Row = {"lesion": lesion, "when": when, "seeds": len(seeds)}
        costs = False
        for metric, name in (("return_mean", "return"), ("success_rate", "success")):
            if any(group[s][metric] is None for s in seeds):
                continue
            own = [group[s][metric] for s in seeds]
            less = interval_of([group[s][metric] - intact[s][metric] for s in seeds])
            score = interval_of(own)
            row |= {name: score.mean, f"{name}_low": score.low, f"{name}_high": score.high}
            row |= {
                f"{name}_change": less.mean,
                f"{name}_change_low": less.low,
                f"{name}_change_high": less.high,
            }
            costs |= less.below_0
        row["costs"] = costs and lesion != INTACT
        rows.append(row)
    return rows


def _runs_of(path: Path, document: Mapping[str, Any]) -> list[Row]:
    """Read the finished scores of a folder that belong to the same study."""
    before = read_json(path)
    same = ("schema", "env", "env_kwargs", "steps", "eval", "settings")
    if not isinstance(before, dict) or any(before.get(k) != document[k] for k in same):
        raise UserError(
            f"{path} is of another study ({', '.join(same)} differ): name another --out folder"
        )
    return list(before["runs"])


def _print(console: Console, document: Mapping[str, Any]) -> None:
    table = Table(title=f"{document['env']} after {document['steps']:,} steps")
    for heading in ("without", "when", "return", "change (95 %)", "costs something"):
        table.add_column(heading)
    for row in document["table"]:
        ends = row["return_change_low"], row["return_change_high"]
        change = f"{row['return_change']:.2f}"
        if ends[0] is not None and ends[1] is not None:
            change += f" ({ends[0]:.2f} … {ends[1]:.2f})"
        intact = row["lesion"] == INTACT
        name = "nothing" if intact else row["lesion"]
        verdict = "" if intact else "yes" if row["costs"] else "not shown"
        table.add_row(name, row["when"], f"{row['return']:.2f}", "" if intact else change, verdict)
    console.print(table)
