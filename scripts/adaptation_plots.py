"""Pictures of the motor-adaptation laboratory: one per protocol."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import matplotlib

matplotlib.use("Agg")  # a picture is written, no window is opened

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from envs.schedules import Schedule
from scripts.adaptation_measures import (
    HUMAN_REBOUND,
    compensation,
    human_curve,
    mean_curve,
    measures,
)
from scripts.adaptation_protocols import PROBED
from scripts.adaptation_runs import Run
from scripts.files import replacing

# Okabe & Ito 2008, "Color universal design": told apart by colour-blind readers as well.
PALETTE = ("#D55E00", "#0072B2", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000", "#8C8C8C")

COURSES = {
    "learning": "learning, eight targets by chance",
    "long": "learning, eight targets by chance",
    "gradual": "a perturbation that grows, eight targets by chance",
    "rebound": "rebound in error clamp, one target",
    "strategy": "a large rotation, one target",
    "steady": "a perturbation that stays, eight targets by chance",
    "rivals": "learning, eight targets by chance, equal conditions",
}
"""Experiments that are drawn as a course of trials, and their titles."""

Groups = Mapping[str, Sequence[Run]]


def plot_protocol(
    path: Path, title: str, groups: Groups, schedules: Mapping[str, Schedule], full: float
) -> None:
    """Write one picture with a panel for each thing that the protocol shows."""
    panels = []  # (What is drawn, of which experiment)
    for name in schedules:
        if name == "force":
            panels += [("likeness", name), ("compensation", name)]
        else:
            panels.append((name, name))
    if "learning" in schedules and "savings" not in schedules:
        panels.append(("savings", "learning"))
    figure, axes = plt.subplots(
        len(panels[::2]), 2 if len(panels) > 1 else 1, figsize=(13, 4.4 * len(panels[::2])),
        squeeze=False, layout="constrained",
    )  # fmt: skip
    for axis, (panel, name) in zip(axes.flat, panels, strict=False):
        own = _of(groups, name)
        if panel in COURSES:
            _course(axis, own, schedules[name], full)
            axis.set_title(COURSES[panel])
        elif panel in ("likeness", "compensation"):
            _force(axis, own, panel)
        elif panel in ("savings", "relearning"):
            _savings(axis, own, full)
        else:
            _generalisation(axis, own, full)
    for axis in list(axes.flat)[len(panels) :]:
        axis.remove()
    for axis in axes.flat:
        axis.spines[["top", "right"]].set_visible(False)
        axis.grid(alpha=0.25, linewidth=0.6)
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False)
    figure.suptitle(title, fontsize=13)
    with replacing(path) as beside:
        figure.savefig(beside, dpi=110)
    plt.close(figure)


def _of(groups: Groups, experiment: str) -> dict[str, list[Run]]:
    own = {k: [r for r in runs if r["experiment"] == experiment] for k, runs in groups.items()}
    return {label: runs for label, runs in own.items() if runs}


def _course(axis: Axes, groups: Groups, schedule: Schedule, full: float) -> None:
    """Correction over all trials of an experiment: mean and quartiles over seeds."""
    reverses = any(phase.name == "reversal" for phase in schedule.phases)
    bottom, top = (-1.1, 1.4) if reverses else (-0.7, 1.7)
    start = 0
    for phase in schedule.phases:
        if phase.name == "adaptation":
            trials = start + 1 + np.arange(phase.trials)
            axis.plot(
                trials, human_curve(phase.trials), "k--", linewidth=1.6, zorder=4,
                label="people (two-rate fit)",
            )  # fmt: skip
        axis.axvline(start + 0.5, color="0.8", linewidth=0.8)
        height = top - (0.13 if phase.trials > 16 else 0.02)
        axis.text(start + 1, height, phase.name, fontsize=8, color="0.4", va="top")
        start += phase.trials
        if phase.name == "clamp":
            axis.axhline(HUMAN_REBOUND / 30.0, 0.75, color="k", linestyle=":", linewidth=1.2)
            axis.text(start, HUMAN_REBOUND / 30.0 + 0.12, "people", fontsize=8, ha="right")
    for colour, (label, runs) in zip(PALETTE, groups.items(), strict=False):
        value = np.array([run["trials"]["value"] for run in runs]) / full
        trials = 1 + np.arange(value.shape[1])
        shown = np.where(np.array(runs[0]["trials"]["shown"]), np.nanmedian(value, axis=0), np.nan)
        axis.plot(trials, shown, color=colour, label=f"{label} ({len(runs)})", linewidth=1.7)
        low, high = np.nanquantile(value, (0.25, 0.75), axis=0)
        axis.fill_between(trials, low, high, color=colour, alpha=0.18, linewidth=0)
    axis.set(xlabel="trial", ylabel="correction (share of the perturbation)", ylim=(bottom, top))


def _force(axis: Axes, groups: Groups, panel: str) -> None:
    """Likeness of free paths to the baseline's, or the field expected in channel trials."""
    for colour, (label, runs) in zip(PALETTE, groups.items(), strict=False):
        each = []
        for run in runs:
            trials = run["trials"]
            if panel == "compensation":
                value = compensation(run)
            else:
                like = np.array(trials["likeness"])
                value = np.where(np.array(trials["clamp"]) | (like == 0.0), np.nan, like)
            each.append(value)
            shown = np.flatnonzero(np.isfinite(value))
            axis.plot(1 + shown, value[shown], "-", color=colour, alpha=0.25, linewidth=0.9)
        known = np.flatnonzero(np.isfinite(each).any(axis=0))
        median = np.nanmedian(np.array(each)[:, known], axis=0)
        label = f"{label} ({len(runs)}; thick: median)"
        axis.plot(1 + known, median, ".-", color=colour, linewidth=2.0, label=label)
    phase = next(iter(groups.values()))[0]["trials"]["phase"]
    for trial in np.flatnonzero([a != b for a, b in pairwise(phase)]):
        axis.axvline(trial + 1.5, color="0.7", linewidth=0.8)
    if panel == "compensation":
        axis.set(xlabel="trial", ylabel="share of the field", ylim=(-1.75, 1.25))
        axis.set_title("force on a channel's walls, less the baseline's")
    else:
        axis.axhline(0.95, color="k", linestyle="--", linewidth=1.0)
        axis.set(xlabel="trial", ylabel="correlation of velocities", ylim=(0.5, 1.02))
        axis.set_title("paths in and after the field, against the baseline's")


