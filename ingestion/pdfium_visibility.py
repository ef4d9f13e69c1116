"""Tells which text of a PDF page a reader cannot see."""

from __future__ import annotations

from typing import Any

from ingestion.pdf_geometry import Frame, Rect
from ingestion.pdfium_shapes import Fill, Shapes, address_of

_ALIKE = 20  # steps of 255 in every channel by which two colours must differ to be told apart
_WHITE = 0xFFFFFF
_TINY = 0.0015  # of the page's height
_TINY_POINTS = 2.0
_SCAN = 0.4  # of the page that images cover


class Visibility:
    """Knows what is drawn on one page, and where."""

    def __init__(self, textpage: Any, shapes: Shapes, frame: Frame) -> None:
        self._textpage = textpage
        self._shapes = shapes
        self._frame = frame
        self._is_scan = cover(shapes.images, frame) >= _SCAN
        colours = {fill.colour for fill in shapes.fills if fill.colour is not None} | {_WHITE}
        texts = {(colour, invisible) for _, colour, invisible in shapes.texts.values()}
        self._doubtful = any(
            invisible or colour == -1 or any(_alike(colour, other) for other in colours)
            for colour, invisible in texts
            if colour is not None
        )

    @property
    def is_doubtful(self) -> bool:
        """Whether words of the page may be hidden by how they are drawn, so that each is to be looked at."""
        return self._doubtful

    def hides(self, at: int, rect: Rect) -> bool:
        """Return whether the word with the character `at`, which stands at `rect`, cannot be seen."""
        import pypdfium2.raw as raw

        drawn = raw.FPDFText_GetTextObject(self._textpage, at)
        order, colour, invisible = self._shapes.texts.get(address_of(drawn), (0, None, False)) if drawn else (0, None, False)
        if invisible or colour == -1:
            return not self._is_scan  # text that OCR laid over the image of its page stands for what is seen
        if colour is None:
            return False
        under = [fill for fill in self._shapes.fills if fill.order < order and fill.rect.holds(*rect.middle)]
        ground = max(under, key=_order).colour if under else _WHITE
        return ground is not None and _alike(colour, ground)

    def is_off(self, rect: Rect, size: float) -> bool:
        """Return whether a line lies off the page, or is too small to be read."""
        width, height = self._frame.width, self._frame.height
        outside = rect.x1 <= 0 or rect.y1 <= 0 or rect.x0 >= width or rect.y0 >= height
        return outside or size < min(_TINY * height, _TINY_POINTS)


def cover(images: list[Rect], frame: Frame) -> float:
    """Return the share of the page that images cover, at most 1; where two overlap, both count."""
    areas = [frame.box(image) for image in images]
    return min(1.0, sum((box.x1 - box.x0) * (box.y1 - box.y0) for box in areas))


def _order(fill: Fill) -> int:
    return fill.order


def _alike(one: int | None, other: int) -> bool:
    if one is None:
        return False
    return all(abs((one >> shift & 255) - (other >> shift & 255)) <= _ALIKE for shift in (0, 8, 16))
