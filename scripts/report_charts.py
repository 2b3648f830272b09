"""Charts of the report as SVG text: colours come from the page, so that they follow its theme.

Whatever stands for an algorithm carries `data-algo`, by which the page's legend hides it, and
points carry `data-tip`, which the page shows beside the pointer.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from matplotlib.ticker import EngFormatter, LogLocator, MaxNLocator
from numpy.typing import NDArray

from policies.baselines import learns
from scripts.curves import AXES, METRICS, label_of
from scripts.statistics import Estimate, Profile
from scripts.summary import IqmCurve, Record, by_algorithm, column, iqm_curve

WIDTH, HEIGHT = 480, 300  # (Units of the drawing) two beside each other, or one on a phone
LEFT, RIGHT, TOP, BOTTOM = 62, 14, 12, 46
ROW = 34  # (Units of the drawing) height of a row of an interval chart

SHORT = {"oscillator": "oscillators", "pd": "PD"}  # where there is no room for what they are told

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Interval:
    """One row of an interval chart."""

    label: str
    estimate: Estimate
    algo: str = ""
    """Whose colour it has; none if empty."""


class Scale:
    """Maps values to places of the drawing, on a linear or a logarithmic axis."""

    def __init__(self, low: float, high: float, start: float, end: float, log: bool = False):
        if not high > low:
            low, high = low - (abs(low) or 1) * 0.1, high + (abs(high) or 1) * 0.1
        self.low, self.high, self.start, self.end, self.log = low, high, start, end, log

    def __call__(self, values: Floats | float) -> Floats:
        """Places of values, of their shape; what is beyond the axis stays just beyond it."""
        ends = np.array([self.low, self.high])
        values = np.asarray(values, np.float64)
        if self.log:
            ends, values = np.log10(ends), np.log10(np.maximum(values, self.low * 1e-3))
        share = (values - ends[0]) / (ends[1] - ends[0])
        return self.start + np.clip(share, -0.5, 1.5) * (self.end - self.start)

    def ticks(self, most: int) -> list[float]:
        """Choose round values, `most` at the most or so."""
        if self.log:
            decades = math.log10(self.high / self.low)
            subs = (1.0, 2.0, 5.0) if decades < most / 3 else (1.0,)
            values = LogLocator(subs=subs, numticks=most + 2).tick_values(self.low, self.high)
        else:
            values = MaxNLocator(most, steps=[1, 2, 2.5, 5, 10]).tick_values(self.low, self.high)
        margin = 1e-9 * (self.high - self.low)
        return [float(v) for v in values if self.low - margin <= v <= self.high + margin]


def short(name: str) -> str:
    """Name an algorithm in few letters."""
    return SHORT.get(name, label_of(name))


def form_for(value: float) -> str:
    """Choose how a number of this size is written."""
    if not math.isfinite(value) or abs(value) < 100:
        return "{:.2f}"
    return "{:,.0f}" if abs(value) >= 1000 else "{:.1f}"


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
    parts = [_axes(x, y, AXES[over], METRICS[metric], percent=metric == "success_rate")]
    for name in reversed(list(groups)):  # the brain, which is first, is drawn last and lies on top
        curve = curves[name]
        if not learns(name):
            parts.append(_level(name, float(curve.iqm[-1]), y))
            continue
        shapes = [_band(x(along[name]), y(curve.low), y(curve.high))]
        for record in groups[name]:
            seed = _line(x(column(record, over)), y(column(record, metric)))
            shapes.append(f'<path class="seed" d="{seed}"/>')
        shapes.append(f'<path class="line" d="{_line(x(along[name]), y(curve.iqm))}"/>')
        for at, value, low, high in zip(along[name], curve.iqm, curve.low, curve.high, strict=True):
            unit = "steps" if over == "steps" else "CPU s"
            scale, form = (
                (100, "{:.0f} %") if metric == "success_rate" else (1, form_for(float(value)))
            )
            said = Estimate(float(value), float(low), float(high)).text(form, "", scale)
            tip = f"{label_of(name)}: {said} at {at:,.4g} {unit}"
            shapes.append(_dot(float(x(at)), float(y(value)), tip))
        parts.append(_group(name, "".join(shapes)))
    what = f"Learning curves: {METRICS[metric]} over {AXES[over]}"
    return _svg(HEIGHT, what, parts[0] + _clipped("".join(parts[1:])))


def profile_chart(profiles: Mapping[str, Profile], label: str) -> str:
    """Draw performance profiles: which share of runs ends above each score."""
    taus = next(iter(profiles.values())).taus
    x = Scale(float(taus[0]), float(taus[-1]), LEFT, WIDTH - RIGHT)
    y = Scale(0.0, 1.0, HEIGHT - BOTTOM, TOP)
    parts = [_axes(x, y, label, "share of runs above", percent=True)]
    for name in reversed(list(profiles)):
        p = profiles[name]
        shapes = _band(x(p.taus), y(p.low), y(p.high))
        shapes += f'<path class="line" d="{_line(x(p.taus), y(p.share))}"/>'
        parts.append(_group(name, shapes))
    return _svg(HEIGHT, "Performance profiles", parts[0] + _clipped("".join(parts[1:])))


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
    parts = [_x_axis(x, bottom, label, TOP, most=5)]
    if mark is not None:
        parts.append(f'<path class="mark" d="M{float(x(mark)):.1f} {TOP}V{bottom}"/>')
    for i, row in enumerate(rows):
        parts.append(_interval_row(row, x, TOP + ROW * (i + 0.5), form, scale))
    return _svg(height, label, "".join(parts))


def _interval_row(row: Interval, x: Scale, at: float, form: str, scale: float) -> str:
    e = row.estimate
    form = form or form_for(scale * e.value)
    tip = f"{row.label}: {e.text(form, '', scale)}"
    shapes = f'<text class="name" x="4" y="{at + 4.5:.1f}">{escape(_cut(row.label))}</text>'
    if math.isfinite(e.value):
        value = float(x(scale * e.value))
        if e.known:
            a, b = float(x(scale * e.low)), float(x(scale * e.high))
            shapes += f'<path class="bar" d="M{a:.1f} {at:.1f}H{b:.1f}"/>'
        shapes += _dot(value, at, tip, radius=5.5)
        said = escape(_signed(form.format(scale * e.value)))
        shapes += f'<text class="value" x="{WIDTH - 4}" y="{at + 4.5:.1f}">{said}</text>'
    return _group(row.algo, shapes)


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


def _axes(x: Scale, y: Scale, x_label: str, y_label: str, percent: bool = False) -> str:
    bottom = HEIGHT - BOTTOM
    parts = [_x_axis(x, bottom, x_label, TOP, most=7)]
    for tick in y.ticks(5):
        at = float(y(tick))
        said = f"{100 * tick:.0f} %" if percent else _number(tick, y)
        parts.append(f'<path class="grid" d="M{LEFT} {at:.1f}H{WIDTH - RIGHT}"/>')
        parts.append(f'<text class="tick end" x="{LEFT - 7}" y="{at + 4:.1f}">{said}</text>')
    middle = (TOP + bottom) / 2
    turned = f'transform="translate(13 {middle:.0f}) rotate(-90)"'
    parts.append(f'<text class="axis" {turned}>{escape(y_label)}</text>')
    return "".join(parts)


def _x_axis(x: Scale, bottom: float, label: str, top: float, most: int) -> str:
    parts = []
    for tick in x.ticks(most):
        at = float(x(tick))
        parts.append(f'<path class="grid" d="M{at:.1f} {top}V{bottom}"/>')
        parts.append(f'<text class="tick" x="{at:.1f}" y="{bottom + 17}">{_number(tick, x)}</text>')
    middle = (x.start + x.end) / 2
    parts.append(f'<text class="axis" x="{middle:.0f}" y="{bottom + 37}">{escape(label)}</text>')
    return "".join(parts)


def _number(value: float, scale: Scale) -> str:
    """Spell a tick, with no more digits than it needs."""
    largest = max(abs(scale.low), abs(scale.high))
    if scale.log and value < 1:
        return f"{value:g}"
    if largest >= 1000 and abs(value) >= 1000:
        return str(EngFormatter(sep="")(value))
    return _signed(f"{value:.6g}")


def _signed(text: str) -> str:
    """Write a minus as one; nothing is less than nothing."""
    return text.lstrip("-") if not any(c in text for c in "123456789") else text.replace("-", "−")


def _level(name: str, value: float, y: Scale) -> str:
    if not y.low <= value <= y.high:
        return ""
    tip = escape(f"{label_of(name)}: {value:.2f}", quote=True)
    at = float(y(value))
    line = f'<path class="level" d="M{LEFT} {at:.1f}H{WIDTH - RIGHT}"/>'
    wide = f'<path class="feel" data-tip="{tip}" d="M{LEFT} {at:.1f}H{WIDTH - RIGHT}"/>'
    return _group(name, line + wide)


def _line(xs: Floats, ys: Floats) -> str:
    pairs = [f"{a:.1f} {b:.1f}" for a, b in zip(xs, ys, strict=True) if np.isfinite(a + b)]
    return "M" + "L".join(pairs) if pairs else ""


def _band(xs: Floats, low: Floats, high: Floats) -> str:
    known = np.isfinite(low + high)
    if not known.any():
        return ""
    there, back = _line(xs[known], low[known]), _line(xs[known][::-1], high[known][::-1])
    return f'<path class="band" d="{there}L{back[1:]}Z"/>'


def _dot(x: float, y: float, tip: str, radius: float = 3.6) -> str:
    said = escape(tip, quote=True)
    at = f'cx="{x:.1f}" cy="{y:.1f}"'
    feel = f'<circle class="feel" {at} r="12" data-tip="{said}"/>'
    return f'<circle class="dot" {at} r="{radius}"/>{feel}'


def _group(algo: str, shapes: str) -> str:
    if not algo:
        return f'<g class="plain">{shapes}</g>'
    name = escape(algo, quote=True)
    return f'<g data-algo="{name}" style="--c:var(--c-{name})">{shapes}</g>'


def _cut(text: str, most: int = 23) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _clipped(inside: str) -> str:
    """Cut off what is beyond the axes."""
    box = f"{LEFT} {TOP} {WIDTH - LEFT - RIGHT} {HEIGHT - TOP - BOTTOM}"
    at = 'x="{}" y="{}" width="{}" height="{}"'.format(*box.split())
    return f'<svg class="inner" {at} viewBox="{box}">{inside}</svg>'


def _svg(height: float, what: str, inside: str) -> str:
    size = f'viewBox="0 0 {WIDTH} {height:.0f}"'
    named = escape(what, quote=True)
    return f'<svg class="chart" {size} role="img" aria-label="{named}">{inside}</svg>'
