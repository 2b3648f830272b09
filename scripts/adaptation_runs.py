"""Runs of the motor-adaptation laboratory: practice, then experiments, for one seed."""

import dataclasses
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from agent.config import HUMAN_ADAPTATION, BrainConfig, config_to_dict
from envs.schedules import Schedule
from policies.brain_agent import BrainAgent
from scripts.adaptation_rivals import VARIANTS, new_sac, practise, sac_runs
from scripts.adaptation_trials import Laboratory, Measured

SEEING = 20
"""Trials in which the brain sees its hand all the time, to find its body."""
PRACTICE = 40
"""Trials after these, with the hand seen only before and after the movement."""

SETTINGS = ("human", "default", "strategy")

NOTICED = 35.0
"""Error from which on the setting `strategy` tries another aim, degrees."""

Run = dict[str, Any]
"""What was measured in one experiment with one seed: `algo`, `setting`, `seed`, `experiment`,
`cpu_seconds`, and `trials`, a list of columns by name."""

COLUMNS = (
    "phase",
    "strength",
    "clamp",
    "target",
    "turn",
    "launch",
    "stretch",
    "miss",
    "overshoot",
    "compensation",
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
) -> Iterator[Run]:
    """Run all experiments with one brain, each from where its practice has brought it."""
    began = time.process_time()
    agent = BrainAgent("BrainPolicy", laboratory.env, seed=seed, brain=setting_of(setting, brain))
    laboratory.look(endpoint=False)
    practise(agent, laboratory, SEEING)
    laboratory.look(endpoint=True)
    if practice:
        practise(agent, laboratory, practice)
    skilled = agent.brain.state()
    for name, schedule in schedules.items():
        agent.brain.load_state(skilled)
        laboratory.schedule(schedule)
        # A new call begins a new episode, which is the schedule's first trial.
        agent.set_env(laboratory.env)
        agent.learn(schedule.trials * laboratory.steps, reset_num_timesteps=False)
        spent, began = time.process_time() - began, time.process_time()
        trials = laboratory.trials[: schedule.trials]
        run = _run("brain", setting, seed, name, spent, trials)
        yield run | {"lesions": list(brain.lesions), "settings": _adaptation(agent)}


def rival_runs(
    laboratory: Laboratory, schedules: Mapping[str, Schedule], seed: int, practice: int
) -> Iterator[Run]:
    """Run all experiments with SAC: its buffer kept, cleared, and not learning."""
    began = time.process_time()
    laboratory.look(endpoint=True)
    agent = new_sac(laboratory, seed, practice * laboratory.steps)
    practise(agent, laboratory, practice)
    yield _run("sac", "practice", seed, "practice", time.process_time() - began, laboratory.trials)
    for name, schedule in schedules.items():
        for variant, trials in sac_runs(agent, laboratory, schedule, VARIANTS).items():
            spent, began = time.process_time() - began, time.process_time()
            yield _run("sac", variant, seed, name, spent, trials)


def _run(
    algo: str, setting: str, seed: int, name: str, seconds: float, trials: Sequence[Measured]
) -> Run:
    columns = {column: [_plain(getattr(t, column)) for t in trials] for column in COLUMNS}
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
