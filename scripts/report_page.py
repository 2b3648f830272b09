"""From findings to the page: what each section of the report shows."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from policies.baselines import ALGORITHMS
from scripts.curves import AXES, METRICS, label_of
from scripts.report_charts import (
    Interval,
    curves_chart,
    interval_chart,
    log_chart,
    profile_chart,
    short,
)
from scripts.report_find import (
    Comparison,
    File,
    Findings,
    Trained,
    commands_of,
    plain_json,
    versions_of,
)
from scripts.report_studies import Study, lesions_of_comparisons, study_of
from scripts.report_tables import Table, cost_table, run_table, score_table, seed_table
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
    """The runs of `neonate train` in one environment."""

    title: str
    algos: Sequence[tuple[str, str]]
    table: Table
    charts: Sequence[Chart]
    settings: Sequence[tuple[str, str]]


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
    for env in dict.fromkeys(run.info.env for run in found.trained):
        group = [run for run in found.trained if run.info.env == env]
        page.runs.append(run_card(env, group))
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


def run_card(env: str, runs: Sequence[Trained]) -> RunCard:
    """Show the runs of `neonate train` in one environment."""
    logs = [(run.info.algo, *log_of(run)) for run in runs]
    logs = [log for log in logs if len(log[1]) > 1]
    charts = [_chart("While they learnt", log_chart(logs))] if logs else []
    settings = {label_of(r.info.algo): plain_json(dict(r.info.settings)) for r in runs}
    algos = [(name, label_of(name)) for name in dict.fromkeys(run.info.algo for run in runs)]
    return RunCard(env, algos, run_table(runs), charts, list(settings.items()))


def log_of(run: Trained) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Read steps and mean returns from a run's log, each (points,)."""
    names = ("time/total_timesteps", "rollout/ep_rew_mean")
    rows = [[row.get(name, "") for name in names] for row in run.log]
    points = np.array([row for row in rows if all(row)], np.float64).reshape(-1, 2)
    points = points[np.isfinite(points).all(axis=1)]
    return points[:, 0], points[:, 1]


def media(file: File, most_bytes: int) -> Media:
    """Put a file into the page."""
    size = file.path.stat().st_size
    said = f"{size / 1e6:.1f} MB"
    if size > most_bytes:
        return Media(file.place, file.kind, "", said)
    return Media(file.place, file.kind, base64.b64encode(file.path.read_bytes()).decode(), said)


def _hours(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
