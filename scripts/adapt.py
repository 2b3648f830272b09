"""`neonate adapt`: the classical experiments of motor adaptation."""

import dataclasses
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
from rich.console import Console

from agent.config import BrainConfig, config_to_dict
from envs.schedules import Schedule
from scripts.adaptation_measures import Row, summarise, write_rows
from scripts.adaptation_plots import plot_protocol
from scripts.adaptation_protocols import PROTOCOLS
from scripts.adaptation_runs import SETTINGS, Run, brain_runs, rival_runs
from scripts.adaptation_trials import PERTURBATIONS, Laboratory, Strength
from scripts.errors import UserError
from scripts.evaluate import per_algorithm
from scripts.files import claim_folder, read_json, replacing
from scripts.versions import command_line, versions

ALGORITHMS = ("brain", "sac")


@dataclass(frozen=True)
class Adapt:
    """Perturb reaching as motor-control laboratories do, and compare with people and with SAC.

    Writes DIR/trials.json (every trial), summary.csv and a picture, and prints the summary. A
    seed that is finished is written at once: the same command with --resume does the rest.
    """

    env: str = "neonate/Reach-v0"
    """A reaching task of this package."""
    perturbation: str = "rotation"
    """What is perturbed: rotation or gain of the cursor, curl (a force field), load."""
    degrees: float = 30.0
    """Rotation of the cursor in full."""
    gain: float = 0.7
    """Gain of the cursor in full."""
    viscosity: float = 13.0
    """Curl field in full, N s/m."""
    mass: float = 1.0
    """Load in the hand in full, kg."""
    protocol: str = "standard"
    """Experiments: standard (learning, rebound, generalisation), one of these, gradual, force."""
    seeds: tuple[str, ...] = ("3",)
    """Number of seeds: one number for all, or brain=10 sac=1."""
    first_seed: int = 0
    """First seed."""
    algos: tuple[str, ...] = ("brain",)
    """Who takes part: brain, sac."""
    settings: tuple[str, ...] = ("human", "default")
    """How the brain adapts: human (as people do), default (as everywhere else: the quickest),
    strategy (as people do who aim elsewhere when they miss by far)."""
    motor_noise: float = 0.0
    """Signal-dependent noise of the motors, see the task."""
    rival_practice: int = 400
    """Trials that SAC practises before the experiments; the brain has 60."""
    out: Path = Path("runs/adapt")
    """Folder to write to; must be new or empty, or be resumed."""
    resume: bool = False
    """Keep the finished seeds of DIR and do the rest."""
    brain: BrainConfig = field(default_factory=BrainConfig)
    """Settings of the brain, lesions among them."""

    def run(self) -> None:
        """Do it."""
        self._check()
        torch.set_num_threads(1)
        numbers = per_algorithm("--seeds", self.seeds, self.algos)
        claim_folder(self.out, self.resume)
        file = self.out / "trials.json"
        kept = read_json(file) if self.resume and file.is_file() else {"runs": []}
        runs: list[Run] = kept["runs"]
        done = {(r["algo"], r["setting"], r["seed"]) for r in runs}
        console = Console()
        for algo in self.algos:
            for setting in self.settings if algo == "brain" else ("kept",):
                for seed in range(self.first_seed, self.first_seed + numbers[algo]):
                    if (algo, setting, seed) in done:
                        continue
                    runs += self._runs_of(algo, setting, seed)
                    self._write(file, runs)
                    console.print(f"{algo} ({setting}), seed {seed}: done", highlight=False)
        self._report(runs, console)

    def _check(self) -> None:
        for flag, word, words in (
            ("--perturbation", self.perturbation, PERTURBATIONS),
            ("--protocol", self.protocol, tuple(PROTOCOLS)),
            *(("--algos", algo, ALGORITHMS) for algo in self.algos),
            *(("--settings", name, SETTINGS) for name in self.settings),
        ):
            if word not in words:
                raise UserError(f"{flag} {word}: write one of {', '.join(words)}")
        if (self.protocol == "force") != (self.perturbation in ("curl", "load")):
            raise UserError(
                f"--protocol {self.protocol} is not for --perturbation {self.perturbation}: force "
                "is for curl and load, all others for rotation and gain"
            )
        if self.first_seed < 0 or self.rival_practice < 1:
            raise UserError("--first-seed and --rival-practice: write numbers from 0 and 1 up")
        self._laboratory(0)

    @property
    def schedules(self) -> Mapping[str, Schedule]:
        """Experiments of the protocol, by name."""
        return PROTOCOLS[self.protocol]

    def _laboratory(self, seed: int) -> Laboratory:
        strength = Strength(self.degrees, self.gain, self.viscosity, self.mass)
        return Laboratory(
            self.env, self.perturbation, strength, motor_noise=self.motor_noise, seed=seed
        )

    def _runs_of(self, algo: str, setting: str, seed: int) -> Iterator[Run]:
        laboratory = self._laboratory(seed)
        if algo == "brain":
            runs = brain_runs(laboratory, self.schedules, setting, self.brain, seed)
        else:
            runs = rival_runs(laboratory, self.schedules, seed, self.rival_practice)
        for run in runs:
            yield run | {"command": command_line(), "versions": versions()}
        laboratory.env.close()

    def _write(self, file: Path, runs: list[Run]) -> None:
        brain = config_to_dict(self.brain)
        asked = {k: v for k, v in dataclasses.asdict(self).items() if k not in ("brain", "out")}
        content = {"asked": asked, "brain": brain, "runs": runs}
        with replacing(file) as beside:  # (In one line: there are many numbers)
            beside.write_text(json.dumps(content, default=str, allow_nan=False) + "\n")

    def _report(self, runs: list[Run], console: Console) -> None:
        measured = [with_values(run, self.perturbation) for run in runs]
        groups: dict[str, list[Run]] = {}
        for run in measured:
            groups.setdefault(label_of(run), []).append(run)
        full = full_correction(self)
        experiments = {
            k: [r for r in v if r["experiment"] != "practice"] for k, v in groups.items()
        }
        experiments = {k: v for k, v in experiments.items() if v}
        rows = summarise(experiments, full)
        write_rows(self.out / "summary.csv", rows)
        plot_protocol(
            self.out / f"{self.protocol}.png",
            f"{self.perturbation} on {self.env}",
            experiments,
            self.schedules,
            full,
        )
        _print(console, rows)


