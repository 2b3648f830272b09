"""Drawing on a picture: smooth lines, text and heat maps, in the colours of the brain videos."""

from collections.abc import Sequence
from functools import cache

import numpy as np
from matplotlib import font_manager
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Colour = tuple[int, int, int]
Box = tuple[float, float, float, float]  # left, top, right, bottom in pixels

BACKGROUND: Colour = (13, 17, 23)
CARD: Colour = (22, 27, 34)
GRID: Colour = (48, 54, 61)
FAINT: Colour = (139, 148, 158)
TEXT: Colour = (230, 237, 243)
BLUE: Colour = (88, 166, 255)
ORANGE: Colour = (247, 144, 61)
GREEN: Colour = (86, 211, 100)
RED: Colour = (255, 107, 107)
VIOLET: Colour = (188, 140, 255)
YELLOW: Colour = (227, 190, 80)
SERIES = (BLUE, ORANGE, GREEN, VIOLET, YELLOW, RED)

_FINER = 2  # everything is drawn twice as large and then made smaller, which smooths it


class Pen:
    """Draws on a canvas of a given size in pixels; `picture` is the result.

    Args:
        width: pixels.
        height: pixels.

    """

    def __init__(self, width: int, height: int) -> None:
        self.size = width, height
        self._image = Image.new("RGB", (_FINER * width, _FINER * height), BACKGROUND)
        self._draw = ImageDraw.Draw(self._image)

    def picture(self) -> NDArray[np.uint8]:
        """Return what was drawn, (height, width, 3)."""
        return np.asarray(self._image.reduce(_FINER))

    def text(
        self,
        at: tuple[float, float],
        words: str,
        colour: Colour = TEXT,
        size: int = 13,
        anchor: str = "la",
        bold: bool = False,
    ) -> float:
        """Write; `anchor` is Pillow's (l, m or r; a, m or s). Return the width in pixels."""
        letters = _letters(size, bold)
        self._draw.text(
            (_FINER * at[0], _FINER * at[1]), words, fill=colour, font=letters, anchor=anchor
        )
        return float(letters.getlength(words)) / _FINER

    def line(self, points: NDArray[np.float64], colour: Colour, width: float = 1.6) -> None:
        """Join points (k, 2); a NaN among them is a gap."""
        whole = np.asarray(np.isfinite(points).all(axis=1))
        for start, stop in _stretches(whole):
            if stop - start > 1:
                flat = [float(number) for number in _FINER * points[start:stop].ravel()]
                self._draw.line(flat, colour, round(_FINER * width), joint="curve")

    def rectangle(self, box: Box, colour: Colour, radius: float = 0.0) -> None:
        """Fill a box, its corners rounded."""
        corners = [_FINER * number for number in box]
        if corners[2] > corners[0] and corners[3] > corners[1]:
            self._draw.rounded_rectangle(corners, _FINER * radius, colour)

    def dot(self, at: Sequence[float] | NDArray[np.float64], radius: float, colour: Colour) -> None:
        """Fill a circle."""
        x, y, r = _FINER * at[0], _FINER * at[1], _FINER * radius
        self._draw.ellipse((x - r, y - r, x + r, y + r), colour)

    def ring(
        self,
        at: Sequence[float] | NDArray[np.float64],
        radius: float,
        colour: Colour,
        width: float = 2.0,
    ) -> None:
        """Draw a circle."""
        x, y, r = _FINER * at[0], _FINER * at[1], _FINER * radius
        self._draw.ellipse((x - r, y - r, x + r, y + r), outline=colour, width=round(2 * width))

    def heat(self, values: NDArray[np.float64], box: Box) -> None:
        """Show a matrix (rows, columns) of −1 (blue) to 1 (orange); NaN is empty."""
        shade = np.clip(np.nan_to_num(values), -1.0, 1.0)[..., None]
        warm, cool, none = (np.array(c, float) for c in (ORANGE, BLUE, CARD))
        colours = none + np.abs(shade) * (np.where(shade > 0, warm, cool) - none)
        image = Image.fromarray(colours.round().astype(np.uint8))
        width, height = (round(_FINER * (box[i + 2] - box[i])) for i in (0, 1))
        image = image.resize((max(1, width), max(1, height)), Image.Resampling.NEAREST)
        self._image.paste(image, (round(_FINER * box[0]), round(_FINER * box[1])))


def lighter(colour: Colour) -> Colour:
    """Return a colour half-way to that of text."""
    red, green, blue = ((one + other) // 2 for one, other in zip(colour, TEXT, strict=True))
    return red, green, blue


def fitted(picture: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """Return a picture of a given size, with another one in the middle, as large as it can be."""
    if picture.shape[:2] == (height, width):
        return picture
    share = min(width / picture.shape[1], height / picture.shape[0])
    shown = [max(1, round(share * side)) for side in picture.shape[1::-1]]
    image = Image.fromarray(picture).resize((shown[0], shown[1]), Image.Resampling.BILINEAR)
    whole = Image.new("RGB", (width, height), BACKGROUND)
    whole.paste(image, ((width - shown[0]) // 2, (height - shown[1]) // 2))
    return np.asarray(whole)


def _stretches(whole: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Ranges of indices over which all are true."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], whole, [False]]).astype(int)))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


@cache
def _letters(size: int, bold: bool) -> ImageFont.FreeTypeFont:
    """Matplotlib's own sans serif, which every installation has."""
    family = font_manager.FontProperties(family="DejaVu Sans", weight="bold" if bold else "normal")
    return ImageFont.truetype(font_manager.findfont(family), _FINER * size)
