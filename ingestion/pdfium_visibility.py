"""Tells which text of a PDF page a reader cannot see."""

from __future__ import annotations

from collections.abc import Sequence
from ctypes import byref, c_uint
from typing import Any

from ingestion.pdf_geometry import Frame, Rect, Word
from ingestion.pdfium_calls import handle, pdfium_calls
from ingestion.pdfium_shapes import Fill, Shapes

_ALIKE = 20  # steps of 255 in every channel by which two colours must differ to be told apart
_WHITE = (255, 255, 255)
_TINY = 0.0015  # of the page's height
_TINY_POINTS = 2.0
_TRANSPARENT = 5  # of 255
_SCAN = 0.4  # of the page that images cover
_INVISIBLE = 3  # the render mode that draws nothing


class Visibility:
    """Knows what is drawn on one page, and where."""

    def __init__(self, textpage: Any, shapes: Shapes, frame: Frame) -> None:
        self._page = handle(textpage)
        self._calls = pdfium_calls()
        self._shapes = shapes
        self._frame = frame
        self._is_scan = cover(shapes.images, frame) >= _SCAN
        self._grounds = {fill.colour for fill in shapes.fills if fill.colour is not None} | {_WHITE}
        self._doubtful: dict[tuple[int, int, int], bool] = {}
        self._drawn: dict[int, tuple[bool, tuple[int, int, int] | None]] = {}
        self._channels = tuple(c_uint() for _ in range(4))
        self._to_channels = tuple(byref(channel) for channel in self._channels)

    def hides(self, word: Word) -> bool:
        """Return whether the word cannot be seen because of how it is drawn."""
        drawn = self._calls.text_object(self._page, word.at)
        if not drawn:
            return False
        known = self._drawn.get(drawn)
        if known is None:
            known = self._drawn[drawn] = self._look_at(drawn)
        is_shown, doubtful = known
        if not is_shown:
            return not self._is_scan  # text that OCR laid over the image of its page stands for what is seen
        return doubtful is not None and self._is_on_its_colour(doubtful, word, drawn)

    def is_off(self, rect: Rect, size: float) -> bool:
        """Return whether a line lies off the page, or is too small to be read."""
        width, height = self._frame.width, self._frame.height
        outside = rect.x1 <= 0 or rect.y1 <= 0 or rect.x0 >= width or rect.y0 >= height
        return outside or size < min(_TINY * height, _TINY_POINTS)

    def _look_at(self, drawn: int) -> tuple[bool, tuple[int, int, int] | None]:
        """Return whether a text object is drawn at all, and its colour if something on the page has the same."""
        if self._calls.render_mode(drawn) == _INVISIBLE:
            return False, None
        if not self._calls.object_colour(drawn, *self._to_channels):
            return True, None
        red, green, blue, alpha = self._channels
        if alpha.value <= _TRANSPARENT:
            return False, None
        colour = (red.value, green.value, blue.value)
        if colour not in self._doubtful:
            self._doubtful[colour] = any(_alike(colour, ground) for ground in self._grounds)
        return True, colour if self._doubtful[colour] else None

    def _is_on_its_colour(self, colour: tuple[int, int, int], word: Word, drawn: int) -> bool:
        order = self._shapes.order.get(drawn, self._shapes.seen)
        x, y = word.rect.middle
        under = [fill for fill in self._shapes.fills if fill.order < order and fill.rect.holds(x, y)]
        ground = max(under, key=_order).colour if under else _WHITE
        return ground is not None and _alike(colour, ground)


def cover(images: Sequence[Rect], frame: Frame) -> float:
    """Return the share of the page that images cover, at most 1; where two overlap, both count."""
    areas = [frame.box(image) for image in images]
    return min(1.0, sum((box.x1 - box.x0) * (box.y1 - box.y0) for box in areas))


def _order(fill: Fill) -> int:
    return fill.order


def _alike(one: tuple[int, int, int], other: tuple[int, int, int]) -> bool:
    return all(abs(a - b) <= _ALIKE for a, b in zip(one, other, strict=True))
