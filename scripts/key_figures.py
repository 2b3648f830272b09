"""Pictures of the keyboard laboratory."""

from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")  # a picture is written, no window is opened

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from scripts.files import replacing

Row = dict[str, Any]

_SLEPT, _AWAKE, _START, _STOP = "#D55E00", "#0072B2", "#009E73", "#CC79A7"
_APART = "#E69F00"
_WINDOW = 10  # (Trials over which curves are averaged)
_SECOND = 100.0  # (Control steps)


def draw(results: dict[str, list[Row]], out: Path) -> None:
    """Write the pictures of those parts that were measured."""
    if rows := results.get("arm"):
        _save(
            out / "raster.png",
            _raster(next(r for r in rows if r["sleeps"] and r.get("blends", True))),
        )
        _save(out / "arm.png", _practice(rows))
    if rows := results.get("chunks"):
        _save(out / "chunks.png", _chunks(rows))
    if rows := results.get("search"):
        _save(out / "search.png", _search(rows))
    if rows := results.get("habits"):
        _save(out / "habits.png", _habits(rows))


def _save(path: Path, figure: Any) -> None:
    with replacing(path) as beside:
        figure.savefig(beside, dpi=120, bbox_inches="tight")
    plt.close(figure)


def _raster(row: Row) -> Any:
    """Program, start and stop signals, dopamine: a sequence before and after practice."""
    figure, grid = plt.subplots(3, 2, figsize=(11, 5.5), sharex="col", height_ratios=(2, 1, 2))
    for column, (trial, name) in enumerate(
        zip(row["shown"], ("first sequence with a known arm", "last sequence"), strict=True)
    ):
        keys, gates, dopamine = grid[:, column]
        keys.set_title(f"{name}: {trial['errors']} errors, {trial['decisions']} decisions")
        for press in trial["presses"]:
            colour = _SLEPT if press["program"] >= 7 else _AWAKE
            face = colour if press["right"] else "none"
            time = press["step"] / _SECOND
            keys.scatter(time, press["key"], s=60, edgecolors=colour, facecolors=face, zorder=3)
        keys.set_ylim(-0.6, 6.6)
        keys.set_yticks(range(7))
        keys.grid(axis="y", alpha=0.3)
        for name_, level, colour in (("gate_start", 1, _START), ("gate_stop", 0, _STOP)):
            signal = np.array(trial["trace"].get(name_, []))
            at = np.flatnonzero(signal) / _SECOND
            gates.vlines(at, level + 0.1, level + 0.9, color=colour, linewidth=2)
        gates.set_yticks([0.5, 1.5], ["stop", "start"])
        gates.set_ylim(0, 2)
        delta = np.array(trial["trace"].get("key_dopamine", []))
        dopamine.axhline(0, color="0.7", linewidth=0.8)
        dopamine.vlines(np.arange(len(delta)) / _SECOND, 0, delta, color="0.2", linewidth=2)
        dopamine.set_ylim(-2.2, 2.2)
        dopamine.set_xlabel("time (s)")
    grid[0, 0].set_ylabel("key pressed")
    grid[1, 0].set_ylabel("gate")
    grid[2, 0].set_ylabel("dopamine δ")
    grid[0, 1].scatter([], [], color=_SLEPT, label="within a chunk")
    grid[0, 1].scatter([], [], color=_AWAKE, label="alone")
    grid[0, 1].legend(loc="upper left", fontsize=8)
    figure.tight_layout()
    return figure


def _practice(rows: list[Row]) -> Any:
    figure, axes = plt.subplots(1, 4, figsize=(15, 3.4))
    apart = [r for r in rows if not r.get("blends", True)]
    rows = [r for r in rows if r.get("blends", True)]
    for group, colour, label in (
        ([r for r in rows if r["sleeps"]], _SLEPT, "with sleep"),
        (apart, _APART, "… without blending"),
        ([r for r in rows if not r["sleeps"]], _AWAKE, "without sleep"),
    ):
        for axis, name in zip(axes, ("errors", "decisions", "ms"), strict=False):
            _curves(axis, [r[name] for r in group], colour, label)
    slept = [r for r in rows if r["sleeps"]]
    gaps = [
        ("within\na chunk", [r["gap_inside_ms"] for r in slept if r["gap_inside_ms"]], _SLEPT),
        ("at its\nend", [r["gap_between_ms"] for r in slept], _SLEPT),
        ("within,\napart", [r["gap_inside_ms"] for r in apart if r["gap_inside_ms"]], _APART),
        ("at end,\napart", [r["gap_between_ms"] for r in apart], _APART),
        ("no\nsleep", [r["gap_between_ms"] for r in rows if not r["sleeps"]], _AWAKE),
    ]
    for x, (_, values, colour) in enumerate(gaps):
        axes[3].bar(x, np.mean(values) if values else 0.0, color=colour, alpha=0.4)
        axes[3].scatter([x] * len(values), values, color=colour, zorder=3)
    axes[3].set_xticks(range(len(gaps)), [name for name, *_ in gaps], fontsize=8)
    titles = "errors", "decisions", "time of a sequence (ms)", "inter-key interval (ms)"
    for axis, name in zip(axes, titles, strict=True):
        axis.set_title(name)
    axes[1].axhline(6, color="0.7", linewidth=0.8)
    axes[2].set_yscale("log")
    axes[2].set_yticks([1000, 2000, 3000, 4000], ["1000", "2000", "3000", "4000"])
    axes[2].minorticks_off()
    for axis in axes[:3]:
        axis.set_xlabel("trial")
    axes[0].legend(fontsize=8)
    figure.tight_layout()
    return figure


