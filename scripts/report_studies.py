"""Lesions, robustness and any other table of results, as the report shows them."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from markupsafe import Markup

from scripts.report_charts import Interval, interval_chart, short
from scripts.report_find import Comparison, Document
from scripts.report_tables import Cell, Table, any_table, estimate_of, figure, number
from scripts.statistics import estimate, improvement, interquartile_mean
from scripts.summary import Record, finals

INTACT, CLEAN = "intact", "clean"
_DISTURBANCE = ("disturbance", "perturbation", "test", "condition")


@dataclass(frozen=True)
class Study:
    """A table of results and the charts that go with it."""

    title: str
    place: str
    table: Table
    charts: Sequence[tuple[str, Markup]] = field(default_factory=tuple)
    about: str = ""


def lesions_of_comparisons(
    comparisons: Sequence[Comparison],
) -> tuple[list[Study], list[Comparison]]:
    """Bring comparisons of lesioned brains together with the intact one beside them.

    Folders belong together that stand in the same folder and are of the same environment, if one
    of them has lesions.

    Returns:
        The lesion studies, and the comparisons that are none.

    """
    groups: dict[tuple[str, str], list[Comparison]] = {}
    for comparison in comparisons:
        parent = comparison.place.rpartition("/")[0]
        groups.setdefault((parent, comparison.env), []).append(comparison)
    studies, rest = [], []
    for (parent, env), group in groups.items():
        brains_only = [c for c in group if {r["algo"] for r in c.records} == {"brain"}]
        if any(c.lesions for c in brains_only):
            studies.append(_lesion_study(parent, env, brains_only))
            rest += [c for c in group if c not in brains_only]
        else:
            rest += group
    return studies, rest


def _lesion_study(parent: str, env: str, group: Sequence[Comparison]) -> Study:
    by: dict[str, list[Record]] = {}
    for comparison in group:
        for record in comparison.records:
            name = " and ".join(record["settings"]["lesions"]) or INTACT
            by.setdefault(name, []).append(record)
    order = sorted(by, key=lambda name: (name != INTACT, name))
    whole = by.get(INTACT, [])
    told = all(
        not math.isnan(s) for records in by.values() for s in finals(records, "success_rate")
    )
    heads = ["taken away", "seeds", "steps", "return, IQM (95 %)", *["success (95 %)"] * told]
    heads += ["probability that the intact brain is better"] * bool(whole)
    rows, returns, successes = [], [], []
    for name in order:
        records = by[name]
        iqm = estimate(interquartile_mean, finals(records))
        returns.append(Interval(_spoken(name), iqm, "brain" if name == INTACT else ""))
        steps = max(r["curve"][-1]["steps"] for r in records)
        line = [Cell(_spoken(name), name), number(len(records)), number(steps, "{:,}"), figure(iqm)]
        if told:
            success = estimate(interquartile_mean, finals(records, "success_rate"))
            successes.append(Interval(_spoken(name), success, "brain" if name == INTACT else ""))
            line.append(figure(success, "{:.0f}", " %", 100))
        if whole:
            better = estimate(improvement, finals(whole), finals(records))
            line.append(Cell("") if name == INTACT else figure(better))
        rows.append(line)
    mark = returns[0].estimate.value if whole else None
    charts = [_chart("Return", returns, "interquartile mean over seeds", mark)]
    if told:
        charts.append(_chart("Success", successes, "success, %", None, "{:.0f}", 100))
    return Study(env, parent, Table(heads, rows, strong=frozenset({0} if whole else ())), charts)


def study_of(document: Document) -> Iterator[tuple[str, Study]]:
    """Turn a document into studies: what section each belongs to, and what it shows.

    Of a JSON object every member that is a list of flat rows is a table, `table` and `rows` among
    them; `runs` are left to the file where there is a `table` of them.
    """
    value = document.value
    for name, rows in _tables_in(value):
        title = str(value.get("env") or PurePosixPath(document.place).stem.replace("_", " "))
        about = _about(value)
        if "lesion" in rows[0]:
            yield "lesions", _lesion_table(title, document.place, rows, about)
            continue
        kind = _kind(document.place, rows)
        if kind == "robustness":
            charts = _robustness_charts(rows)
            yield kind, Study(title, document.place, any_table(rows), charts, about)
        else:
            more = "" if name in ("table", "rows", "") else f": {name.replace('_', ' ')}"
            yield kind, Study(title + more, document.place, any_table(rows), (), about)


def _tables_in(value: Mapping[str, Any]) -> Iterator[tuple[str, list[Mapping[str, Any]]]]:
    summarised = isinstance(value.get("table"), list) and bool(value["table"])
    for name, member in value.items():
        if summarised and name == "runs":
            continue
        if isinstance(member, list) and member and all(_is_flat(row) for row in member):
            yield name, member
        elif isinstance(member, dict) and all(_has_median(part) for part in member.values()):
            medians: list[Mapping[str, Any]]
            medians = [{"": key, **part["median"]} for key, part in member.items()]
            if medians:
                yield f"{name}, medians", medians


def _lesion_table(title: str, place: str, rows: Sequence[Mapping[str, Any]], about: str) -> Study:
    """Show a table of lesions: during learning and after it, where it tells both."""
    charts = []
    whole = [row for row in rows if row["lesion"] == INTACT]
    for name, unit, scale in (("return", "return", 1.0), ("success", "success, %", 100.0)):
        if not all(isinstance(row.get(name), int | float) for row in rows):
            continue
        for when in dict.fromkeys(str(r.get("when", "")) for r in rows if r["lesion"] != INTACT):
            group = [r for r in rows if r["lesion"] != INTACT and str(r.get("when", "")) == when]
            drawn = [
                Interval(
                    _spoken(str(row["lesion"])),
                    estimate_of(row, name),
                    "brain" if row["lesion"] == INTACT else "",
                )
                for row in [*whole, *group]
            ]
            mark = scale * drawn[0].estimate.value if whole else None
            form = "" if scale == 1 else "{:.0f}"
            heading = f"{name.capitalize()}, lesion {when.replace('_', ' ')}".rstrip(", ")
            charts.append(_chart(heading, drawn, unit, mark, form, scale))
    strong = frozenset(i for i, row in enumerate(rows) if row["lesion"] == INTACT)
    table = any_table(rows)
    return Study(title, place, Table(table.heads, table.rows, table.caption, strong), charts, about)


def _robustness_charts(rows: Sequence[Mapping[str, Any]]) -> list[tuple[str, Markup]]:
    """Draw the retained share of each algorithm, all on the same axis, if the table tells it.

    Where agents were measured again after they had lived with a disturbance (`learn_on` steps),
    that is a chart of its own.
    """
    share = next((n for n in rows[0] if n.startswith("retained") and _plain_name(n)), None)
    what = next((n for n in _DISTURBANCE if n in rows[0]), None)
    if share is None or what is None:
        return []
    drawn: dict[str, list[Interval]] = {}
    for row in rows:
        if row[what] == CLEAN:
            continue
        algo, lived = str(row.get("algo", "")), row.get("learn_on") or 0
        heading = f"{short(algo)}, kept" + (f" after {lived:,} steps with it" if lived else "")
        interval = Interval(_spoken(str(row[what])), estimate_of(row, share), algo)
        drawn.setdefault(heading, []).append(interval)
    values = [i.estimate for group in drawn.values() for i in group]
    numbers = [v for e in values for v in (e.value, e.low, e.high) if math.isfinite(v)]
    largest = max((e.value for e in values if math.isfinite(e.value)), default=1.0)
    percent = 100.0 if largest <= 5 else 1.0  # it is in percent already otherwise
    ends = min(0.0, *(percent * v for v in numbers)), max(110.0, *(percent * v for v in numbers))
    return [
        _chart(heading, group, "share of the clean score, %", 100.0, "{:.0f}", percent, ends)
        for heading, group in drawn.items()
    ]


def _chart(
    heading: str,
    rows: Sequence[Interval],
    unit: str,
    mark: float | None,
    form: str = "",
    scale: float = 1.0,
    ends: tuple[float, float] | None = None,
) -> tuple[str, Markup]:
    drawn = interval_chart(rows, unit, form, scale, ends, mark)
    return heading, Markup(drawn)


def _kind(place: str, rows: Sequence[Mapping[str, Any]]) -> str:
    name = place.lower()
    robust = "robust" in name or any(key.startswith("retained") for key in rows[0])
    return "robustness" if robust else "others"


def _about(value: Mapping[str, Any]) -> str:
    parts = []
    if isinstance(value.get("steps"), int):
        parts.append(f"{value['steps']:,} steps of training")
    held = value.get("eval")
    if isinstance(held, dict) and isinstance(held.get("first_seed"), int):
        last = held["first_seed"] + int(held.get("episodes", 1)) - 1
        parts.append(f"evaluation episodes {held['first_seed']} to {last}")
    return ", ".join(parts).capitalize() + "." if parts else ""


def _spoken(name: str) -> str:
    return name.replace("_", " ")


def _plain_name(name: str) -> bool:
    return not name.endswith(("_low", "_high"))


def _is_flat(row: Any) -> bool:
    return (
        isinstance(row, dict)
        and all(v is None or isinstance(v, int | float | str) for v in row.values())
        and bool(row)
    )


def _has_median(part: Any) -> bool:
    return isinstance(part, dict) and _is_flat(part.get("median"))
