"""Has the pages of a PDF that are images read by OCR."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from contracts import Box
from ingestion.ocr_lines import OcrLine
from ingestion.pdf_geometry import Frame, turned_back
from ingestion.pdf_lines import Line
from ingestion.pdfium_shapes import Shapes
from ingestion.pdfium_visibility import cover

if TYPE_CHECKING:
    from PIL.Image import Image

Ocr = Callable[["Image"], Sequence[OcrLine]]

_DPI = 200
_MAX_PIXELS = 12_000_000
_MAX_SIDE = 6_000
_FEW = 30  # letters, the running head of a scanned page for instance
_SOME = 200  # letters beside an image that covers the page
_FULL_PAGE = 0.6
_MANY_PATHS = 20  # letters drawn as outlines


def is_image(lines: Sequence[Line], shapes: Shapes, frame: Frame) -> bool:
    """Return whether the page shows something, but has (almost) no text of its own."""
    letters = 0
    for line in lines:
        letters += 0 if line.hidden else sum(map(str.isalnum, line.text))
        if letters >= _SOME:
            return False
    if letters < _FEW:
        return bool(shapes.images) or shapes.paths >= _MANY_PATHS
    return letters < _SOME and cover(shapes.images, frame) >= _FULL_PAGE


def read_image(page: Any, frame: Frame, turn: int, lines: Sequence[Line], ocr: Ocr) -> list[Line]:
    """Return the lines that OCR finds on the page where the file has no text of its own.

    `frame` is the page as it is shown; `lines` are where they are if it is turned by `turn` quarters.
    """
    longest, area = max(frame.width, frame.height), frame.width * frame.height
    scale = min(_DPI / 72, _MAX_SIDE / longest, (_MAX_PIXELS / area) ** 0.5)
    image = page.render(scale=scale).to_pil().convert("RGB")
    shown = [line.box for line in lines if not line.hidden]
    found = (_line(line, frame, turn) for line in ocr(image) if line.text.strip())
    return [line for line in found if not any(_holds(box, line.box) for box in shown)]


def _line(line: OcrLine, frame: Frame, turn: int) -> Line:
    box = Box(frame.number, *(min(max(value, 0.0), 1.0) for value in (line.x0, line.y0, line.x1, line.y1)))
    size = round((box.y1 - box.y0) * frame.height, 1)
    return Line(line.text.strip(), turned_back(box, -turn % 4), size=size)


def _holds(box: Box, other: Box) -> bool:
    """Return whether the middle of the other box lies in this one."""
    return box.x0 <= (other.x0 + other.x1) / 2 <= box.x1 and box.y0 <= (other.y0 + other.y1) / 2 <= box.y1
