"""Runs of the motor-adaptation laboratory: practice, then experiments, for one seed."""

import dataclasses
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from itertools import takewhile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.config import HUMAN_ADAPTATION, BrainConfig, config_to_dict
from envs.schedules import Phase, Schedule
from policies.brain_agent import BrainAgent
from scripts.adaptation_rivals import VARIANTS, new_sac, practise, sac_runs
from scripts.adaptation_trials import Laboratory, Measured
from scripts.files import replacing

SEEING = 20
"""Trials in which the brain sees its hand all the time, to find its body."""
BLOCK = 40
"""Trials of practice between two looks at whether SAC has practised enough."""
LATEST = 32
"""Latest trials by which that is judged."""
PRACTICE = 40
"""Trials after these, with the hand seen only before and after the movement."""

SETTINGS = ("human", "default", "strategy")

LESIONED_LATER = ("adaptation", "error_memory", "basal_ganglia")
"""Lesions that come after the practice, which they would change nothing of."""

NOTICED = 35.0
"""Error from which on the setting `strategy` tries another aim, degrees."""

Run = dict[str, Any]
"""What was measured in one experiment with one seed: `algo`, `setting`, `seed`, `experiment`,
`cpu_seconds`, and `trials`, a list of columns by name."""

Phases = tuple[Phase, ...]
Lived = tuple[dict[str, NDArray], list[Measured]]
"""What a brain knows after some phases, and their trials."""

# (Of every experiment)
COLUMNS = (
    "phase",
    "strength",
    "clamp",
    "target",
    "turn",
    "stretch",
    "miss",
)


def setting_of(name: str, brain: BrainConfig) -> BrainConfig:
    """Give the configuration of a setting.

    `default` is the brain as it is, `human` adapts as people do, and `strategy` does so with an
    explicit strategy against errors that cannot be overlooked.
    """
    if name == "human":
        return dataclasses.replace(brain, adaptation=HUMAN_ADAPTATION)
    if name == "strategy":
        own = dataclasses.replace(HUMAN_ADAPTATION, strategy_threshold=NOTICED)
        return dataclasses.replace(brain, adaptation=own)
    return brain


def brain_runs(
    laboratory: Laboratory,
    schedules: Mapping[str, Schedule],
    setting: str,
    brain: BrainConfig,
    seed: int,
    practice: int = PRACTICE,
    practised: Path | None = None,
) -> Iterator[Run]:
    """Run all experiments with one brain, each from where its practice has brought it.

    Experiments that begin with the same phases go on from the same end of these, as one person
    who is tested in several ways could not.

    Args:
        laboratory: the perturbed task.
        schedules: experiments by name.
        setting: of `SETTINGS`.
        brain: its configuration but for that.
        seed: of the brain.
        practice: trials of practice with the hand seen only before and after the movement.
        practised: folder in which brains that have practised are kept for other calls.

    """
    began = time.process_time()
    config = setting_of(setting, brain)
    state = _practised(laboratory, setting, brain, seed, practice, practised)
    agent = BrainAgent("BrainPolicy", laboratory.bench, seed=seed, brain=config)
    laboratory.look(endpoint=True)
    lived: dict[Phases, Lived] = {(): (state, [])}
    for name, schedule in schedules.items():
        shared = max((p for p in lived if p == schedule.phases[: len(p)]), key=len)
        others = [other.phases for other in schedules.values() if other is not schedule]
        for phases in _parts(schedule.phases, shared, others):
            state, trials = lived[shared]
            agent.brain.load_state(state)
            laboratory.schedule(schedule, trials)
            # A new call begins a new episode, which is the next trial.
            agent.set_env(laboratory.bench)
            due = Schedule(phases).trials
            steps = (due - len(trials)) * laboratory.steps
            agent.learn(steps, log_interval=None, reset_num_timesteps=False)
            lived[phases] = agent.brain.state(), laboratory.trials[:due]
            shared = phases
        spent, began = time.process_time() - began, time.process_time()
        run = _run("brain", setting, seed, name, spent, lived[schedule.phases][1])
        yield run | {"lesions": list(brain.lesions), "settings": _adaptation(agent)}


