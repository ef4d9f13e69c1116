"""Places on a page of a PDF: rectangles in points, and how a page's own coordinates become those of its reader."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from contracts import Box


class Rect(NamedTuple):
    """A rectangle in points; the origin is top left, y grows downwards."""

    x0: float
    y0: float
    x1: float
    y1: float

    @property
    def middle(self) -> tuple[float, float]:
        """Its centre, x and y."""
        return (self.x0 + self.x1) / 2, (self.y0 + self.y1) / 2

    def holds(self, x: float, y: float) -> bool:
        """Return whether the point lies in it."""
        return self.x0 <= x <= self.x1 and self.y0 <= y <= self.y1


def around(places: Sequence[Rect | Word]) -> Rect:
    """Return the smallest rectangle that holds all places; there must be one."""
    first = places[0]
    x0, y0, x1, y1 = first.x0, first.y0, first.x1, first.y1
    for place in places:  # plain comparisons: this runs for every line and cell
        if place.x0 < x0:
            x0 = place.x0
        if place.y0 < y0:
            y0 = place.y0
        if place.x1 > x1:
            x1 = place.x1
        if place.y1 > y1:
            y1 = place.y1
    return Rect(x0, y0, x1, y1)


class Word(NamedTuple):
    """A word where it stands; `at` is the position of its first character in the page's text, `size` the height of
    its letters."""

    text: str
    x0: float
    y0: float
    x1: float
    y1: float
    at: int
    size: float

    @property
    def rect(self) -> Rect:
        """Its place."""
        return Rect(self.x0, self.y0, self.x1, self.y1)


class Ruling(NamedTuple):
    """A straight line drawn along `at` (y of a horizontal one, x of a vertical one), from `start` to `end`."""

    horizontal: bool
    at: float
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Frame:
    """Maps a page's own coordinates to the page as it is shown, `width` by `height` points. The six numbers are an
    affine map: x' = a x + c y + e, y' = b x + d y + f."""

    number: int
    width: float
    height: float
    matrix: tuple[float, float, float, float, float, float]

    def turned(self, quarters: int) -> Frame:
        """Return the frame in which text that is shown turned clockwise by so many quarters is upright."""
        frame = self
        for _ in range(quarters):
            a, b, c, d, e, f = frame.matrix
            frame = Frame(self.number, frame.height, frame.width, (b, -a, d, -c, f, frame.width - e))
        return frame

    def rect(self, left: float, bottom: float, right: float, top: float) -> Rect:
        """Return where a rectangle of the page's own coordinates is shown, also when that is off the page."""
        a, b, c, d, e, f = self.matrix
        if b == 0.0 == c and a > 0.0 > d and left <= right and bottom <= top:  # upright, as nearly all pages are
            return Rect(a * left + e, d * top + f, a * right + e, d * bottom + f)
        x0, y0 = a * left + c * bottom + e, b * left + d * bottom + f
        x1, y1 = a * right + c * top + e, b * right + d * top + f
        return Rect(min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))

    def rects(self, places: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return where rectangles are shown: rows of left, bottom, right, top become rows of x0, y0, x1, y1."""
        a, b, c, d, e, f = self.matrix
        x, y = places[:, 0::2], places[:, 1::2]
        across, down = a * x + c * y + e, b * x + d * y + f
        return np.column_stack((across.min(axis=1), down.min(axis=1), across.max(axis=1), down.max(axis=1)))

    def box(self, rect: Rect) -> Box:
        """Return the part of the rectangle that is on the page, in fractions of it."""
        x0, y0, x1, y1 = rect
        box = x0 / self.width, y0 / self.height, x1 / self.width, y1 / self.height
        if min(box) < 0.0 or max(box) > 1.0:
            return Box(self.number, *[min(max(edge, 0.0), 1.0) for edge in box])
        return Box(self.number, *box)


def turned_back(box: Box, quarters: int) -> Box:
    """Return where a box of a frame that was turned by so many quarters is on the page as it is shown."""
    for _ in range(quarters):
        box = Box(box.page, 1 - box.y1, box.x0, 1 - box.y0, box.x1)
    return box
