"""Panels of a brain video: strips that run with time, and a map."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from agent.working_memory import BABBLE, CRAWL, REACH, REST
from scripts import pen as colours
from scripts.pen import Box, Colour, Pen
from scripts.watching import Signals

WINDOW = 90  # steps that a strip shows
MOST_JOINTS = 2  # lines in one strip; those that move most

PROGRAMS: dict[int, tuple[str, Colour]] = {
    REST: ("rest", colours.GRID),
    BABBLE: ("babble", colours.YELLOW),
    REACH: ("reach", colours.BLUE),
    CRAWL: ("crawl", colours.GREEN),
}


class History:
    """Signals of the latest steps, of which a panel takes what it shows."""

    def __init__(self) -> None:
        self.rows: list[Signals] = []
        self.starts: list[int] = []  # index of the first step of each episode
        self.path: list[NDArray[np.float64]] = []  # places of this episode

    def begin(self, signals: Signals) -> None:
        """Begin an episode."""
        self.starts.append(len(self.rows))
        self.path = [signals["place"]] if "place" in signals else []

    def add(self, signals: Signals) -> None:
        """Append the signals of one step."""
        self.rows.append(signals)
        if "place" in signals:
            self.path.append(signals["place"])

    def has(self, name: str) -> bool:
        """Whether any step shown has a signal."""
        return any(name in row for row in self.rows[-WINDOW:])

    def window(self, name: str) -> NDArray[np.float64]:
        """Return a signal over the steps shown, (WINDOW, …), the latest last; NaN where absent."""
        rows = self.rows[-WINDOW:]
        shape: tuple[int, ...] = next((row[name].shape for row in rows if name in row), ())
        values = np.full((WINDOW, *shape), np.nan)
        for i, row in enumerate(rows, WINDOW - len(rows)):
            if name in row and row[name].shape == shape:
                values[i] = row[name]
        return values

    def new_episodes(self) -> list[int]:
        """Where in the window episodes begin."""
        first = len(self.rows) - WINDOW
        return [s - first for s in self.starts if first < s < len(self.rows)]


class Panel:
    """A titled card. A subclass draws what is in it."""

    def draw(self, pen: Pen, box: Box, history: History) -> None:
        """Draw the card."""
        pen.rectangle(box, colours.CARD, radius=6)
        inner = (box[0] + 10, box[1] + 25, box[2] - 10, box[3] - 8)
        title, rest = self.show(pen, inner, history)
        width = pen.text((box[0] + 10, box[1] + 6), title, size=12, bold=True)
        self._legend(pen, (box[0] + 20 + width, box[1] + 6), rest)

    def show(self, pen: Pen, box: Box, history: History) -> tuple[str, Sequence[tuple]]:
        """Draw what is in the card; return its title and the words beside it in colours."""
        raise NotImplementedError

    @staticmethod
    def _legend(pen: Pen, at: tuple[float, float], words: Sequence[tuple]) -> None:
        x, y = at
        for text, colour in words:
            x += pen.text((x, y + 0.5), text, colour, size=11) + 10

    @staticmethod
    def across(box: Box, n: int = WINDOW) -> NDArray[np.float64]:
        """Where the steps shown are, (n,) pixels."""
        return np.linspace(box[0], box[2], n)

    @staticmethod
    def mark_episodes(pen: Pen, box: Box, history: History) -> None:
        """Draw a line wherever an episode begins."""
        x = Panel.across(box)
        for i in history.new_episodes():
            pen.line(np.array([[x[i], box[1]], [x[i], box[3]]]), colours.FAINT, 1.0)


class ProgramPanel(Panel):
    """Which motor program is gated, where it starts and stops, and where a movement is let go."""

    def show(self, pen: Pen, box: Box, history: History) -> tuple[str, Sequence[tuple]]:
        """Draw a ribbon."""
        program, x = history.window("program"), self.across(box, WINDOW + 1)
        middle = 0.5 * (box[1] + box[3])
        for i in np.flatnonzero(np.isfinite(program)):
            colour = program_of(program[i])[1]
            pen.rectangle((x[i], middle - 7, x[i + 1] + 0.5, middle + 7), colour)
        gated = history.window("value") if history.has("value") else np.full(WINDOW, np.nan)
        changed = np.flatnonzero(np.diff(np.nan_to_num(program, nan=-9.0), prepend=-9.0))
        for i in changed:
            if np.isfinite(program[i]):
                pen.rectangle((x[i] - 1, box[1], x[i] + 1, box[3]), colours.TEXT)
        for i in np.flatnonzero(np.isfinite(gated)):
            pen.dot((x[i], middle), 4.0, colours.TEXT)
        self.mark_episodes(pen, box, history)
        now = program[-1]
        words: list[tuple] = [program_of(now)] if np.isfinite(now) else []
        if history.has("value"):
            words.append(("● movement let go", colours.TEXT))
        return "program gated", words


class DopaminePanel(Panel):
    """Reward minus what was expected, step by step."""

    def __init__(self) -> None:
        self._scale = 1e-9

    def show(self, pen: Pen, box: Box, history: History) -> tuple[str, Sequence[tuple]]:
        """Draw bars up and down."""
        name = "dopamine" if history.has("dopamine") else "reward"
        values, x = history.window(name), self.across(box, WINDOW + 1)
        self._scale = max(largest(values), 0.98 * self._scale)
        middle, half = 0.5 * (box[1] + box[3]), 0.5 * (box[3] - box[1])
        pen.line(np.array([[box[0], middle], [box[2], middle]]), colours.GRID, 1.0)
        for i in np.flatnonzero(np.isfinite(values)):
            height = float(np.clip(values[i] / self._scale, -1.0, 1.0)) * half
            colour = colours.GREEN if height > 0 else colours.RED
            top, bottom = sorted((middle - height, middle))
            pen.rectangle((x[i], top, x[i + 1] - 0.5, bottom), colour)
        self.mark_episodes(pen, box, history)
        if name == "reward":
            return "reward", [(f"± {self._scale:.2g}", colours.FAINT)]
        words = [("reward − expected", colours.FAINT), (f"± {self._scale:.2g}", colours.FAINT)]
        return "dopamine", words


class FeltPanel(Panel):
    """What is felt (lines) against what was predicted or wanted (dots)."""

    pairs: ClassVar[tuple[tuple[str, str, str, str], ...]] = (
        (
            "felt_acceleration",
            "predicted_acceleration",
            "felt (line), predicted (dots)",
            "rad/s²",
        ),
        ("angle", "wanted_angle", "felt (line), wanted (dots)", "rad"),
    )

    def __init__(self) -> None:
        self._scale = 1e-9

    def show(self, pen: Pen, box: Box, history: History) -> tuple[str, Sequence[tuple]]:
        """Draw lines of the joints that move most."""
        pair = next((p for p in self.pairs if history.has(p[0]) and history.has(p[1])), None)
        if pair is None:
            return "felt", [("no brain, no prediction", colours.FAINT)]
        felt, predicted = history.window(pair[0]), history.window(pair[1])
        seen = np.isfinite(felt).all(axis=1)
        spread = felt[seen].std(axis=0) if seen.any() else np.zeros(felt.shape[1])
        joints = np.sort(np.argsort(-spread)[:MOST_JOINTS])
        centre = np.nanmean(felt[:, joints], axis=0) if seen.any() else np.zeros(len(joints))
        both = np.concatenate([felt[:, joints], predicted[:, joints]])
        self._scale = max(largest(both - centre), 0.98 * self._scale)
        x, middle, half = self.across(box), 0.5 * (box[1] + box[3]), 0.5 * (box[3] - box[1])
        pen.line(np.array([[box[0], middle], [box[2], middle]]), colours.GRID, 1.0)
        words: list[tuple] = []
        for k, joint in enumerate(joints):
            levels = [(v[:, joint] - centre[k]) / self._scale for v in (felt, predicted)]
            line, dots = (middle - half * np.clip(level, -1.0, 1.0) for level in levels)
            pen.line(np.column_stack([x, line]), colours.SERIES[k], 2.0)
            for at in np.column_stack([x, dots])[np.isfinite(dots)]:
                pen.dot(at, 1.7, colours.lighter(colours.SERIES[k]))
            words.append((f"joint {joint + 1}", colours.SERIES[k]))
        self.mark_episodes(pen, box, history)
        return pair[2], [*words, (f"± {self._scale:.2g} {pair[3]}", colours.FAINT)]


class HeatPanel(Panel):
    """One row for each motor: −1 blue, 1 orange.

    Args:
        choices: signals of which the first one that exists is shown: name, title, words, and the
            value that is full colour (0: the largest shown).

    """

    def __init__(self, *choices: tuple[str, str, str, float]) -> None:
        self.choices, self._scale = choices, 1e-9

    def show(self, pen: Pen, box: Box, history: History) -> tuple[str, Sequence[tuple]]:
        """Draw a heat map."""
        choice = next((c for c in self.choices if history.has(c[0])), None)
        if choice is None:
            return self.choices[0][1], [("none", colours.FAINT)]
        name, title, words, full = choice
        values = history.window(name)
        self._scale = full or max(largest(values), 0.98 * self._scale)
        n = values.shape[1]
        pen.heat(values.T / self._scale, box)
        for row in range(1, n):
            y = box[1] + (box[3] - box[1]) * row / n
            pen.line(np.array([[box[0], y], [box[2], y]]), colours.CARD, 1.0)
        self.mark_episodes(pen, box, history)
        return title, [(words, colours.FAINT), (f"± {self._scale:.2g}", colours.FAINT)]


class WayPanel(Panel):
    """Where the body is and is to be: from above on the ground, as a distance elsewhere."""

    def __init__(self) -> None:
        self._scale = 1e-9

    def show(self, pen: Pen, box: Box, history: History) -> tuple[str, Sequence[tuple]]:
        """Draw the map, or the distance over time."""
        if not history.has("place"):
            return self._heading(pen, box, history)
        place = history.window("place")
        aim = history.window("goal" if history.has("goal") else "aim")
        distance = np.linalg.norm(place - aim, axis=1)
        self._scale = max(largest(distance), 0.99 * self._scale)
        if place.shape[1] == 2 and self._scale > 1.0:
            self._map(pen, box, np.array(history.path), aim[-1], history)
        else:
            height = (box[3] - box[1]) * distance / self._scale
            pen.line(np.column_stack([self.across(box), box[3] - height]), colours.BLUE, 2.0)
            self.mark_episodes(pen, box, history)
        now = distance[-1]
        reading = f"{now:.2f} m" if self._scale > 1.0 else f"{1000 * now:.0f} mm"
        return "distance to the goal", [(reading, colours.BLUE)]

    @staticmethod
    def _map(
        pen: Pen, box: Box, path: NDArray[np.float64], aim: NDArray[np.float64], history: History
    ) -> None:
        cells = history.rows[-1].get("place_centres")
        shown = [path, aim[None]] + ([cells] if cells is not None else [])
        points = np.concatenate(shown)
        low, high = points.min(axis=0), points.max(axis=0)
        middle, size = 0.5 * (low + high), np.maximum(high - low, 1.0) + 0.6
        share = min((box[2] - box[0]) / size[0], (box[3] - box[1]) / size[1])
        centre = np.array([0.5 * (box[0] + box[2]), 0.5 * (box[1] + box[3])])

        def on(place: NDArray[np.float64]) -> NDArray[np.float64]:
            return centre + share * (place - middle) * np.array([1.0, -1.0])

        activity = history.rows[-1].get("place_activity")
        if cells is not None and activity is not None:
            strongest = max(float(activity.max()), 1e-9)
            for at, rate in zip(on(cells), activity / strongest, strict=False):
                shade = np.array(colours.GRID) + rate * (np.array(colours.VIOLET) - colours.GRID)
                pen.dot(at, 3.0 + 3.0 * float(rate), (int(shade[0]), int(shade[1]), int(shade[2])))
        pen.line(on(path), colours.BLUE, 2.2)
        pen.ring(on(aim), 7.0, colours.ORANGE)
        pen.dot(on(path[0]), 3.0, colours.FAINT)
        pen.dot(on(path[-1]), 5.0, colours.TEXT)

    def _heading(self, pen: Pen, box: Box, history: History) -> tuple[str, Sequence[tuple]]:
        """Draw the heading error, or where there is none the return so far."""
        known = history.has("heading_error")
        values = np.degrees(history.window("heading_error")) if known else history.window("total")
        self._scale = max(largest(values), 0.98 * self._scale)
        middle, half = 0.5 * (box[1] + box[3]), 0.5 * (box[3] - box[1])
        pen.line(np.array([[box[0], middle], [box[2], middle]]), colours.GRID, 1.0)
        level = middle - half * np.clip(values / self._scale, -1.0, 1.0)
        pen.line(np.column_stack([self.across(box), level]), colours.VIOLET, 2.0)
        self.mark_episodes(pen, box, history)
        unit = "°" if known else ""
        words = [
            (f"{values[-1]:.3g}{unit}", colours.VIOLET),
            (f"± {self._scale:.3g}{unit}", colours.FAINT),
        ]
        return "heading error" if known else "return so far", words


def program_of(number: float) -> tuple[str, Colour]:
    """Name and colour of a motor program."""
    return PROGRAMS.get(int(number), (f"program {int(number)}", colours.VIOLET))


def largest(values: NDArray[np.float64]) -> float:
    """Largest size that all but a few values keep to, 0 where there are none."""
    finite = np.abs(values[np.isfinite(values)])
    return float(np.percentile(finite, 99)) if len(finite) else 0.0


COMMAND = ("command", "command", "of each motor", 1.0)
CORRECTIONS = (
    ("fast_state", "correction", "cerebellum's fast state", 0.0),
    ("steering", "correction", "posture changed by the heading error, rad", 0.0),
)
