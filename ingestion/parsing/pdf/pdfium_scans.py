"""Has the pages of a PDF that are images read by OCR."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from contracts import Box
from ingestion.parsing.images.ocr_lines import OcrLine
from ingestion.parsing.pdf.pdf_geometry import Frame, turned_back
from ingestion.parsing.pdf.pdf_lines import Line
from ingestion.parsing.pdf.pdfium_shapes import Shapes
from ingestion.parsing.pdf.pdfium_visibility import cover

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


def read_image(page: Any, frame: Frame, turn: int, lines: Sequence[Line], ocr: Ocr) -> tuple[list[Line], int]:
    """Return the page's lines with those that OCR finds where it has none, and by how many quarters its text is turned
    clockwise, as OCR tells; the lines are where they would be if it were upright.

    `frame` is the page as it is shown; `lines` are where they are if it is turned by `turn` quarters.
    """
    longest, area = max(frame.width, frame.height), frame.width * frame.height
    scale = min(_DPI / 72, _MAX_SIDE / longest, (_MAX_PIXELS / area) ** 0.5)
    found = [line for line in ocr(page.render(scale=scale).to_pil().convert("RGB")) if line.text.strip()]
    found_turn = -found[0].turned % 4 if found else turn  # OCR says how it turned the page to read it
    own = [_turned(line, (turn - found_turn) % 4) for line in lines]
    shown = [line.box for line in own if not line.hidden]
    upright = frame.turned(found_turn)
    read = (_line(line, upright) for line in found)
    return [*own, *(line for line in read if not any(_holds(box, line.box) for box in shown))], found_turn


def _turned(line: Line, quarters: int) -> Line:
    box, parts = turned_back(line.box, quarters), tuple(turned_back(part, quarters) for part in line.parts)
    return replace(line, box=box, parts=parts)


def _line(line: OcrLine, frame: Frame) -> Line:
    box = Box(frame.number, *(min(max(value, 0.0), 1.0) for value in (line.x0, line.y0, line.x1, line.y1)))
    return Line(line.text.strip(), box, size=round((box.y1 - box.y0) * frame.height, 1))


def _holds(box: Box, other: Box) -> bool:
    """Return whether the middle of the other box lies in this one."""
    return box.x0 <= (other.x0 + other.x1) / 2 <= box.x1 and box.y0 <= (other.y0 + other.y1) / 2 <= box.y1
