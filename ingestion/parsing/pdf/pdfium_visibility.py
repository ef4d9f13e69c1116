"""Tells which text of a PDF page a reader cannot see."""

from __future__ import annotations

import math
from collections.abc import Sequence
from operator import attrgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingestion.parsing.pdf.pdf_geometry import Frame, Rect, Word, turned_back
from ingestion.parsing.pdf.pdfium_calls import filled, pdfium_calls
from ingestion.parsing.pdf.pdfium_shapes import Shapes

_ALIKE = 20  # steps of 255 in every channel by which two colours must differ to be told apart
_WHITE = (255, 255, 255)
_TINY = 0.0015  # of the page's height
_TINY_POINTS = 2.0
_TRANSPARENT = 5  # of 255
_SCALE = 2.0  # pixels a point
_MAX_PIXELS = 4_000_000
_MARGIN = 4.0  # pixels around what is drawn
_SCAN = 0.4  # of the page that images cover
_INVISIBLE = 3  # the render mode that draws nothing

_PACK = np.array([1 << 24, 1 << 16, 1 << 8, 1], np.uint32)  # makes one number of four channels

Colour = tuple[int, ...]  # red, green, blue


class Visibility:
    """Knows what is drawn on one page, and where."""

    def __init__(self, page: Any, shapes: Shapes, frame: Frame, turn: int = 0) -> None:
        self._page = page
        self._shapes = shapes
        self._fills = sorted(shapes.fills, key=attrgetter("order"), reverse=True)  # from the top down
        self._frame = frame
        self._turn = turn

    def hidden(self, words: Sequence[Word], drawn: Sequence[int | None]) -> set[int]:
        """Return where the words begin that cannot be seen because of how they are drawn.

        `drawn` are the handles of the text objects that the words are parts of.
        """
        objects = list(dict.fromkeys(one for one in drawn if one))
        unseen, doubtful = self._looks(objects)
        if cover(self._shapes.images, self._frame) >= _SCAN:
            unseen = set()  # text that OCR laid over the image of its page stands for what is seen
        if not unseen and not doubtful:
            return set()
        pairs = list(zip(words, drawn, strict=True))
        order = {one: place for place, one in enumerate(self._shapes.objects)} if doubtful else {}
        last = len(order)
        lost = [w for w, one in pairs if one in doubtful and self._is_lost(w, doubtful[one], order.get(one, last))]
        return {w.at for w, one in pairs if one in unseen} | self._blank(lost)

    def _blank(self, words: Sequence[Word]) -> set[int]:
        """Return where those words begin that leave no trace in the page as it is drawn."""
        if not words:
            return set()
        boxes = [turned_back(self._frame.box(word.rect), self._turn) for word in words]
        left, top = min(box.x0 for box in boxes), min(box.y0 for box in boxes)
        right, bottom = max(box.x1 for box in boxes), max(box.y1 for box in boxes)
        width, height = self._page.get_size()
        scale = min(_SCALE, (_MAX_PIXELS / (width * height)) ** 0.5)
        edges = (left * width, (1 - bottom) * height, (1 - right) * width, top * height)
        crop = tuple(max(0.0, edge - _MARGIN / scale) for edge in edges)  # drawing the rest of the page takes time
        pixels = self._page.render(scale=scale, crop=crop).to_numpy()
        x, y = math.ceil(crop[0] * scale), math.ceil(crop[3] * scale)
        blank: set[int] = set()
        for word, box in zip(words, boxes, strict=True):
            rows = slice(int(box.y0 * height * scale) - y, int(box.y1 * height * scale) - y + 1)
            columns = slice(int(box.x0 * width * scale) - x, int(box.x1 * width * scale) - x + 1)
            letters = pixels[rows, columns]
            if letters.size and np.ptp(letters, axis=(0, 1)).max() <= 2 * _ALIKE:
                blank.add(word.at)
        return blank

    def is_off(self, rect: Rect, size: float) -> bool:
        """Return whether a line lies off the page, or is too small to be read."""
        width, height = self._frame.width, self._frame.height
        outside = rect.x1 <= 0 or rect.y1 <= 0 or rect.x0 >= width or rect.y0 >= height
        return outside or size < min(_TINY * height, _TINY_POINTS)

    def _looks(self, objects: Sequence[int]) -> tuple[set[int], dict[int, Colour]]:
        """Return the text objects that nothing is drawn of, and those in the colour of something else on the page."""
        calls = pdfium_calls()
        modes = map(calls.render_mode, objects)
        colours = filled(calls.object_colour, objects, 4, np.uint32)  # red, green, blue, alpha
        unseen = {one for one, mode in zip(objects, modes, strict=True) if mode == _INVISIBLE}
        grounds = {fill.colour for fill in self._shapes.fills if fill.colour is not None} | {_WHITE}
        doubtful: dict[int, Colour] = {}
        kinds, which = np.unique(colours @ _PACK, return_inverse=True)
        for kind, packed in enumerate(kinds.tolist()):
            *colour, alpha = (packed >> shift & 255 for shift in (24, 16, 8, 0))
            if alpha > _TRANSPARENT and not any(_alike(colour, ground) for ground in grounds):
                continue
            for i in np.flatnonzero(which == kind).tolist():
                if alpha > _TRANSPARENT:
                    doubtful[objects[i]] = tuple(colour)
                elif calls.object_colour(objects[i], *_addresses(colours[i])):
                    unseen.add(objects[i])
        return unseen, doubtful

    def _is_lost(self, word: Word, colour: Colour, order: int) -> bool:
        """Return whether the word is drawn on its own colour; `order` is its object's place in the page's."""
        x, y = word.rect.middle
        under = (fill.colour for fill in self._fills if fill.order < order and fill.rect.holds(x, y))
        ground = next(under, _WHITE)
        return ground is not None and _alike(colour, ground)


def cover(images: Sequence[Rect], frame: Frame) -> float:
    """Return the share of the page that images cover, at most 1; where two overlap, both count."""
    areas = [frame.box(image) for image in images]
    return min(1.0, sum((box.x1 - box.x0) * (box.y1 - box.y0) for box in areas))


def _alike(one: Sequence[int], other: Sequence[int]) -> bool:
    return all(abs(a - b) <= _ALIKE for a, b in zip(one, other, strict=True))


def _addresses(row: NDArray[np.uint32]) -> range:
    return range(row.ctypes.data, row.ctypes.data + row.nbytes, row.itemsize)
