"""From findings to the page: what each section of the report shows."""

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from policies.baselines import ALGORITHMS
from scripts.curves import AXES, METRICS, label_of
from scripts.report_charts import Interval, curves_chart, interval_chart, profile_chart, short
from scripts.report_find import Comparison, Document, File, Findings, Trained, plain_json
from scripts.report_studies import Study, lesions_of_comparisons, study_of
from scripts.report_tables import Table, cost_table, score_table, seed_table
from scripts.rivals import improvements, profiles
from scripts.statistics import estimate, interquartile_mean, normalised
from scripts.summary import (
    by_algorithm,
    default_thresholds,
    finals,
    scale_of,
    summarise,
)

LOOKS = Path(__file__).resolve().parent.parent / "assets" / "report"
NORMALISED = "normalised score (random 0, best SB3 1)"


@dataclass(frozen=True)
class Chart:
    """A drawing, or one for each of several horizontal axes."""

    title: str
    drawings: Mapping[str, Markup]
    """By the key of the axis; by "" where there is but one."""


@dataclass(frozen=True)
class TaskCard:
    """One task's comparison."""

    slug: str
    title: str
    about: str
    algos: Sequence[tuple[str, str]]
    """Key and label of what the legend shows."""
    charts: Sequence[Chart]
    scores: Table
    costs: Table | None
    seeds: Table
    settings: Sequence[tuple[str, str]]
    place: str


@dataclass(frozen=True)
class RunCard:
    """One run of `neonate train`."""

    place: str
    title: str
    about: str
    chart: Markup | None
    settings: str


@dataclass(frozen=True)
class Media:
    """A video or a picture inside the page, or a note that it is too large."""

    place: str
    kind: str
    data: str
    size: str


@dataclass
class Page:
    """Everything that the template shows."""

    title: str
    folder: str
    tiles: list[tuple[str, str]] = field(default_factory=list)
    overall: list[Chart] = field(default_factory=list)
    overall_about: str = ""
    overall_algos: list[tuple[str, str]] = field(default_factory=list)
    tasks: list[TaskCard] = field(default_factory=list)
    videos: list[Media] = field(default_factory=list)
    lesions: list[Study] = field(default_factory=list)
    robustness: list[Study] = field(default_factory=list)
    others: list[Study] = field(default_factory=list)
    runs: list[RunCard] = field(default_factory=list)
    pictures: list[Media] = field(default_factory=list)
    versions: list[tuple[str, str]] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    unread: list[tuple[str, str]] = field(default_factory=list)


def make_page(found: Findings, title: str, folder: str, most_bytes: int) -> Page:
    """Work out what is shown.

    Args:
        found: what there is.
        title: of the page.
        folder: what was looked through, as the page names it.
        most_bytes: a video or picture larger than this is named and left out.

    """
    page = Page(title, folder, unread=list(found.unread))
    lesioned, whole = lesions_of_comparisons(found.comparisons)
    page.lesions = lesioned
    page.tasks = [task_card(comparison, i) for i, comparison in enumerate(whole)]
    page.overall, page.overall_algos, page.overall_about = overall(whole)
    kinds = {"lesions": page.lesions, "robustness": page.robustness, "others": page.others}
    for document in found.documents:
        for kind, study in study_of(document):
            kinds[kind].append(study)
    page.runs = [run_card(run) for run in found.trained]
    page.videos = [media(file, most_bytes) for file in found.videos]
    page.pictures = [media(file, most_bytes) for file in found.pictures]
    page.versions = versions_of(found)
    page.commands = commands_of(found)
    records = [record for c in found.comparisons for record in c.records]
    tasks = {c.env for c in found.comparisons} | {r.info.env for r in found.trained}
    algos = {r["algo"] for r in records} | {r.info.algo for r in found.trained}
    page.tiles = [
        (str(len(tasks)), "tasks"),
        (str(len(algos)), "algorithms"),
        (str(len(records) + len(found.trained)), "runs"),
        (_hours(sum(r["curve"][-1]["cpu_seconds"] for r in records)), "of training, CPU"),
    ]
    return page


