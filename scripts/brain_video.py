"""The pictures of a brain video: robots, and beside each what its brain does."""

from collections.abc import Iterator, Sequence
from itertools import zip_longest

import numpy as np

from scripts import pen as colours
from scripts.panels import (
    COMMAND,
    CORRECTIONS,
    DopaminePanel,
    FeltPanel,
    HeatPanel,
    History,
    Panel,
    ProgramPanel,
    WayPanel,
)
from scripts.pen import Box, Pen, fitted
from scripts.watching import Moment, Picture, Watched

WIDTH, HEIGHT = 1280, 720  # pixels for which everything here is measured
SINGLE: Box = (0, 0, 752, 720)  # the robot, where there is one
_GAP = 8
_HEAD, _FOOT = 34, 30  # lines of words above and below a robot


class Pane:
    """One agent: its robot in a box, its panels in another one.

    Args:
        watched: the agent.
        title: who it is.
        robot: where its robot is drawn.
        panels: where its panels are drawn, from top to bottom; None for none.
        brief: leave out the panels that a small pane has no room for.

    """

    def __init__(
        self, watched: Watched, title: str, robot: Box, panels: Box | None, brief: bool
    ) -> None:
        self.watched, self.title, self.robot, self.box = watched, title, robot, panels
        self.history = History()
        self.panels = panels_of(brief)
        self._last: Moment | None = None

    def take(self, moment: Moment) -> None:
        """Take in what has just happened."""
        moment.signals["total"] = np.array(moment.total)
        if moment.step == 0:
            self.history.begin(moment.signals)
        else:
            self.history.add(moment.signals)
        if moment.picture is not None:
            self._last = moment

    def draw(self, canvas: Picture) -> None:
        """Draw the robot and the panels on a canvas (HEIGHT, WIDTH, 3)."""
        if self._last is None or self._last.picture is None:
            return
        left, top, right, bottom = (int(edge) for edge in self.robot)
        width, height = right - left, bottom - top - _HEAD - _FOOT
        shown = fitted(self._last.picture, width, height)
        canvas[top + _HEAD : bottom - _FOOT, left:right] = shown
        head, foot = Pen(width, _HEAD), Pen(width, _FOOT)
        head.text((12, 9), self.title, size=14, bold=True)
        watched, step = self.watched, self._last.step
        clock = f"episode {watched.seed}   step {step}   return {self._last.total:.2f}"
        foot.text((12, 7), clock, colours.FAINT, size=13)
        if self._last.over and watched.success is not None:
            verdict = ("arrived", colours.GREEN) if watched.success else ("missed", colours.RED)
            foot.text((width - 12, 7), *verdict, size=13, anchor="ra", bold=True)
        canvas[top : top + _HEAD, left:right] = head.picture()
        canvas[bottom - _FOOT : bottom, left:right] = foot.picture()
        if self.box is not None:
            left, top, right, bottom = (int(edge) for edge in self.box)
            pen = Pen(right - left, bottom - top)
            self._draw_panels(pen, (0, 0, right - left, bottom - top))
            canvas[top:bottom, left:right] = pen.picture()

    def _draw_panels(self, pen: Pen, box: Box) -> None:
        shares = sum(share for _, share in self.panels)
        room = box[3] - box[1] - _GAP * (len(self.panels) - 1)
        top = box[1]
        for panel, share in self.panels:
            bottom = top + room * share / shares
            panel.draw(pen, (box[0], top, box[2], bottom), self.history)
            top = bottom + _GAP


def panels_of(brief: bool) -> list[tuple[Panel, float]]:
    """Return new panels from top to bottom, each with its share of the height."""
    parts: list[tuple[Panel, float]] = [
        (ProgramPanel(), 0.55),
        (DopaminePanel(), 0.9),
        (FeltPanel(), 1.2),
        (HeatPanel(COMMAND), 1.1),
        (HeatPanel(*CORRECTIONS), 1.1),
        (WayPanel(), 1.3),
    ]
    return parts[:4] if brief else parts


def panes(watched: Sequence[Watched], titles: Sequence[str], brain: bool) -> list[Pane]:
    """Lay out one agent, or two side by side."""
    if len(watched) == 1:
        right: Box = (SINGLE[2] + _GAP, _GAP, WIDTH - _GAP, HEIGHT - _GAP)
        return [Pane(watched[0], titles[0], SINGLE, right, brief=False)]
    half, split = WIDTH / 2, 400.0 if brain else float(HEIGHT)
    result = []
    for i, (one, title) in enumerate(zip(watched, titles, strict=True)):
        robot: Box = (i * half + 2, 0, (i + 1) * half - 2, split)
        below: Box = (i * half + _GAP, split + 2, (i + 1) * half - _GAP, HEIGHT - 4)
        result.append(Pane(one, title, robot, below if brain else None, brief=True))
    return result


def robot_size(count: int, brain: bool) -> tuple[int, int]:
    """Pixels of the picture that each robot is drawn at, so that it fills its box."""
    if count == 1:
        return int(SINGLE[2]), int(SINGLE[3]) - _HEAD - _FOOT
    return WIDTH // 2 - 4, (400 if brain else HEIGHT) - _HEAD - _FOOT


def film(shown: Sequence[Pane], seed: int) -> Iterator[Picture]:
    """Yield the pictures of one episode; an agent whose episode is over waits for the other."""
    lives = [pane.watched.episode(seed) for pane in shown]
    for moments in zip_longest(*lives):
        for pane, moment in zip(shown, moments, strict=True):
            if moment is not None:
                pane.take(moment)
        if any(moment is not None and moment.picture is not None for moment in moments):
            canvas = np.full((HEIGHT, WIDTH, 3), colours.BACKGROUND, np.uint8)
            for pane in shown:
                pane.draw(canvas)
            yield canvas
