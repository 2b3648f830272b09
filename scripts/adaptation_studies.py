"""Pictures of the motor-adaptation laboratory's studies of late senses and of a weak leg."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib

matplotlib.use("Agg")  # a picture is written, no window is opened

import numpy as np
from matplotlib import pyplot as plt

from scripts.adaptation_plots import PALETTE
from scripts.adaptation_runs import Run
from scripts.files import replacing

_LEGIBLE = 0.5  # (Share of the forward model below which movements are too wild to be drawn)


def plot_delays(path: Path, runs: Sequence[Run], title: str) -> None:
    """Write a picture of movements under late senses, and of overshoot over the lesion."""
    delays = sorted({run["delay_ms"] for run in runs})
    shares = sorted({run["share"] for run in runs}, reverse=True)
    colours = dict(zip(shares, PALETTE, strict=False))
    graded = len(shares) > 1
    figure, axes = plt.subplots(
        2, len(delays) + graded, figsize=(3.4 * len(delays) + 4.2, 7.2), layout="constrained",
        squeeze=False, sharex="col",
    )  # fmt: skip
    for column, delay in enumerate(delays):
        own = [run for run in runs if run["delay_ms"] == delay]
        for share in shares:
            group = [run for run in own if run["share"] == share]
            if not group or share < _LEGIBLE:
                continue
            seconds = 1e-3 * group[0]["step_ms"] * np.arange(len(group[0]["along"]))
            style = {"color": colours[share], "linewidth": 1.5, "label": f"{share:g}"}
            axes[0, column].plot(seconds, np.mean([r["along"] for r in group], axis=0), **style)
            axes[1, column].plot(seconds, group[0]["one"], **style)
        axes[0, column].set(title=f"{delay:g} ms late", ylim=(-0.05, 1.7))
        axes[1, column].set(xlabel="s", ylim=(-0.05, 1.7))
    axes[0, 0].set_ylabel("way to the target, mean")
    axes[1, 0].set_ylabel("way to the target, one movement")
    for axis, name, label, scale in (
        (axes[0, -1], "overshoot", "overshoot, %", 1.0),
        (axes[1, -1], "wobble", "oscillation afterwards, mm", 1000.0),
    )[: 2 * graded]:
        for mark, delay in zip("osD^v", [d for d in delays if d > 0], strict=False):
            own = [run for run in runs if run["delay_ms"] == delay]
            known = [s for s in shares if any(r["share"] == s for r in own)]
            each = [
                [scale * float(np.mean(r["trials"][name])) for r in own if r["share"] == s]
                for s in known
            ]
            axis.errorbar(
                known, [np.median(e) for e in each],
                yerr=np.abs([[np.median(e) - min(e), max(e) - np.median(e)] for e in each]).T,
                marker=mark, capsize=3, label=f"{delay:g} ms",
            )  # fmt: skip
        axis.set(ylabel=label)
        axis.set_yscale("symlog", linthresh=1.0)
        axis.legend(fontsize=8, frameon=False)
    if graded:
        axes[1, -1].set(xlabel="share of the forward model", xlim=(1.05, -0.05))
    for axis in axes.flat:
        axis.spines[["top", "right"]].set_visible(False)
        axis.grid(alpha=0.25, linewidth=0.6)
    handles, labels = axes[0, len(delays) - 1].get_legend_handles_labels()
    figure.legend(
        handles, labels, loc="outside lower center", ncols=len(labels), frameon=False,
        title="share of the forward model that is left (0: too wild to be drawn)",
    )  # fmt: skip
    figure.suptitle(title, fontsize=13)
    with replacing(path) as beside:
        figure.savefig(beside, dpi=110)
    plt.close(figure)


def plot_legs(path: Path, runs: Sequence[Run], title: str) -> None:
    """Write a picture of scores over the steps lived with a weak leg."""
    figure, axis = plt.subplots(figsize=(8, 4.6), layout="constrained")
    groups: dict[tuple[str, tuple[str, ...]], list[Run]] = {}
    for run in runs:
        groups.setdefault((run["life"], tuple(run["lesions"])), []).append(run)
    healthy = [run["before"] for run in next(iter(groups.values()))]
    for value in healthy:
        axis.axhline(value, color="0.75", linestyle=":", linewidth=1.0)
    axis.axhline(
        float(np.mean(healthy)), color="0.4", linestyle="--", label="before, mean (each: dotted)"
    )
    for colour, ((life, lesions), own) in zip(PALETTE, groups.items(), strict=False):
        steps = np.array(own[0]["steps"])
        label = f"brain that {life}" + "".join(f", without {lesion}" for lesion in lesions)
        for run in own:
            axis.plot(steps, run["returns"], color=colour, alpha=0.35, linewidth=1.0)
        mean = np.mean([run["returns"] for run in own], axis=0)
        axis.plot(steps, mean, "o-", color=colour, linewidth=2.0, label=f"{label} ({len(own)})")
    axis.set(xlabel="steps lived with the weak leg", ylabel="return")
    axis.spines[["top", "right"]].set_visible(False)
    axis.grid(alpha=0.25, linewidth=0.6)
    figure.legend(loc="outside lower center", ncols=2, frameon=False)
    figure.suptitle(title, fontsize=13)
    with replacing(path) as beside:
        figure.savefig(beside, dpi=110)
    plt.close(figure)