def render(page: Page) -> str:
    """Write the page as one HTML text that needs nothing else."""
    looks = jinja2.Environment(
        loader=jinja2.FileSystemLoader(LOOKS),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    style, script = ((LOOKS / name).read_text() for name in ("style.css", "page.js"))
    template = looks.get_template("page.html")
    return template.render(page=page, style=Markup(style), script=Markup(script), axes=AXES)


def task_card(comparison: Comparison, index: int) -> TaskCard:
    """Show one comparison."""
    records = comparison.records
    thresholds = default_thresholds(records)
    rows = summarise(records, thresholds)
    groups = by_algorithm(records)
    told = all(p["success_rate"] is not None for r in records for p in r["curve"])
    charts = [
        Chart(
            "Success" if metric == "success_rate" else "Return",
            {over: Markup(curves_chart(records, metric, over)) for over in AXES},
        )
        for metric in METRICS
        if metric == "return_mean" or told
    ]
    ends = [Interval(short(r.algo), r.iqm, r.algo) for r in rows if r.algo != "random"]
    ends = ends or [Interval(short(r.algo), r.iqm, r.algo) for r in rows]
    charts.append(_chart("Final return", interval_chart(ends, "interquartile mean over seeds")))
    charts += _rivalry([records], scale_of(records) is not None)
    first = records[0]["eval"]["first_seed"]
    last = first + records[0]["eval"]["episodes"] - 1
    seeds = "; ".join(f"{label_of(name)} {len(group)}" for name, group in groups.items())
    settings = [
        (label_of(name), plain_json(group[0].get("settings", {})))
        for name, group in groups.items()
        if group[0].get("settings")
    ]
    return TaskCard(
        slug=f"task-{index}",
        title=comparison.env,
        about=f"Seeds: {seeds}. Evaluation episodes {first} to {last}, frozen and deterministic.",
        algos=[(name, label_of(name)) for name in groups],
        charts=charts,
        scores=score_table(rows),
        costs=cost_table(rows, thresholds) if thresholds else None,
        seeds=seed_table(records),
        settings=settings,
        place=comparison.place,
    )


def overall(
    comparisons: Sequence[Comparison],
) -> tuple[list[Chart], list[tuple[str, str]], str]:
    """Show what holds over several tasks, of the algorithms that all of them have."""
    tasks = [c.records for c in comparisons if scale_of(c.records) is not None]
    if len(tasks) < 2:
        return [], [], ""
    groups = [by_algorithm(records) for records in tasks]
    scales = [scale_of(records) or (0.0, 1.0) for records in tasks]
    common = [name for name in ALGORITHMS if all(name in group for group in groups)]
    rows = []
    for name in common:
        pairs = zip(groups, scales, strict=True)
        scores = [normalised(finals(group[name]), *scale) for group, scale in pairs]
        rows.append(Interval(short(name), estimate(interquartile_mean, *scores), name))
    charts = [_chart("Over all tasks", interval_chart(rows, NORMALISED, mark=1.0))]
    profile, *chances = _rivalry(tasks, scaled=True)
    charts += [*chances, profile]  # the two that are low stand in one column
    names = ", ".join(str(records[0]["env"]) for records in tasks)
    return charts, [(name, label_of(name)) for name in common], names


def _rivalry(tasks: Sequence[Sequence[Any]], scaled: bool) -> list[Chart]:
    """Show performance profiles, and how probably the brain ends better than each other."""
    charts = []
    found = profiles(tasks, scaled)
    if len(found) > 1:
        label = NORMALISED if scaled else "return"
        charts.append(_chart("Performance profile", profile_chart(found, label)))
    chances = improvements(tasks)
    if chances:
        rows = [Interval(f"than {short(n)}", chance, n) for n, chance in chances.items()]
        drawn = interval_chart(rows, "probability, %", "{:.0f}", 100, (0, 100), mark=50)
        charts.append(_chart("How probably Neonate ends better", drawn))
    return charts


def _chart(title: str, drawing: str) -> Chart:
    return Chart(title, {"": Markup(drawing)})


def run_card(run: Trained) -> RunCard:
    """Show one run of `neonate train`."""
    info = run.info
    steps = f"{info.steps_done:,} of {info.steps_asked:,} steps"
    bodies = f", {info.n_envs} bodies" if info.n_envs > 1 else ""
    about = f"{label_of(info.algo)}, seed {info.seed}, {steps}{bodies}"
    return RunCard(run.place, info.env, about, None, plain_json(dict(info.settings)))


def media(file: File, most_bytes: int) -> Media:
    """Put a file into the page."""
    size = file.path.stat().st_size
    said = f"{size / 1e6:.1f} MB"
    if size > most_bytes:
        return Media(file.place, file.kind, "", said)
    return Media(file.place, file.kind, base64.b64encode(file.path.read_bytes()).decode(), said)


def versions_of(found: Findings) -> list[tuple[str, str]]:
    """List every version of every package that anything was obtained with."""
    dicts: list[Mapping[str, Any]] = [r["versions"] for c in found.comparisons for r in c.records]
    dicts += [run.info.versions for run in found.trained]
    dicts += [d.value["versions"] for d in found.documents if _is_dict(d.value.get("versions"))]
    names = dict.fromkeys(name for versions in dicts for name in versions)
    return [
        (name, ", ".join(sorted({str(versions[name]) for versions in dicts if name in versions})))
        for name in names
    ]


def commands_of(found: Findings) -> list[str]:
    """List every command once."""
    lines: list[str] = [r.get("command", "") for c in found.comparisons for r in c.records]
    lines += [line for run in found.trained for line in run.info.commands]
    lines += [line for d in found.documents for line in _commands_in(d)]
    return [line for line in dict.fromkeys(lines) if line]


def _commands_in(document: Document) -> Iterable[str]:
    """Find the command of a document, or those of its runs."""
    runs = document.value.get("runs")
    holders = [document.value, *(runs if isinstance(runs, list) else [])]
    for holder in holders:
        if _is_dict(holder) and isinstance(holder.get("command"), str):
            yield holder["command"]


def _is_dict(value: Any) -> bool:
    return isinstance(value, dict)


def _hours(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
