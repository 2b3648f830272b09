"""From records of runs to one row per algorithm: final scores, and what a score costs."""

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from scipy.stats import t as student

from policies.baselines import ALGORITHMS, SB3_CLASSES
from scripts.files import replacing

Record = Mapping[str, Any]


@dataclass(frozen=True)
class Threshold:
    """A score to reach: a return or a success rate."""

    metric: str
    """`return_mean` or `success_rate`."""
    value: float

    @property
    def label(self) -> str:
        """As a heading has it."""
        if self.metric == "success_rate":
            return f"{100 * self.value:g} % success"
        return f"return {self.value:.4g}"


@dataclass(frozen=True)
class MeanCurve:
    """The curves of one algorithm's seeds on common steps. Arrays are (points,)."""

    steps: NDArray[np.float64]
    cpu_seconds: NDArray[np.float64]
    mean: NDArray[np.float64]
    half_width: NDArray[np.float64]
    """Half of the 95 % confidence interval of the mean over seeds (Student's t)."""


@dataclass(frozen=True)
class Cost:
    """What it took until the mean over seeds first reached a threshold."""

    steps: float
    """Environment steps; infinite if it was not reached."""
    cpu_seconds: float
    """CPU seconds of training; infinite if it was not reached."""
    steps_ratio: float = math.nan
    """Steps of the quickest SB3 algorithm over these steps."""
    cpu_ratio: float = math.nan
    """CPU seconds of the quickest SB3 algorithm over these."""
    at_least: bool = False
    """No SB3 algorithm reached it: the ratios count from the smallest budget, and are bounds."""


@dataclass(frozen=True)
class Row:
    """One algorithm's summary."""

    algo: str
    seeds: int
    steps: int
    cpu_seconds: float
    final_return: float
    final_half_width: float
    worst_seed: float
    final_success: float | None
    costs: tuple[Cost, ...]


def by_algorithm(records: Sequence[Record]) -> dict[str, list[Record]]:
    """Group records, in the order of `ALGORITHMS`."""
    groups = {name: [r for r in records if r["algo"] == name] for name in ALGORITHMS}
    return {name: group for name, group in groups.items() if group}


def column(record: Record, name: str) -> NDArray[np.float64]:
    """One quantity along a curve, (points,); NaN where it is null."""
    return np.array([math.nan if p[name] is None else p[name] for p in record["curve"]], float)


