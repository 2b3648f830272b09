"""The pictures of a comparison: learning curves and performance profiles."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")  # a picture is written, no window is opened

from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, LogLocator, NullFormatter

from policies.baselines import learns
from scripts.files import replacing
from scripts.rivals import profiles
from scripts.summary import (
    Record,
    by_algorithm,
    column,
    iqm_curve,
    scale_of,
)

# Okabe & Ito 2008, "Color universal design": told apart by colour-blind readers as well.
COLOURS = {
    "brain": "#D55E00",
    "ppo": "#0072B2",
    "sac": "#009E73",
    "td3": "#CC79A7",
    "tqc": "#56B4E9",
    "oscillator": "#E69F00",
    "pd": "#000000",
    "random": "#8C8C8C",
}
MARKERS = {"brain": "o", "ppo": "s", "sac": "^", "td3": "v", "tqc": "D", "oscillator": "P"}
LABELS = {
    "brain": "Neonate",
    "oscillator": "oscillators, told the joints",
    "pd": "PD, knows the body",
    "random": "random",
}


METRICS = {"return_mean": "return per episode", "success_rate": "success rate"}
AXES = {
    "steps": "environment steps of training",
    "cpu_seconds": "CPU seconds of training",
}
_LOOK: Any = {"font.size": 11, "axes.spines.top": False, "axes.spines.right": False}


def plot_curves(path: Path, title: str, records: Sequence[Record]) -> None:
    """Write one picture: return, and success where the task tells it, over steps and CPU seconds.

    Thick lines are interquartile means over seeds, shaded their 95 % bootstrap intervals, thin
    lines the seeds.
    """
    success = all(p["success_rate"] is not None for r in records for p in r["curve"])
    metrics = list(METRICS) if success else ["return_mean"]
    with plt.rc_context(_LOOK):
        size = (13.6, 4.0 * len(metrics) + 0.6)
        figure, axes = plt.subplots(
            len(metrics), len(AXES), figsize=size, squeeze=False, sharey="row", layout="constrained"
        )
        for row, metric in zip(axes, metrics, strict=True):
            for axis, (over, label) in zip(row, AXES.items(), strict=True):
                _draw(axis, metric, over, records)
                axis.set(xscale="log", xlabel=label)
                axis.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5), numticks=12))
                axis.xaxis.set_major_formatter(_spell)
                axis.xaxis.set_minor_formatter(NullFormatter())
                axis.grid(alpha=0.25, linewidth=0.6)
            row[0].set_ylabel(METRICS[metric])
        if success:
            axes[1, 0].set_ylim(-0.02, 1.02)
        handles, labels = axes[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False)
        figure.suptitle(title, fontsize=13)
        _write(path, figure)


def plot_profiles(path: Path, title: str, records: Sequence[Record]) -> None:
    """Write the performance profiles: which share of the seeds ends above each score."""
    scaled = scale_of(records) is not None
    with plt.rc_context(_LOOK):
        figure, axis = plt.subplots(figsize=(7.6, 4.8), layout="constrained")
        for name, profile in profiles([records], scaled).items():
            colour = COLOURS[name]
            axis.step(profile.taus, profile.share, color=colour, label=label_of(name), where="post")
            axis.fill_between(
                profile.taus, profile.low, profile.high, color=colour, alpha=0.15, linewidth=0
            )
        score = "normalised score τ (random 0, best SB3 algorithm 1)" if scaled else "return τ"
        axis.set(xlabel=score, ylabel="share of seeds that end above τ", ylim=(-0.02, 1.02))
        axis.grid(alpha=0.25, linewidth=0.6)
        figure.legend(loc="outside lower center", ncols=4, frameon=False)
        figure.suptitle(title, fontsize=13)
        _write(path, figure)


def label_of(name: str) -> str:
    """Name an algorithm as pictures do."""
    return LABELS.get(name, name.upper())


def _spell(value: float, _: object) -> str:
    """Write a tick: 0.5, 20, 3k."""
    return f"{value:g}" if value < 1000 else str(EngFormatter(sep="")(value))


def _write(path: Path, figure: Figure) -> None:
    with replacing(path) as beside:
        figure.savefig(beside, dpi=160)
    plt.close(figure)


def _draw(axis: Axes, metric: str, over: str, records: Sequence[Record]) -> None:
    shown: list[float] = []
    for name, group in by_algorithm(records).items():
        curve = iqm_curve(group, metric)
        label = label_of(name)
        if name != "random":  # it may be far below everything that learns
            shown += [float(curve.iqm.min()), float(curve.iqm.max())]
        if not learns(name):
            style = "--" if name == "pd" else ":"
            label += f" ({curve.iqm[-1]:.3g})"
            axis.axhline(curve.iqm[-1], color=COLOURS[name], linestyle=style, label=label)
            continue
        along = curve.steps if over == "steps" else curve.cpu_seconds
        axis.plot(
            along,
            curve.iqm,
            color=COLOURS[name],
            marker=MARKERS[name],
            markersize=4,
            linewidth=2.4 if name == "brain" else 1.6,
            label=f"{label} ({len(group)} seeds)" if len(group) > 1 else label,
            zorder=3 if name == "brain" else 2,
        )
        for record in group:
            seed = column(record, over), column(record, metric)
            axis.plot(*seed, color=COLOURS[name], linewidth=0.7, alpha=0.4)
        axis.fill_between(
            along, curve.low, curve.high, color=COLOURS[name], alpha=0.18, linewidth=0
        )
    if metric == "return_mean" and shown:  # a seed far off must not squeeze the curves
        low, top = min(shown), max(shown)
        margin = max(0.08 * (top - low), 0.01 * abs(top))
        axis.set_ylim(low - margin, top + margin)
