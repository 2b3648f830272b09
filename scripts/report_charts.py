"""Charts of the report as SVG text: colours come from the page, so that they follow its theme.

Whatever stands for an algorithm carries `data-algo`, by which the page's legend hides it, and
points carry `data-tip`, which the page shows beside the pointer.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from policies.baselines import learns
from scripts import report_svg as pen
from scripts.curves import AXES, METRICS, label_of
from scripts.report_svg import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, Floats, Scale, form_for
from scripts.statistics import Estimate, Profile
from scripts.summary import IqmCurve, Record, by_algorithm, column, iqm_curve

ROW = 34  # (Units of the drawing) height of a row of an interval chart
SHORT = {"oscillator": "oscillators", "pd": "PD"}  # where there is no room for what they are told


@dataclass(frozen=True)
class Interval:
    """One row of an interval chart."""

    label: str
    estimate: Estimate
    algo: str = ""
    """Whose colour it has; none if empty."""


def short(name: str) -> str:
    """Name an algorithm in few letters."""
    return SHORT.get(name, label_of(name))


def curves_chart(records: Sequence[Record], metric: str, over: str) -> str:
    """Draw learning curves: interquartile means over seeds, their intervals, and the seeds.

    Args:
        records: of one task.
        metric: `return_mean` or `success_rate`.
        over: `steps` or `cpu_seconds`.

    """
    groups = by_algorithm(records)
    curves = {name: iqm_curve(group, metric) for name, group in groups.items()}
    along = {
        name: curve.steps if over == "steps" else curve.cpu_seconds
        for name, curve in curves.items()
        if learns(name)
    }
    places = np.concatenate([x[x > 0] for x in along.values()] or [np.array([1.0])])
    places = places if len(places) else np.array([1.0])
    x = Scale(places.min() / 1.15, places.max() * 1.15, LEFT, WIDTH - RIGHT, log=True)
    y = Scale(*_range(curves, metric), HEIGHT - BOTTOM, TOP)
    parts = [pen.axes(x, y, AXES[over], METRICS[metric], percent=metric == "success_rate")]
    for name in reversed(list(groups)):  # the brain, which is first, is drawn last and lies on top
        curve = curves[name]
        if not learns(name):
            parts.append(_level(name, float(curve.iqm[-1]), y))
            continue
        shapes = [pen.band(x(along[name]), y(curve.low), y(curve.high))]
        for record in groups[name]:
            seed = pen.line(x(column(record, over)), y(column(record, metric)))
            shapes.append(f'<path class="seed" d="{seed}"/>')
        shapes.append(f'<path class="line" d="{pen.line(x(along[name]), y(curve.iqm))}"/>')
        shapes += _points(curve, along[name], x, y, label_of(name), metric, over)
        parts.append(pen.group(name, "".join(shapes)))
    what = f"Learning curves: {METRICS[metric]} over {AXES[over]}"
    return pen.svg(HEIGHT, what, parts[0] + pen.clipped("".join(parts[1:])))


def _points(
    curve: IqmCurve, along: Floats, x: Scale, y: Scale, label: str, metric: str, over: str
) -> list[str]:
    """Draw the points of a curve, which say what they stand for."""
    unit, dots = ("steps" if over == "steps" else "CPU s"), []
    for at, *ends in zip(along, curve.iqm, curve.low, curve.high, strict=True):
        scale, form = (100, "{:.0f}") if metric == "success_rate" else (1, form_for(ends[0]))
        said = Estimate(*map(float, ends)).text(form, " %" if scale == 100 else "", scale)
        at_most = f"{at:,.0f}" if at >= 100 else f"{at:.3g}"
        tip = f"{label}: {pen.signed(said)} at {at_most} {unit}"
        dots.append(pen.dot(float(x(at)), float(y(ends[0])), tip))
    return dots


def log_chart(logs: Sequence[tuple[str, Floats, Floats]]) -> str:
    """Draw how training went: the return over steps of each run, from its log.

    Args:
        logs: algorithm, steps (points,) and mean returns (points,) of each run.

    """
    steps = np.concatenate([log[1] for log in logs])
    returns = np.concatenate([log[2] for log in logs])
    x = Scale(0.0, float(steps.max()) * 1.02, LEFT, WIDTH - RIGHT)
    margin = 0.06 * float(np.ptp(returns)) or 1.0
    y = Scale(returns.min() - margin, returns.max() + margin, HEIGHT - BOTTOM, TOP)
    lines = [
        pen.group(name, f'<path class="log" d="{pen.line(x(at), y(values))}"/>')
        for name, at, values in logs
    ]
    frame = pen.axes(x, y, AXES["steps"], "return while learning")
    return pen.svg(HEIGHT, "Return while learning", frame + pen.clipped("".join(lines)))


def profile_chart(profiles: Mapping[str, Profile], label: str) -> str:
    """Draw performance profiles: which share of runs ends above each score."""
    taus = next(iter(profiles.values())).taus
    x = Scale(float(taus[0]), float(taus[-1]), LEFT, WIDTH - RIGHT)
    y = Scale(0.0, 1.0, HEIGHT - BOTTOM, TOP)
    parts = [pen.axes(x, y, label, "share of runs above", percent=True)]
    for name in reversed(list(profiles)):
        p = profiles[name]
        shapes = pen.band(x(p.taus), y(p.low), y(p.high))
        shapes += f'<path class="line" d="{pen.line(x(p.taus), y(p.share))}"/>'
        parts.append(pen.group(name, shapes))
    return pen.svg(HEIGHT, "Performance profiles", parts[0] + pen.clipped("".join(parts[1:])))


def interval_chart(
    rows: Sequence[Interval],
    label: str,
    form: str = "",
    scale: float = 1.0,
    ends: tuple[float, float] | None = None,
    mark: float | None = None,
) -> str:
    """Draw one point with its interval in each row.

    Args:
        rows: what to draw, from the top.
        label: of the axis.
        form: of a number; by its size if empty.
        scale: by which numbers are multiplied.
        ends: of the axis; chosen if not given.
        mark: where a line across all rows stands.

    """
    found = [scale * v for r in rows for v in (r.estimate.value, r.estimate.low, r.estimate.high)]
    found = [v for v in [*found, *([] if mark is None else [mark])] if math.isfinite(v)] or [0.0]
    margin = 0.06 * (max(found) - min(found))
    low, high = ends or (min(found) - margin, max(found) + margin)
    height = TOP + ROW * len(rows) + BOTTOM
    left = min(190, 26 + 7.6 * max((len(row.label) for row in rows), default=0))
    x = Scale(low, high, left, WIDTH - 78)
    bottom = height - BOTTOM
    parts = [pen.x_axis(x, bottom, label, TOP, most=5)]
    if mark is not None:
        parts.append(f'<path class="mark" d="M{float(x(mark)):.1f} {TOP}V{bottom}"/>')
    for i, row in enumerate(rows):
        parts.append(_interval_row(row, x, TOP + ROW * (i + 0.5), form, scale))
    return pen.svg(height, label, "".join(parts))


def _interval_row(row: Interval, x: Scale, at: float, form: str, scale: float) -> str:
    e = row.estimate
    form = form or form_for(scale * e.value)
    tip = f"{row.label}: {pen.signed(e.text(form, '', scale))}"
    shapes = f'<text class="name" x="4" y="{at + 4.5:.1f}">{escape(pen.cut(row.label))}</text>'
    if math.isfinite(e.value):
        value = float(x(scale * e.value))
        if e.known:
            a, b = float(x(scale * e.low)), float(x(scale * e.high))
            shapes += f'<path class="bar" d="M{a:.1f} {at:.1f}H{b:.1f}"/>'
        shapes += pen.dot(value, at, tip, radius=5.5)
        said = escape(pen.signed(form.format(scale * e.value)))
        shapes += f'<text class="value" x="{WIDTH - 4}" y="{at + 4.5:.1f}">{said}</text>'
    return pen.group(row.algo, shapes)


def _range(curves: Mapping[str, IqmCurve], metric: str) -> tuple[float, float]:
    """Choose the ends of the axis from all but random actions, which may be far below."""
    if metric == "success_rate":
        return 0.0, 1.0
    shown = {n: c for n, c in curves.items() if n != "random"} or curves
    values = np.concatenate([c.iqm for c in shown.values()])
    low, high = float(values.min()), float(values.max())
    most = 0.6 * (high - low) or math.inf  # wide bands of few seeds must not squeeze the curves
    bands = np.concatenate([end for c in shown.values() for end in (c.low, c.high)])
    bands = bands[np.isfinite(bands)]
    if len(bands):
        low = min(low, max(float(bands.min()), low - most))
        high = max(high, min(float(bands.max()), high + most))
    margin = 0.06 * (high - low) or 0.05 * abs(high) or 1.0
    return low - margin, high + margin


def _level(name: str, value: float, y: Scale) -> str:
    if not y.low <= value <= y.high:
        return ""
    tip = escape(f"{label_of(name)}: {pen.signed(form_for(value).format(value))}", quote=True)
    at = float(y(value))
    line = f'<path class="level" d="M{LEFT} {at:.1f}H{WIDTH - RIGHT}"/>'
    wide = f'<path class="feel" data-tip="{tip}" d="M{LEFT} {at:.1f}H{WIDTH - RIGHT}"/>'
    return pen.group(name, line + wide)
