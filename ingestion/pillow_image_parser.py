"""Reads the text in images: scanned pages as paragraphs and headings, photographs as the few words in them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from contracts import Box, Element, ElementKind, ParsedFile
from ingestion.media_types import BMP, GIF, HEIC, JPEG, PNG, TIFF, WEBP
from ingestion.ocr_lines import Ocr, OcrLine, shown
from ingestion.parse_errors import empty, reading
from ingestion.pdf_layout import elements_of
from ingestion.pdf_lines import Line
from ingestion.pillow_frames import description, opened, pages

if TYPE_CHECKING:
    from PIL.Image import Image

_TYPES = {"JPEG": JPEG, "MPO": JPEG, "TIFF": TIFF, "WEBP": WEBP, "HEIF": HEIC, "GIF": GIF, "BMP": BMP, "DIB": BMP}
_PAGE_HEIGHT = 792.0  # points; no image tells it reliably, and only the proportions of sizes matter
_FEW_WORDS = 25  # on a sign or a label; a page has more


class PillowImageParser:
    """Has the text in images read by OCR. Elements carry the page, from 1, and the boxes of their lines.

    Pages are the frames of TIFF and HEIC; of an animation, the first frame is read.
    """

    def __init__(self, ocr: Ocr, max_pixels: int = 90_000_000) -> None:
        self._ocr = ocr
        self._max_pixels = max_pixels

    async def parse(self, path: Path, name: str | None = None, *, scratch: Path | None = None) -> ParsedFile:
        """Return the text in the image, or the description that it carries.

        Raises ParseError: TOO_LARGE, CORRUPT, UNREADABLE, EMPTY (neither text nor a description).
        """
        return await asyncio.to_thread(self._read, path, name or path.name)

    def _read(self, path: Path, called: str) -> ParsedFile:
        with reading(called), opened(path, called) as image:
            told = description(image)
            media_type = _TYPES.get(image.format or "", PNG)
            found = [self._ocr(page) for page in pages(image, called, self._max_pixels)]
        elements = (*_captions(told), *_elements(found))
        if not elements:
            raise empty(called, "OCR found no text in the picture, and it carries no description")
        title = told.get("title") or _headline(elements) or PurePath(called).stem
        if len(found) > 1:
            told["pages"] = str(len(found))
        return ParsedFile(title=title, media_type=media_type, elements=elements, metadata=told)


def _captions(told: dict[str, str]) -> tuple[Element, ...]:
    return (Element(told["description"], ElementKind.IMAGE, page=1),) if "description" in told else ()


def _elements(found: Sequence[Sequence[OcrLine]]) -> tuple[Element, ...]:
    turned = {number: line.turned for number, lines in enumerate(found, start=1) for line in lines}
    elements = elements_of([[_line(line, number) for line in lines] for number, lines in enumerate(found, start=1)])
    is_picture = sum(len(element.text.split()) for element in elements) < _FEW_WORDS * len(found)
    return tuple(_placed(element, turned[element.page or 1], is_picture) for element in elements)


def _line(line: OcrLine, number: int) -> Line:
    box = Box(number, *(min(max(value, 0.0), 1.0) for value in (line.x0, line.y0, line.x1, line.y1)))
    return Line(line.text, box, size=round((box.y1 - box.y0) * _PAGE_HEIGHT, 1))


def _placed(element: Element, turned: int, is_picture: bool) -> Element:
    boxes = tuple(shown(box, turned) for box in element.boxes)
    return replace(element, boxes=boxes, kind=ElementKind.IMAGE if is_picture else element.kind)


def _headline(elements: Sequence[Element]) -> str:
    return next((element.text for element in elements if element.kind is ElementKind.TITLE), "")
