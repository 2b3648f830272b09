"""Tables of the report: cells with the value that they are sorted by."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from policies.baselines import ALGORITHMS, SB3_CLASSES, learns
from scripts.curves import label_of
from scripts.report_charts import short
from scripts.report_find import Trained
from scripts.report_svg import form_for
from scripts.statistics import Estimate
from scripts.summary import Cost, Record, Row, Threshold, finals

ROWS_SHOWN = 200  # of a table of another file


@dataclass(frozen=True)
class Cell:
    """What a cell says and what it is sorted by."""

    text: str
    value: float | str = ""
    algo: str = ""
    """Whose colour goes before the text."""


@dataclass(frozen=True)
class Table:
    """A table with a head."""

    heads: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    caption: str = ""
    strong: frozenset[int] = field(default_factory=frozenset)
    """Rows that stand out."""

    def is_text(self, column: int) -> bool:
        """Tell whether a column holds words and is set to the left."""
        values = [row[column].value for row in self.rows]
        return all(isinstance(value, str) for value in values) and any(values)


def number(value: float, form: str = "{:,.6g}") -> Cell:
    """Make a cell of a number; empty if it is not finite."""
    return Cell(form.format(value).replace("-", "−") if math.isfinite(value) else "–", value)


def figure(estimate: Estimate | None, form: str = "", unit: str = "", scale: float = 1.0) -> Cell:
    """Make a cell of an estimate and its interval, with as many digits as it needs."""
    if estimate is None or not math.isfinite(estimate.value):
        return Cell("–", -math.inf)
    return Cell(
        estimate.text(form or form_for(scale * estimate.value), unit, scale).replace("-", "−"),
        estimate.value,
    )


def seconds(value: float) -> Cell:
    """Make a cell of seconds."""
    return number(value, "{:,.0f}" if value >= 100 else "{:.3g}")


def algorithm(name: str) -> Cell:
    """Make a cell of an algorithm's name."""
    return Cell(short(name), label_of(name), name)


def score_table(rows: Sequence[Row]) -> Table:
    """Tell what each algorithm came to."""
    scaled = any(row.normalised is not None for row in rows)
    success = any(row.success is not None for row in rows)
    heads = ["algorithm", "return, IQM (95 %)", *["success (95 %)"] * success]
    heads += [*["normalised (95 %)"] * scaled, "worst seed", "seeds", "steps", "CPU s"]
    cells = []
    for row in rows:
        line = [algorithm(row.algo), figure(row.iqm)]
        line += [figure(row.success, "{:.0f}", " %", 100)] * success
        line += [figure(row.normalised)] * scaled
        line += [number(row.worst_seed, form_for(row.worst_seed)), number(row.seeds)]
        line += [number(row.steps, "{:,}"), seconds(row.cpu_seconds)]
        cells.append(line)
    strong = frozenset(i for i, row in enumerate(rows) if row.algo == "brain")
    return Table(heads, cells, strong=strong)


def cost_table(rows: Sequence[Row], thresholds: Sequence[Threshold]) -> Table:
    """Tell what it took to reach each threshold."""
    heads = [
        "to",
        "algorithm",
        "steps",
        "CPU s",
        "seeds that reached it",
        "SB3's steps",
        "SB3's CPU",
    ]
    cells: list[list[Cell]] = []
    strong = set()
    for i, threshold in enumerate(thresholds):
        for row in rows:
            if not learns(row.algo):
                continue
            if row.algo == "brain":
                strong.add(len(cells))
            cost = row.costs[i]
            seeds = Cell(f"{cost.reached} of {row.seeds}", cost.reached / row.seeds)
            line = [Cell(threshold.label.replace("-", "−"), threshold.label), algorithm(row.algo)]
            if math.isfinite(cost.steps):
                line += [number(cost.steps, "{:,.0f}"), seconds(cost.cpu_seconds)]
            else:
                line += [Cell("not reached", math.inf), Cell("", math.inf)]
            rival = row.algo not in SB3_CLASSES
            ratios = (cost.steps_ratio, cost.cpu_ratio) if rival else (math.nan, math.nan)
            cells.append([*line, seeds, *(_times(ratio, cost) for ratio in ratios)])
    return Table(heads, cells, strong=frozenset(strong))


def _times(ratio: float, cost: Cost) -> Cell:
    if not math.isfinite(ratio):
        return Cell("", -math.inf)
    return Cell(f"{'≥ ' if cost.at_least else ''}{ratio:,.3g} ×", ratio)


def seed_table(records: Sequence[Record]) -> Table:
    """Tell what every seed came to."""
    successes = finals(records, "success_rate")
    told = any(math.isfinite(s) for s in successes)
    heads = ["algorithm", "seed", "steps", "CPU s", "final return", *["success"] * told]
    rows = []
    for record, success in zip(records, successes, strict=True):
        last = record["curve"][-1]
        line = [algorithm(record["algo"]), number(record["seed"]), number(last["steps"], "{:,}")]
        line += [
            number(last["cpu_seconds"], "{:,.3g}"),
            number(last["return_mean"], form_for(last["return_mean"])),
        ]
        rows.append([*line, *[number(100 * success, "{:.0f} %")] * told])
    return Table(heads, rows)


def run_table(runs: Sequence[Trained]) -> Table:
    """List runs of `neonate train`."""
    heads = ["algorithm", "seed", "steps", "asked", "bodies", "folder"]
    rows = [
        [
            algorithm(run.info.algo),
            number(run.info.seed),
            number(run.info.steps_done, "{:,}"),
            number(run.info.steps_asked, "{:,}"),
            number(run.info.n_envs),
            Cell(run.place, run.place),
        ]
        for run in runs
    ]
    return Table(heads, rows)


def estimate_of(row: Mapping[str, Any], name: str) -> Estimate:
    """Read a figure and its interval from the columns `name`, `name_low` and `name_high`."""
    values = [row.get(key) for key in (name, f"{name}_low", f"{name}_high")]
    return Estimate(*(float(v) if isinstance(v, int | float) else math.nan for v in values))


def any_table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """Show rows of any file; columns `x`, `x_low` and `x_high` become one."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    ends = {f"{name}{end}" for name in names for end in ("_low", "_high")}
    shown = [name for name in names if name not in ends]
    cells = []
    for row in rows[:ROWS_SHOWN]:
        line = []
        for name in shown:
            if name == "algo" and row.get(name) in ALGORITHMS:
                line.append(algorithm(row[name]))
            elif f"{name}_low" in names and isinstance(row.get(name), int | float):
                line.append(figure(estimate_of(row, name)))
            else:
                line.append(_any_cell(row.get(name)))
        cells.append(line)
    left_out = len(rows) - len(cells)
    caption = f"{left_out:,} more rows are in the file" if left_out else ""
    return Table([name.replace("_", " ") for name in shown], cells, caption)


def _any_cell(value: Any) -> Cell:
    if isinstance(value, bool):
        return Cell("yes" if value else "no", float(value))
    if value is None or value == "":
        return Cell("–", -math.inf)
    if isinstance(value, int | float):
        return number(value, "{:,.0f}" if abs(value) >= 1000 else "{:,.4g}")
    if isinstance(value, str):
        try:
            return _any_cell(float(value))
        except ValueError:
            return Cell(value, value)
    return Cell(str(value), str(value))
