"""The picture of learning curves."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib

matplotlib.use("Agg")  # a picture is written, no window is opened

from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.ticker import EngFormatter, LogLocator, NullFormatter

from policies.baselines import learns
from scripts.files import replacing
from scripts.summary import Record, by_algorithm, column, mean_curve

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


def plot_curves(path: Path, title: str, records: Sequence[Record]) -> None:
    """Write one picture: return, and success where the task tells it, over training steps.

    Thick lines are means over seeds, shaded their 95 % confidence intervals, thin lines the seeds.
    """
    success = all(p["success_rate"] is not None for r in records for p in r["curve"])
    metrics = [("return_mean", "return per episode")]
    if success:
        metrics.append(("success_rate", "success rate"))
    with plt.rc_context({"font.size": 11, "axes.spines.top": False, "axes.spines.right": False}):
        figure, axes = plt.subplots(
            1, len(metrics), figsize=(6.8 * len(metrics), 4.6), squeeze=False, layout="constrained"
        )
        for axis, (metric, label) in zip(axes[0], metrics, strict=True):
            _draw(axis, metric, records)
            axis.set(xscale="log", xlabel="environment steps of training", ylabel=label)
            axis.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axis.xaxis.set_major_formatter(EngFormatter(sep=""))
            axis.xaxis.set_minor_formatter(NullFormatter())
            axis.grid(alpha=0.25, linewidth=0.6)
        if success:
            axes[0, 1].set_ylim(-0.02, 1.02)
        handles, labels = axes[0, 0].get_legend_handles_labels()
        columns = 4 if success else 2
        figure.legend(handles, labels, loc="outside lower center", ncols=columns, frameon=False)
        figure.suptitle(title, fontsize=13)
        with replacing(path) as beside:
            figure.savefig(beside, dpi=160)
        plt.close(figure)


def _draw(axis: Axes, metric: str, records: Sequence[Record]) -> None:
    means: list[float] = []
    for name, group in by_algorithm(records).items():
        curve = mean_curve(group, metric)
        label = LABELS.get(name, name.upper())
        if name != "random":  # it may be far below everything that learns
            means += [float(curve.mean.min()), float(curve.mean.max())]
        if not learns(name):
            style = "--" if name == "pd" else ":"
            label += f" ({curve.mean[-1]:.3g})"
            axis.axhline(curve.mean[-1], color=COLOURS[name], linestyle=style, label=label)
            continue
        axis.plot(
            curve.steps,
            curve.mean,
            color=COLOURS[name],
            marker=MARKERS[name],
            markersize=4,
            linewidth=2.4 if name == "brain" else 1.6,
            label=f"{label} ({len(group)} seeds)" if len(group) > 1 else label,
            zorder=3 if name == "brain" else 2,
        )
        for record in group:
            seed = column(record, "steps"), column(record, metric)
            axis.plot(*seed, color=COLOURS[name], linewidth=0.7, alpha=0.5)
        axis.fill_between(
            curve.steps,
            curve.mean - curve.half_width,
            curve.mean + curve.half_width,
            color=COLOURS[name],
            alpha=0.18,
            linewidth=0,
        )
    if metric == "return_mean" and means:  # the wide bands of few seeds must not squeeze the curves
        low, top = min(means), max(means)
        margin = max(0.08 * (top - low), 0.01 * abs(top))
        axis.set_ylim(low - margin, top + margin)
