"""Makes elements of the lines that OCR found: paragraphs and headings of a page, and one element of a picture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from statistics import median

from contracts import Box, Element, ElementKind
from ingestion.parsing.images.ocr_lines import OcrLine, shown
from ingestion.parsing.pdf.pdf_layout import elements_of
from ingestion.parsing.pdf.pdf_lines import Line, join_lines

_FEW_WORDS = 25  # on a sign or a label; a page has more
_PAGE_HEIGHT = 792.0  # points; images seldom tell it, and only the proportions of sizes matter
_USUAL_LINE = 0.016  # of a page's height


def page_elements(pages: Sequence[Sequence[OcrLine]]) -> tuple[Element, ...]:
    """Return the elements of an image in reading order; `pages[i]` holds the lines of page i + 1."""
    if sum(_words(line.text) for lines in pages for line in lines) < _FEW_WORDS * len(pages):
        return tuple(_pictures(pages))
    scales = [_scale(lines) for lines in pages]
    elements = elements_of([[_line(line, i + 1, scales[i]) for line in lines] for i, lines in enumerate(pages)])
    turned = [lines[0].turned if lines else 0 for lines in pages]
    return tuple(_in_image(element, scales, turned) for element in elements)


def _pictures(pages: Sequence[Sequence[OcrLine]]) -> Iterator[Element]:
    for number, lines in enumerate(pages, start=1):
        if lines:
            text = join_lines([_line(line, number, scale=1.0) for line in lines], "\n")
            boxes = tuple(shown(_box(line, number), line.turned) for line in lines)
            yield Element(text, ElementKind.IMAGE, number, boxes)


def _scale(lines: Sequence[OcrLine]) -> float:
    """Return by how much to shrink the image so that its lines are no higher than on a page, as for a clipping."""
    return min(1.0, _USUAL_LINE / median(line.y1 - line.y0 for line in lines)) if lines else 1.0


def _line(line: OcrLine, number: int, scale: float) -> Line:
    box = _box(line, number)
    size = round((box.y1 - box.y0) * scale * _PAGE_HEIGHT, 1)
    return Line(line.text, replace(box, y0=box.y0 * scale, y1=box.y1 * scale), size=size)


def _in_image(element: Element, scales: Sequence[float], turned: Sequence[int]) -> Element:
    index = (element.page or 1) - 1
    scale = scales[index]
    boxes = (replace(box, y0=box.y0 / scale, y1=box.y1 / scale) for box in element.boxes)
    return replace(element, boxes=tuple(shown(box, turned[index]) for box in boxes))


def _box(line: OcrLine, number: int) -> Box:
    return Box(number, *(min(max(value, 0.0), 1.0) for value in (line.x0, line.y0, line.x1, line.y1)))


def _words(text: str) -> float:
    """Return the number of words; in scripts without spaces, a character is half a word."""
    return len(text.split()) + sum(character >= "\u2e80" for character in text) / 2