def half_width(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Half of the 95 % confidence interval of the mean over axis 0; NaN for fewer than 2 values."""
    n = len(values)
    if n < 2:
        return np.full(values.shape[1:], math.nan)
    return np.asarray(student.ppf(0.975, n - 1) * values.std(axis=0, ddof=1) / math.sqrt(n))


def mean_curve(records: Sequence[Record], metric: str) -> MeanCurve:
    """Average over seeds at every step where any was evaluated and all have begun and not ended."""
    steps = [column(r, "steps") for r in records]
    first, last = max(s[0] for s in steps), min(s[-1] for s in steps)
    grid = np.unique(np.concatenate(steps))
    grid = grid[(grid >= first) & (grid <= last)]

    def on_grid(name: str) -> NDArray[np.float64]:
        pairs = zip(steps, records, strict=True)
        return np.array([np.interp(grid, s, column(r, name)) for s, r in pairs])

    values = on_grid(metric)
    cpu = on_grid("cpu_seconds").mean(axis=0)
    return MeanCurve(grid, cpu, values.mean(axis=0), half_width(values))


def cost_of(curve: MeanCurve, threshold: float) -> Cost:
    """Where the mean curve first reaches the threshold."""
    reached = np.flatnonzero(curve.mean >= threshold)
    if len(reached) == 0:
        return Cost(math.inf, math.inf)
    return Cost(float(curve.steps[reached[0]]), float(curve.cpu_seconds[reached[0]]))


def default_thresholds(records: Sequence[Record]) -> list[Threshold]:
    """Choose the best SB3 algorithm's final return, and 90 % success where the task tells it."""
    groups = by_algorithm(records)
    finals = [
        float(np.mean([r["curve"][-1]["return_mean"] for r in group]))
        for name, group in groups.items()
        if name in SB3_CLASSES
    ]
    thresholds = [Threshold("return_mean", max(finals))] if finals else []
    if records and all(p["success_rate"] is not None for r in records for p in r["curve"]):
        thresholds.append(Threshold("success_rate", 0.9))
    return thresholds


def summarise(records: Sequence[Record], thresholds: Sequence[Threshold]) -> list[Row]:
    """One row per algorithm."""
    groups = by_algorithm(records)
    costs = {name: [] for name in groups}  # type: dict[str, list[Cost]]
    for threshold in thresholds:
        found = {
            name: cost_of(mean_curve(group, threshold.metric), threshold.value)
            for name, group in groups.items()
        }
        budgets = {
            name: Cost(max(r["curve"][-1]["steps"] for r in group), _cpu_seconds(group))
            for name, group in groups.items()
        }
        for name, cost in found.items():
            costs[name].append(_with_ratios(cost, found, budgets))
    return [_row(name, group, tuple(costs[name])) for name, group in groups.items()]


def _with_ratios(cost: Cost, found: Mapping[str, Cost], budgets: Mapping[str, Cost]) -> Cost:
    """Relate a cost to that of the quickest SB3 algorithm."""
    bars = [found[name] for name in found if name in SB3_CLASSES]
    if not bars or not math.isfinite(cost.steps):
        return cost
    at_least = not any(math.isfinite(bar.steps) for bar in bars)
    if at_least:
        bars = [budgets[name] for name in found if name in SB3_CLASSES]
    return Cost(
        cost.steps,
        cost.cpu_seconds,
        _ratio(min(bar.steps for bar in bars), cost.steps),
        _ratio(min(bar.cpu_seconds for bar in bars), cost.cpu_seconds),
        at_least,
    )


def _ratio(bar: float, own: float) -> float:
    return bar / own if own > 0 else math.inf


def _cpu_seconds(group: Sequence[Record]) -> float:
    return float(np.mean([r["curve"][-1]["cpu_seconds"] for r in group]))


def _row(name: str, group: Sequence[Record], costs: tuple[Cost, ...]) -> Row:
    last = [r["curve"][-1] for r in group]
    returns = np.array([p["return_mean"] for p in last])
    successes = [p["success_rate"] for p in last]
    return Row(
        algo=name,
        seeds=len(group),
        steps=max(p["steps"] for p in last),
        cpu_seconds=_cpu_seconds(group),
        final_return=float(returns.mean()),
        final_half_width=float(half_width(returns)),
        worst_seed=float(returns.min()),
        final_success=None if None in successes else float(np.mean(successes)),
        costs=costs,
    )


def write_csv(path: Path, rows: Sequence[Row], thresholds: Sequence[Threshold]) -> None:
    """Write the summary; a cost that was not reached is empty."""
    head = [
        "algo",
        "seeds",
        "steps",
        "cpu_seconds",
        "return_mean",
        "return_ci95",
        "return_worst_seed",
    ]
    head.append("success_rate")
    parts = ("steps", "cpu_seconds", "steps_ratio", "cpu_ratio", "ratio_is_lower_bound")
    head += [f"{part} to {threshold.label}" for threshold in thresholds for part in parts]
    with replacing(path) as beside, beside.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(head)
        for row in rows:
            cells: list[Any] = [row.algo, row.seeds, row.steps, _cell(row.cpu_seconds)]
            cells += [_cell(row.final_return), _cell(row.final_half_width), _cell(row.worst_seed)]
            cells.append("" if row.final_success is None else _cell(row.final_success))
            for cost in row.costs:
                numbers = (cost.steps, cost.cpu_seconds, cost.steps_ratio, cost.cpu_ratio)
                cells += [*map(_cell, numbers), cost.at_least]
            writer.writerow(cells)


def _cell(value: float) -> str:
    return f"{value:.6g}" if math.isfinite(value) else ""


def print_tables(
    console: Console, title: str, rows: Sequence[Row], thresholds: Sequence[Threshold]
) -> None:
    """Show the final scores, and for each threshold what it took to reach it."""
    success = any(row.final_success is not None for row in rows)
    heads = ["seeds", "steps", "CPU s", "final return", "worst seed", *["success"] * success]
    table = _table(
        title,
        heads,
        "±: half of the 95 % confidence interval over seeds; pd and random do not learn",
    )
    for row in rows:
        band = "" if math.isnan(row.final_half_width) else f" ± {row.final_half_width:.2f}"
        cells = [f"{row.seeds}", f"{row.steps:,}", f"{row.cpu_seconds:.1f}"]
        cells += [f"{row.final_return:.2f}{band}", f"{row.worst_seed:.2f}"]
        if success:
            cells.append("" if row.final_success is None else f"{100 * row.final_success:.1f} %")
        _add(table, row.algo, cells)
    console.print(table)
    for i, threshold in enumerate(thresholds):
        table = _table(
            f"To {threshold.label}",
            ["steps", "CPU s", "steps of SB3", "CPU of SB3"],
        )
        for row in rows:
            _add(table, row.algo, _cost_cells(row.costs[i]))
        console.print(table)
    if thresholds:
        console.print(
            "To a score: until the mean over seeds first reaches it. The last two columns say how "
            "many times as much the quickest Stable-Baselines3 algorithm took."
        )


def _table(title: str, heads: Sequence[str], caption: str | None = None) -> Table:
    table = Table(title=title, caption=caption, header_style="bold", min_width=60)
    table.add_column("algorithm")
    for head in heads:
        table.add_column(head, justify="right", no_wrap=True)
    return table


def _add(table: Table, algo: str, cells: Sequence[str]) -> None:
    table.add_row(algo, *cells, style="bold" if algo == "brain" else None)


def _cost_cells(cost: Cost) -> list[str]:
    if not math.isfinite(cost.steps):
        return ["not reached", "", "", ""]
    bound = "≥ " if cost.at_least else ""
    ratios = [
        f"{bound}{ratio:.3g} ×" if math.isfinite(ratio) else ""
        for ratio in (cost.steps_ratio, cost.cpu_ratio)
    ]
    return [f"{cost.steps:,.0f}", f"{cost.cpu_seconds:.2f}", *ratios]