def label_of(run: Run) -> str:
    """Name the group that a run belongs to."""
    if run["algo"] == "brain":
        lesions = "".join(f", without {lesion}" for lesion in run["lesions"])
        return f"brain, {run['setting']}{lesions}"
    how = {"kept": "buffer kept", "cleared": "buffer cleared", "frozen": "not learning"}
    return f"SAC, {how.get(run['setting'], run['setting'])}"


def with_values(run: Run, perturbation: str) -> Run:
    """Add to a run the `value` of each trial that corrects for the perturbation."""
    trials = run["trials"]
    name = {"rotation": "turn", "gain": "stretch"}.get(perturbation, "bend")
    value = [v - 1.0 if name == "stretch" else v for v in trials[name]]
    return run | {"trials": trials | {"value": value, "shown": [True] * len(value)}}


def full_correction(adapt: Adapt) -> float:
    """Value of a trial that corrects for all of the perturbation."""
    if adapt.perturbation == "rotation":
        return -adapt.degrees
    return 1.0 / adapt.gain - 1.0 if adapt.perturbation == "gain" else 1.0


def _print(console: Console, rows: list[Row]) -> None:
    heading = ""
    for row in rows:
        if heading != f"{row['group']}: {row['experiment']}":
            heading = f"{row['group']}: {row['experiment']}"
            console.print(f"\n{heading} (seeds: {row['seeds']})", highlight=False)
        console.print(
            f"  {row['measure']}: median {row['median']:g}, mean {row['mean']:g} "
            f"({row['lowest']:g} … {row['highest']:g})",
            highlight=False,
        )
