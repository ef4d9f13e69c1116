"""Reads the text in images: scanned pages as paragraphs and headings, photographs as the few words in them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path, PurePath

from contracts import Element, ElementKind, ParsedFile
from ingestion.parsing.images.ocr_layout import page_elements
from ingestion.parsing.images.ocr_lines import Ocr
from ingestion.parsing.images.pillow_frames import description, opened, pages
from ingestion.parsing.media_types import BMP, GIF, HEIC, JPEG, PNG, TIFF, WEBP
from ingestion.parsing.parse_errors import empty, reading

_TYPES = {"JPEG": JPEG, "MPO": JPEG, "TIFF": TIFF, "WEBP": WEBP, "HEIF": HEIC, "GIF": GIF, "BMP": BMP, "DIB": BMP}


class PillowImageParser:
    """Has the text in images read by OCR. Elements carry the page, from 1, and the boxes of their lines.

    Pages are the frames of TIFF and HEIC; of an animation, the first frame is read.
    """

    def __init__(self, ocr: Ocr, max_pixels: int = 90_000_000) -> None:
        self._ocr = ocr
        self._max_pixels = max_pixels

    async def parse(self, path: Path, name: str | None = None, *, scratch: Path | None = None) -> ParsedFile:
        """Return the text in the image, or else the description that the file carries.

        Raises ParseError: TOO_LARGE, CORRUPT, UNREADABLE, EMPTY (neither text nor a description).
        """
        return await asyncio.to_thread(self._read, path, name or path.name)

    def _read(self, path: Path, called: str) -> ParsedFile:
        with reading(called), opened(path, called) as image:
            told = description(image)
            media_type = _TYPES.get(image.format or "", PNG)
            found = [self._ocr(page) for page in pages(image, called, self._max_pixels)]
        elements = (*_caption(told), *page_elements(found))
        if not elements:
            raise empty(
                called, "OCR found no text in the picture that it can read, and the file carries no description of it"
            )
        title = told.get("title") or _headline(elements) or PurePath(called).stem
        metadata = {**told, "pages": str(len(found))} if len(found) > 1 else told
        return ParsedFile(title=title, media_type=media_type, elements=elements, metadata=metadata)


def _caption(told: dict[str, str]) -> tuple[Element, ...]:
    return (Element(told["description"], ElementKind.IMAGE, page=1),) if "description" in told else ()


def _headline(elements: Sequence[Element]) -> str:
    return next((element.text for element in elements if element.kind is ElementKind.TITLE), "")
