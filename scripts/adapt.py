"""`neonate adapt`: the classical experiments of motor adaptation."""

import dataclasses
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from rich.console import Console

from agent.config import BrainConfig, config_to_dict
from envs.schedules import Schedule
from scripts.adaptation_crawl import WeakLeg, summarise_legs, weak_leg_runs
from scripts.adaptation_delay import delay_runs, late, summarise_delays
from scripts.adaptation_measures import Row, summarise, write_rows
from scripts.adaptation_plots import plot_protocol
from scripts.adaptation_protocols import PROTOCOLS
from scripts.adaptation_runs import SETTINGS, Run, brain_runs, rival_runs, setting_of
from scripts.adaptation_studies import plot_delays, plot_legs
from scripts.adaptation_trials import PERTURBATIONS, Laboratory, Strength
from scripts.errors import UserError
from scripts.evaluate import per_algorithm
from scripts.files import claim_folder, read_json, replacing
from scripts.versions import command_line, versions

ALGORITHMS = ("brain", "sac")
_PERTURBED_BY = {
    "force": ("curl", "load"),
    "delay": ("delay",),
    "crawl": ("weak",),
    "others": ("rotation", "gain"),
}


@dataclass(frozen=True)
class Adapt:
    """Perturb reaching as motor-control laboratories do, and compare with people and with SAC.

    Writes DIR/trials.json (every trial), summary.csv and a picture, and prints the summary. A
    seed that is finished is written at once: the same command with --resume does the rest.
    """

    env: str = "neonate/Reach-v0"
    """A reaching task of this package; with --protocol crawl any body with motors that crawls."""
    perturbation: str = "rotation"
    """What is perturbed: rotation or gain of the cursor, curl (a force field), load, delay,
    weak (a leg)."""
    degrees: float = 30.0
    """Rotation of the cursor in full."""
    gain: float = 0.7
    """Gain of the cursor in full."""
    viscosity: float = 13.0
    """Curl field in full, N s/m."""
    mass: float = 1.0
    """Load in the hand in full, kg."""
    protocol: str = "standard"
    """Experiments: standard (learning for long, savings, rebound, generalisation), one of the
    last three, relearning (savings after a longer washout), learning, gradual, strategy, steady
    (1,000 trials), rivals (what SAC is given), force, delay, crawl."""
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
    delays: tuple[float, ...] = (0.0, 50.0, 100.0, 150.0)
    """Delays of all senses with --protocol delay, ms."""
    forward_model: tuple[float, ...] = (1.0, 0.9, 0.8, 0.7, 0.6, 0.0)
    """Shares of the forward model's prediction that are believed with --protocol delay: graded
    lesions. The first is the one that the brain lives with before."""
    leg: tuple[int, ...] = (0, 1)
    """Motors of the leg that is weak with --protocol crawl."""
    strength: float = 0.5
    """What is left of their force."""
    life: int = 50_000
    """Steps that a body crawls before."""
    rival_practice: int = 400
    """Most trials that SAC practises until it is as good as --rival-miss; the brain has 60."""
    rival_miss: float = 0.01
    """Mean miss of its last trials at which SAC has practised enough, m."""
    out: Path = Path("runs/adapt")
    """Folder to write to; must be new or empty, or be resumed."""
    resume: bool = False
    """Keep the finished seeds of DIR and do the rest."""
    brain: BrainConfig = field(default_factory=BrainConfig)
    """Settings of the brain, lesions among them."""
    practised: Path | None = None
    """Folder in which brains that have practised are kept, for other commands to go on from; only
    for one and the same version of the code."""

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
            ("--perturbation", self.perturbation, (*PERTURBATIONS, "delay", "weak")),
            ("--protocol", self.protocol, (*PROTOCOLS, "delay", "crawl")),
            *(("--algos", algo, ALGORITHMS) for algo in self.algos),
            *(("--settings", name, SETTINGS) for name in self.settings),
        ):
            if word not in words:
                raise UserError(f"{flag} {word}: write one of {', '.join(words)}")
        kind = self.protocol if self.protocol in _PERTURBED_BY else "others"
        if self.perturbation not in _PERTURBED_BY[kind]:
            raise UserError(
                f"--protocol {self.protocol} is not for --perturbation {self.perturbation}: force "
                "is for curl and load, delay for delay, crawl for weak, all others for rotation "
                "and gain"
            )
        if self.protocol in ("delay", "crawl") and "sac" in self.algos:
            raise UserError(f"--protocol {self.protocol}: --algos can be brain alone")
        if self.protocol == "crawl":
            return self._weak_leg.check()
        if self.protocol == "delay":
            for delay in self.delays:
                late(self.env, delay).close()
            if not self.forward_model or not all(0 <= x <= 1 for x in self.forward_model):
                raise UserError("--forward-model: write one or more numbers between 0 and 1")
            return
        if self.first_seed < 0 or self.rival_practice < 1:
            raise UserError("--first-seed and --rival-practice: write numbers from 0 and 1 up")
        self._laboratory(0)

    @property
    def _weak_leg(self) -> WeakLeg:
        return WeakLeg(self.env, self.leg, self.strength, self.life)

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
        told = {"command": command_line(), "versions": versions()}
        if self.protocol == "delay":
            brain = setting_of(setting, self.brain)
            for run in delay_runs(self.env, brain, seed, self.delays, self.forward_model):
                yield run | {"setting": setting} | told
            return
        if self.protocol == "crawl":
            for run in weak_leg_runs(self._weak_leg, setting_of(setting, self.brain), seed):
                yield run | {"setting": setting} | told
            return
        laboratory = self._laboratory(seed)
        if algo == "brain":
            runs = brain_runs(
                laboratory, self.schedules, setting, self.brain, seed, practised=self.practised
            )
        else:
            runs = rival_runs(
                laboratory, self.schedules, seed, self.rival_practice, self.rival_miss
            )
        for run in runs:
            yield run | told
        laboratory.env.close()

    def _write(self, file: Path, runs: list[Run]) -> None:
        brain = config_to_dict(self.brain)
        asked = {
            k: v
            for k, v in dataclasses.asdict(self).items()
            if k not in ("brain", "out", "practised")
        }
        content = {"asked": asked, "brain": brain, "runs": runs}
        with replacing(file) as beside:  # (In one line: there are many numbers)
            beside.write_text(json.dumps(content, default=str, allow_nan=False) + "\n")

    def _report(self, runs: list[Run], console: Console) -> None:
        if self.protocol in ("delay", "crawl"):
            late_ones = self.protocol == "delay"
            rows = summarise_delays(runs) if late_ones else summarise_legs(runs)
            write_rows(self.out / "summary.csv", rows)
            what = "late senses" if late_ones else f"a leg of {self.strength:.0%} force"
            plot = plot_delays if late_ones else plot_legs
            plot(self.out / f"{self.protocol}.png", runs, f"{what} on {self.env}")
            _print(console, rows)
            return
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
    value = np.array(trials[name], float) - (name == "stretch")
    return run | {"trials": trials | {"value": value.tolist(), "shown": [True] * len(value)}}


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
