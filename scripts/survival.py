"""`neonate survival`: kills, damaged files and very long lives."""

import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console

from agent.config import BrainConfig, config_to_dict
from policies.baselines import make_algorithm
from scripts.errors import UserError
from scripts.files import claim_folder, write_json
from scripts.run_folder import RunFolder, RunInfo
from scripts.survival_fuzz import Outcomes, fuzz
from scripts.survival_kills import KillStudy
from scripts.survival_steps import long_life
from scripts.tasks import Task
from scripts.versions import command_line, versions

SCHEMA = 1


@dataclass(frozen=True)
class Survival:
    """Try to break training and files, and say how often it went well.

    --kills: training is killed with SIGKILL at random moments and resumed; an ending counts that
    equals the uninterrupted one bit by bit. --mutations: files of a brain, of runs, results and
    configurations are damaged and forged; each must be a clear error or load. --steps: a brain
    lives that long, and is looked at ten times. Writes DIR/kills.json, mutations.json and
    steps.json, of what was asked for.
    """

    out: Path
    """Folder to write to; what is there already is kept."""
    kills: int = 0
    """Kills for each environment."""
    kill_steps: int = 600
    """Steps of the training that is killed."""
    kill_checkpoint: int = 100
    """Steps between its checkpoints."""
    mutations: int = 0
    """Mutated files, shared out among brains of the environments."""
    mutation_steps: int = 1500
    """Steps that the brains have lived whose files are mutated."""
    steps: int = 0
    """Steps of a very long life in each environment."""
    bodies: int = 1
    """Bodies that live side by side in a very long life."""
    envs: tuple[str, ...] = ("neonate/Reach-v0", "neonate/CrawlTo-v0")
    """Environment ids."""
    seed: int = 0
    """Of the brains, and of what is drawn here."""
    eval_seed: int = 20_000
    """Seed of the first evaluation episode of a very long life."""

    def run(self) -> None:
        """Do it."""
        if not (self.kills or self.mutations or self.steps):
            raise UserError("nothing is asked for: give --kills, --mutations or --steps")
        for flag in ("kills", "mutations", "steps"):
            if getattr(self, flag) < 0:
                raise UserError(f"--{flag} {getattr(self, flag)}: must be at least 0")
        if not self.envs:
            raise UserError("--envs: name an environment")
        tasks = [Task(env) for env in self.envs]
        torch.set_num_threads(1)
        claim_folder(self.out, resume=True)
        console = Console()
        if self.kills:
            self._kill(console)
        if self.mutations:
            self._mutate(tasks, console)
        if self.steps:
            self._live(console)

    def _kill(self, console: Console) -> None:
        studies: list[dict[str, Any]] = []
        for env in self.envs:
            study = KillStudy(env, self.kill_steps, self.kill_checkpoint, self.seed)
            rng = np.random.default_rng([self.seed, len(studies)])
            with tempfile.TemporaryDirectory() as folder:
                studies.append(study.run(Path(folder), self.kills, rng))
            self._write("kills", studies)
            last = studies[-1]
            console.print(f"{env}: {last['identical']} of {last['kills']} endings are identical")

    def _mutate(self, tasks: Sequence[Task], console: Console) -> None:
        studies: list[dict[str, Any]] = []
        for i, task in enumerate(tasks):
            count = self.mutations // len(tasks) + (i < self.mutations % len(tasks))
            outcomes = self._mutate_one(task, count, i)
            studies.append({"env": task.env, "mutations": count, **outcomes.to_dict()})
            self._write("mutations", studies)
            console.print(
                f"{task.env}: of {count} files {outcomes.refused} were refused, {outcomes.loaded} "
                f"loaded, {len(outcomes.failures)} failed otherwise",
                highlight=False,
            )

    def _mutate_one(self, task: Task, count: int, stream: int) -> Outcomes:
        agent = make_algorithm("brain", task, self.seed)
        agent.learn(self.mutation_steps)
        info = RunInfo(task.env, "brain", self.seed, self.mutation_steps, agent.num_timesteps)
        config = config_to_dict(BrainConfig())
        record = {"schema": 1, "algo": "brain", "settings": config, "curve": [{"steps": 1}]}
        with tempfile.TemporaryDirectory() as folder:
            run = RunFolder(Path(folder))
            run.save(agent, info)
            texts = {
                "run": run.info_file.read_bytes(),
                "records": json.dumps([record]).encode(),
                "config": json.dumps(config).encode(),
            }
            model = run.model_file("brain").read_bytes()
            rng = np.random.default_rng([self.seed, 100 + stream])
            return fuzz(model, texts, count, rng, Path(folder))

    def _live(self, console: Console) -> None:
        lives: list[dict[str, Any]] = []
        for env in self.envs:

            def report(row: dict[str, Any], env: str = env) -> None:
                console.print(
                    f"{env}: {row['steps']:,} steps, return {row['return_mean']:.2f}, "
                    f"{row['resident_mb']} MB, {'' if row['finite'] else 'NOT '}finite",
                    highlight=False,
                )

            life = long_life(env, self.steps, self.seed, self.bodies, self.eval_seed, report)
            lives.append(life)
            self._write("steps", lives)

    def _write(self, name: str, studies: Sequence[Any]) -> None:
        document = {
            "schema": SCHEMA,
            "study": name,
            "seed": self.seed,
            "versions": versions(),
            "command": command_line(),
            "studies": list(studies),
        }
        write_json(self.out / f"{name}.json", document)
