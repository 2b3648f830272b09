"""Drawing with SVG text: scales, axes and shapes. Colours are the page's, by CSS variables."""

import math
from html import escape

import numpy as np
from matplotlib.ticker import EngFormatter, LogLocator, MaxNLocator
from numpy.typing import NDArray

WIDTH, HEIGHT = 480, 300  # (Units of the drawing) two beside each other, or one on a phone
LEFT, RIGHT, TOP, BOTTOM = 62, 14, 12, 46

Floats = NDArray[np.float64]


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


def form_for(value: float) -> str:
    """Choose how a number of this size is written."""
    if not math.isfinite(value) or abs(value) < 100:
        return "{:.2f}"
    return "{:,.0f}" if abs(value) >= 1000 else "{:.1f}"


def axes(x: Scale, y: Scale, x_label: str, y_label: str, percent: bool = False) -> str:
    """Draw both axes with their grid."""
    bottom = HEIGHT - BOTTOM
    parts = [x_axis(x, bottom, x_label, TOP, most=7)]
    for tick in y.ticks(5):
        at = float(y(tick))
        said = f"{100 * tick:.0f} %" if percent else number(tick, y)
        parts.append(f'<path class="grid" d="M{LEFT} {at:.1f}H{WIDTH - RIGHT}"/>')
        parts.append(f'<text class="tick end" x="{LEFT - 7}" y="{at + 4:.1f}">{said}</text>')
    middle = (TOP + bottom) / 2
    turned = f'transform="translate(13 {middle:.0f}) rotate(-90)"'
    parts.append(f'<text class="axis" {turned}>{escape(y_label)}</text>')
    return "".join(parts)


def x_axis(x: Scale, bottom: float, label: str, top: float, most: int) -> str:
    """Draw a horizontal axis with its grid."""
    parts = []
    for tick in x.ticks(most):
        at = float(x(tick))
        parts.append(f'<path class="grid" d="M{at:.1f} {top}V{bottom}"/>')
        parts.append(f'<text class="tick" x="{at:.1f}" y="{bottom + 17}">{number(tick, x)}</text>')
    middle = (x.start + x.end) / 2
    parts.append(f'<text class="axis" x="{middle:.0f}" y="{bottom + 37}">{escape(label)}</text>')
    return "".join(parts)


def number(value: float, scale: Scale) -> str:
    """Spell a tick, with no more digits than it needs."""
    largest = max(abs(scale.low), abs(scale.high))
    if scale.log and value < 1:
        return f"{value:g}"
    if largest >= 1000 and abs(value) >= 1000:
        return str(EngFormatter(sep="")(value))
    return signed(f"{value:.6g}")


def signed(text: str) -> str:
    """Write a minus as one; nothing is less than nothing."""
    return text.lstrip("-") if not any(c in text for c in "123456789") else text.replace("-", "−")


def line(xs: Floats, ys: Floats) -> str:
    """Spell a path through points; what is not finite is left out."""
    pairs = [f"{a:.1f} {b:.1f}" for a, b in zip(xs, ys, strict=True) if np.isfinite(a + b)]
    return "M" + "L".join(pairs) if pairs else ""


def band(xs: Floats, low: Floats, high: Floats) -> str:
    """Fill what lies between two lines."""
    known = np.isfinite(low + high)
    if not known.any():
        return ""
    there, back = line(xs[known], low[known]), line(xs[known][::-1], high[known][::-1])
    return f'<path class="band" d="{there}L{back[1:]}Z"/>'


def dot(x: float, y: float, tip: str, radius: float = 3.6) -> str:
    """Draw a point and an invisible larger one that says what it stands for."""
    said = escape(tip, quote=True)
    at = f'cx="{x:.1f}" cy="{y:.1f}"'
    feel = f'<circle class="feel" {at} r="12" data-tip="{said}"/>'
    return f'<circle class="dot" {at} r="{radius}"/>{feel}'


def group(algo: str, shapes: str) -> str:
    """Put shapes under the name and the colour of an algorithm; no colour if it has no name."""
    if not algo:
        return f'<g class="plain">{shapes}</g>'
    name = escape(algo, quote=True)
    return f'<g data-algo="{name}" style="--c:var(--c-{name})">{shapes}</g>'


def cut(text: str, most: int = 23) -> str:
    """Shorten a text that is too long for its place."""
    return text if len(text) <= most else text[: most - 1] + "…"


def clipped(inside: str) -> str:
    """Cut off what is beyond the axes."""
    box = f"{LEFT} {TOP} {WIDTH - LEFT - RIGHT} {HEIGHT - TOP - BOTTOM}"
    at = 'x="{}" y="{}" width="{}" height="{}"'.format(*box.split())
    return f'<svg class="inner" {at} viewBox="{box}">{inside}</svg>'


def svg(height: float, what: str, inside: str) -> str:
    """Make a drawing of shapes."""
    size = f'viewBox="0 0 {WIDTH} {height:.0f}"'
    named = escape(what, quote=True)
    return f'<svg class="chart" {size} role="img" aria-label="{named}">{inside}</svg>'