def _chunks(rows: list[Row]) -> Any:
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.4))
    for sleeps, colour, label in ((True, _SLEPT, "with sleep"), (False, _AWAKE, "without")):
        group = [r for r in rows if r["sleeps"] == sleeps]
        _curves(axes[0], [r["errors"] for r in group], colour, label)
        _curves(axes[1], [r["long_errors"] for r in group], colour, label)
    axes[0].set_title("six sequences of 6 presses")
    axes[1].set_title("then three of 12, made of the same parts")
    for axis, most in zip(axes, (100, 50), strict=True):
        axis.set_xlim(0, most)
        axis.set_xlabel("trial")
        axis.set_ylabel(f"errors (mean of {_WINDOW} trials)")
    axes[0].legend(fontsize=8)
    figure.tight_layout()
    return figure


def _search(rows: list[Row]) -> Any:
    figure, axis = plt.subplots(figsize=(5.5, 3.4))
    tasks = list(dict.fromkeys((r["keys"], r["length"]) for r in rows))
    for x, task in enumerate(tasks):
        group = [r for r in rows if (r["keys"], r["length"]) == task]
        reached = np.array([r["epochs"] for r in group if r["epochs"] is not None], float)
        jitter = np.linspace(-0.25, 0.25, len(reached))
        axis.scatter(x + jitter, np.sort(reached), color=_SLEPT, s=14)
        if len(reached):
            axis.hlines(np.median(reached), x - 0.3, x + 0.3, color="0.2")
    axis.set_xticks(range(len(tasks)), [f"{k} keys × {n}" for k, n in tasks])
    axis.set_ylabel("epochs of 128 sequences to criterion")
    axis.set_ylim(0)
    figure.tight_layout()
    return figure


def _habits(rows: list[Row]) -> Any:
    """Draw returns, and time per step, of reaching by plan and by habit; a dot is a seed."""
    tasks = list(dict.fromkeys(r["env"] for r in rows))
    figure, axes = plt.subplots(1, 2 * len(tasks), figsize=(6.5 * len(tasks), 3.4))
    kinds = (
        ("plan", "plan", _AWAKE),
        ("habit", "habit", _SLEPT),
        ("plan_lesioned", "plan,\nno basal\nganglia", _AWAKE),
        ("habit_lesioned", "habit,\nno basal\nganglia", _SLEPT),
    )
    for task, (left, right) in zip(tasks, np.reshape(axes, (-1, 2)), strict=True):
        group = [r for r in rows if r["env"] == task]
        for x, (kind, _, colour) in enumerate(kinds):
            values = [r[kind]["return"] for r in group]
            left.scatter([x] * len(values), values, color=colour, s=16, zorder=3)
            left.hlines(np.mean(values), x - 0.3, x + 0.3, color=colour)
        left.set_xticks(range(len(kinds)), [name for _, name, _ in kinds], fontsize=7)
        left.set_title(f"{task}: return", fontsize=9)
        for x, (kind, _, colour) in enumerate(kinds[:2]):
            micros = [r[kind]["us_on_the_way_least"] for r in group if r["gated"]]
            if micros:
                right.bar(x, np.mean(micros), color=colour, alpha=0.4)
            right.scatter([x] * len(micros), micros, color=colour, s=16, zorder=3)
        right.axhline(60, color="0.5", linewidth=0.8)
        right.set_ylim(0)
        right.set_xticks(range(2), [name for _, name, _ in kinds[:2]])
        right.set_title("µs per step on the way\n(quickest episode)", fontsize=9)
    figure.tight_layout()
    return figure


def _curves(axis: Axes, lines: list[list[float]], colour: str, label: str) -> None:
    """Mean over seeds, and each seed, all averaged over a window of trials."""
    if not lines:
        return
    shortest = min(len(line) for line in lines)
    kernel = np.ones(_WINDOW) / _WINDOW
    smooth = np.array([np.convolve(line[:shortest], kernel, "valid") for line in lines])
    x = np.arange(smooth.shape[1]) + _WINDOW
    axis.plot(x, smooth.T, color=colour, alpha=0.2, linewidth=0.8)
    axis.plot(x, smooth.mean(axis=0), color=colour, linewidth=2, label=label)