def _savings(axis: Axes, groups: Groups, full: float) -> None:
    """First and second learning over each other."""
    for colour, (label, runs) in zip(PALETTE, groups.items(), strict=False):
        for phase, style in (("adaptation", "-"), ("re-exposure", ":")):
            curve = mean_curve(runs, full, phase)
            if curve.size:
                trials = 1 + np.arange(curve.shape[1])
                axis.plot(trials, np.nanmean(curve, axis=0), style, color=colour, label=label)
    axis.set(xlabel="trial of the phase", ylabel="correction", ylim=(-0.3, 1.3), xlim=(0.5, 40))
    axis.set_title("savings: first time (solid), after washout (dotted)")


def _generalisation(axis: Axes, groups: Groups, full: float) -> None:
    """Correction in other directions, over that in the trained one."""
    for colour, (label, runs) in zip(PALETTE, groups.items(), strict=False):
        each = np.array(
            [[measures(r, full)[f"generalisation to {p:g}°, %"] for p in PROBED] for r in runs]
        )
        axis.plot(PROBED, each.mean(axis=0), "o-", color=colour, label=label)
        low, high = np.quantile(each, (0.25, 0.75), axis=0)
        axis.fill_between(PROBED, low, high, color=colour, alpha=0.18, linewidth=0)
    axis.axhspan(-5, 5, 0.9, color="0.85")
    axis.axvspan(30, 40, color="0.93")
    axis.text(35, 112, "half width\nof people", fontsize=8, ha="center", color="0.4")
    axis.set(xlabel="degrees from the trained target", ylabel="generalisation, %")
    axis.set(ylim=(-60, 130), xticks=PROBED, title="generalisation after one trained direction")
