"""The tables of a comparison, on the screen and as CSV."""

import csv
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from scripts.files import replacing
from scripts.rivals import improvements
from scripts.statistics import Estimate
from scripts.summary import Cost, Record, Row, Threshold, by_algorithm


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
    for name in ("return_iqm", "normalised_iqm", "success_iqm"):
        head += [name, f"{name}_low", f"{name}_high"]
    parts = (
        "steps",
        "cpu_seconds",
        "seeds_reached",
        "steps_ratio",
        "cpu_ratio",
        "ratio_is_lower_bound",
    )
    head += [f"{part} to {threshold.label}" for threshold in thresholds for part in parts]
    with replacing(path) as beside, beside.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(head)
        for row in rows:
            cells: list[Any] = [row.algo, row.seeds, row.steps, _cell(row.cpu_seconds)]
            cells += [_cell(row.final_return), _cell(row.final_half_width), _cell(row.worst_seed)]
            cells.append("" if row.final_success is None else _cell(row.final_success))
            for figure in (row.iqm, row.normalised, row.success):
                cells += _estimate_cells(figure)
            for cost in row.costs:
                cells += [_cell(cost.steps), _cell(cost.cpu_seconds), cost.reached]
                cells += [_cell(cost.steps_ratio), _cell(cost.cpu_ratio), cost.at_least]
            writer.writerow(cells)


def write_improvements(path: Path, records: Sequence[Record]) -> None:
    """Write how probably each algorithm ends better than each other, with its interval."""
    with replacing(path) as beside, beside.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["algo", "than", "probability", "low", "high"])
        for ours in by_algorithm(records):
            for theirs, chance in improvements([records], ours).items():
                writer.writerow([ours, theirs, *_estimate_cells(chance)])


def _cell(value: float) -> str:
    return f"{value:.6g}" if math.isfinite(value) else ""


def _estimate_cells(figure: Estimate | None) -> list[str]:
    if figure is None:
        return ["", "", ""]
    return [_cell(figure.value), _cell(figure.low), _cell(figure.high)]


def print_tables(
    console: Console,
    title: str,
    rows: Sequence[Row],
    thresholds: Sequence[Threshold],
    records: Sequence[Record],
) -> None:
    """Show the final scores, who beats the first, and what it took to reach each threshold."""
    success = any(row.success is not None for row in rows)
    scaled = any(row.normalised is not None for row in rows)
    heads = ["seeds", "steps", "CPU s", "return, IQM", "worst seed"]
    heads += ["normalised"] * scaled + ["success"] * success
    notes = "IQM: mean of the middle half of the seeds, and its 95 % bootstrap interval"
    if scaled:
        notes += "; normalised: random actions are 0, the best SB3 algorithm's mean is 1"
    table = _table(title, heads, notes)
    for row in rows:
        cells = [f"{row.seeds}", f"{row.steps:,}", f"{row.cpu_seconds:.1f}"]
        cells += [row.iqm.text(), f"{row.worst_seed:.2f}"]
        if scaled:
            cells.append("" if row.normalised is None else f"{row.normalised.value:.2f}")
        if success:
            cells.append("" if row.success is None else row.success.text("{:.0f}", " %", 100))
        _add(table, row.algo, cells)
    console.print(table)
    _print_improvements(console, rows[0].algo, records)
    for i, threshold in enumerate(thresholds):
        table = _table(
            f"To {threshold.label}",
            ["steps", "CPU s", "seeds", "steps of SB3", "CPU of SB3"],
        )
        for row in rows:
            _add(table, row.algo, _cost_cells(row.costs[i], row.seeds))
        console.print(table)
    if thresholds:
        console.print(
            "To a score: until the mean over seeds first reaches it; how many seeds reached it at "
            "any time; how many times as much the quickest Stable-Baselines3 algorithm took."
        )


def _table(title: str, heads: Sequence[str], caption: str | None = None) -> Table:
    table = Table(title=title, caption=caption, header_style="bold", min_width=60)
    table.add_column("algorithm")
    for head in heads:
        table.add_column(head, justify="right", no_wrap=True)
    return table


def _add(table: Table, algo: str, cells: Sequence[str]) -> None:
    table.add_row(algo, *cells, style="bold" if algo == "brain" else None)


def _print_improvements(console: Console, ours: str, records: Sequence[Record]) -> None:
    found = improvements([records], ours)
    if not found:
        return
    table = _table(f"How probably {ours} ends better", ["probability (95 % interval)"])
    for name, chance in found.items():
        table.add_row(f"than {name}", chance.text())
    console.print(table)


def _cost_cells(cost: Cost, seeds: int) -> list[str]:
    reached = f"{cost.reached}/{seeds}"
    if not math.isfinite(cost.steps):
        return ["not reached", "", reached, "", ""]
    bound = "≥ " if cost.at_least else ""
    ratios = [
        f"{bound}{ratio:.3g} ×" if math.isfinite(ratio) else ""
        for ratio in (cost.steps_ratio, cost.cpu_ratio)
    ]
    return [f"{cost.steps:,.0f}", f"{cost.cpu_seconds:.2f}", reached, *ratios]