def _practised(
    laboratory: Laboratory,
    setting: str,
    brain: BrainConfig,
    seed: int,
    practice: int,
    kept: Path | None,
) -> dict[str, NDArray]:
    """Let a brain find its body and practise in the unperturbed task, or take one that has.

    Parts that only adaptation needs are lesioned afterwards, and strategies come to mind only
    when there is something to overcome: all of these go on from the same practice.
    """
    lesions = tuple(x for x in brain.lesions if x not in LESIONED_LATER)
    usual = "human" if setting == "strategy" else setting
    config = setting_of(usual, dataclasses.replace(brain, lesions=lesions))
    task = laboratory.env_id, laboratory.steps, laboratory.motor_noise
    told = json.dumps([*task, seed, SEEING, practice, config_to_dict(config)], sort_keys=True)
    file = kept and kept / f"{usual}-{seed}-{sha256(told.encode()).hexdigest()[:12]}.npz"
    if file and file.is_file():
        with np.load(file, allow_pickle=False) as stored:
            return dict(stored)
    quiet = Laboratory(task[0], steps=task[1], motor_noise=task[2], seed=seed)
    agent = BrainAgent("BrainPolicy", quiet.bench, seed=seed, brain=config)
    quiet.look(endpoint=False)
    practise(agent, quiet, SEEING)
    quiet.look(endpoint=True)
    if practice:
        practise(agent, quiet, practice)
    quiet.env.close()
    state = agent.brain.state()
    if file:
        file.parent.mkdir(parents=True, exist_ok=True)
        with replacing(file) as beside, beside.open("wb") as stream:
            np.savez(stream, **state)  # type: ignore[arg-type]
    return state


def _parts(phases: Phases, shared: Phases, others: Sequence[Phases]) -> list[Phases]:
    """Where to stop on the way to the last phase: where another experiment goes on."""
    cuts = {len(list(takewhile(_same, zip(phases, other, strict=False)))) for other in others}
    return [phases[:cut] for cut in sorted(cuts | {len(phases)}) if cut > len(shared)]


def _same(pair: tuple[Phase, Phase]) -> bool:
    return pair[0] == pair[1]


def rival_runs(
    laboratory: Laboratory,
    schedules: Mapping[str, Schedule],
    seed: int,
    practice: int,
    miss: float,
) -> Iterator[Run]:
    """Run all experiments with SAC: its buffer kept, cleared, and not learning.

    Args:
        laboratory: the perturbed task.
        schedules: experiments by name.
        seed: of SAC.
        practice: most trials that it practises, under the brain's endpoint vision.
        miss: mean miss of the last `LATEST` of them, m, at which that is enough.

    """
    began = time.process_time()
    laboratory.look(endpoint=True)
    agent = new_sac(laboratory, seed, practice * laboratory.steps)
    trials: list[Measured] = []
    while len(trials) < practice:
        more = min(BLOCK, practice - len(trials))
        practise(agent, laboratory, more)
        trials += laboratory.trials[:more]
        if np.mean([trial.miss for trial in trials[-LATEST:]]) <= miss:
            break
    yield _run("sac", "practice", seed, "practice", time.process_time() - began, trials)
    for name, schedule in schedules.items():
        for variant, trials in sac_runs(agent, laboratory, schedule, VARIANTS).items():
            spent, began = time.process_time() - began, time.process_time()
            yield _run("sac", variant, seed, name, spent, trials)


def _run(
    algo: str, setting: str, seed: int, name: str, seconds: float, trials: Sequence[Measured]
) -> Run:
    columns = {column: [_plain(getattr(t, column)) for t in trials] for column in COLUMNS}
    if name == "force":
        columns["compensation"] = [_plain(t.compensation) for t in trials]
        columns["bend"] = [_plain(_bend(t)) for t in trials]
        columns["likeness"] = [_plain(value) for value in _likeness(trials)]
    return {
        "algo": algo,
        "setting": setting,
        "seed": seed,
        "experiment": name,
        "cpu_seconds": round(seconds, 2),
        "trials": columns,
    }


def _bend(trial: Measured) -> float:
    """Largest distance of a path from the line to its target, m, positive to the left."""
    angle = -np.radians(trial.target)
    off = np.sin(angle) * trial.path[:, 0] + np.cos(angle) * trial.path[:, 1]
    return float(off[np.abs(off).argmax()])


def _likeness(trials: Sequence[Measured]) -> list[float]:
    """Correlate each trial's velocities with the mean of the baseline's to the same target.

    After Shadmehr & Mussa-Ivaldi 1994, doi:10.1523/JNEUROSCI.14-05-03208.1994. 0 where the
    baseline had no free trial to this target.
    """
    velocity = [np.diff(t.path, axis=0) for t in trials]
    usual: dict[int, list[Any]] = {}
    for trial, v in zip(trials, velocity, strict=True):
        if trial.phase == "baseline" and not trial.clamp:
            usual.setdefault(round(trial.target), []).append(v)
    mean = {target: np.mean(each, axis=0).ravel() for target, each in usual.items()}
    likeness = []
    for trial, v in zip(trials, velocity, strict=True):
        like = mean.get(round(trial.target))
        likeness.append(0.0 if like is None else float(np.corrcoef(v.ravel(), like)[0, 1]))
    return likeness


def _plain(value: Any) -> Any:
    return round(value, 3 if abs(value) < 1 else 2) if isinstance(value, float) else value


def _adaptation(agent: BrainAgent) -> Any:
    return config_to_dict(agent.brain.config)["adaptation"]
