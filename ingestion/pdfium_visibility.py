"""Tells which text of a PDF page a reader cannot see."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

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

Colour = tuple[int, ...]  # red, green, blue


class Visibility:
    """Knows what is drawn on one page, and where."""

    def __init__(self, textpage: Any, shapes: Shapes, frame: Frame) -> None:
        self._page = handle(textpage)
        self._shapes = shapes
        self._frame = frame

    def hidden(self, words: Sequence[Word]) -> set[int]:
        """Return where the words begin that cannot be seen because of how they are drawn."""
        starts = [word.at for word in words]
        drawn = list(map(pdfium_calls().text_object, itertools.repeat(self._page), starts))
        objects = list(dict.fromkeys(one for one in drawn if one))
        unseen, doubtful = self._looks(objects)
        if cover(self._shapes.images, self._frame) >= _SCAN:
            unseen = set()  # text that OCR laid over the image of its page stands for what is seen
        if not unseen and not doubtful:
            return set()
        pairs = zip(words, drawn, strict=True)
        return {w.at for w, one in pairs if one in unseen or (one in doubtful and self._is_lost(w, one, doubtful[one]))}

    def is_off(self, rect: Rect, size: float) -> bool:
        """Return whether a line lies off the page, or is too small to be read."""
        width, height = self._frame.width, self._frame.height
        outside = rect.x1 <= 0 or rect.y1 <= 0 or rect.x0 >= width or rect.y0 >= height
        return outside or size < min(_TINY * height, _TINY_POINTS)

    def _looks(self, objects: Sequence[int]) -> tuple[set[int], dict[int, Colour]]:
        """Return the text objects that nothing is drawn of, and those in the colour of something else on the page."""
        calls = pdfium_calls()
        modes = map(calls.render_mode, objects)
        colours = np.zeros((len(objects), 4), np.uint32)
        start, step = colours.ctypes.data, colours.strides[0]
        channels = [range(start + at, start + at + colours.nbytes, step) for at in (0, 4, 8, 12)]
        have = list(map(calls.object_colour, objects, *channels)) if objects else []
        unseen = {one for one, mode in zip(objects, modes, strict=True) if mode == _INVISIBLE}
        grounds = np.array(sorted({f.colour for f in self._shapes.fills if f.colour is not None} | {_WHITE}))
        kinds, which = np.unique(colours, axis=0, return_inverse=True)
        alike = (abs(kinds[:, None, :3].astype(int) - grounds[None, :, :]) <= _ALIKE).all(axis=2).any(axis=1)
        clear = kinds[:, 3] <= _TRANSPARENT
        for i in np.flatnonzero(clear[which.ravel()] & np.array(have, bool)).tolist():
            unseen.add(objects[i])
        same = np.flatnonzero(alike[which.ravel()] & np.array(have, bool)).tolist()
        return unseen, {objects[i]: tuple(colours[i, :3].tolist()) for i in same}

    def _is_lost(self, word: Word, drawn: int, colour: Colour) -> bool:
        """Return whether the word is drawn on its own colour."""
        order = self._shapes.order.get(drawn, self._shapes.seen)
        x, y = word.rect.middle
        under = [fill for fill in self._shapes.fills if fill.order < order and fill.rect.holds(x, y)]
        ground = max(under, key=_order).colour if under else _WHITE
        return ground is not None and all(abs(a - b) <= _ALIKE for a, b in zip(colour, ground, strict=True))


def cover(images: Sequence[Rect], frame: Frame) -> float:
    """Return the share of the page that images cover, at most 1; where two overlap, both count."""
    areas = [frame.box(image) for image in images]
    return min(1.0, sum((box.x1 - box.x0) * (box.y1 - box.y0) for box in areas))


def _order(fill: Fill) -> int:
    return fill.order
