"""Reads PDFs with pdfium: exact boxes, hundreds of pages a second, and no model or network needed."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePath
from typing import Any

from contracts import Element, ElementKind, ParsedFile, ParseError, ParseFailure
from ingestion.parsing.media_types import PDF
from ingestion.parsing.parse_errors import empty, reading
from ingestion.parsing.pdf.pdf_geometry import turned_back
from ingestion.parsing.pdf.pdf_layout import elements_of
from ingestion.parsing.pdf.pdfium_attachments import attachments_of
from ingestion.parsing.pdf.pdfium_pages import Pages, read_pages
from ingestion.parsing.pdf.pdfium_scans import Ocr

_PASSWORD_ERRORS = (4, 5)  # FPDF_ERR_PASSWORD, FPDF_ERR_SECURITY
_NO_TITLE = re.compile(r"(?i)untitled|microsoft (word|powerpoint|excel)|\.(docx?|pdf|indd|qxd|tex|pptx?)\s*$|^\W*$")
_PROPERTIES = {"Author": "author", "Subject": "subject", "Keywords": "keywords"}
_DATES = {"CreationDate": "created", "ModDate": "modified"}
_DATE = re.compile(r"(?:D:)?(\d{4})(\d\d)?(\d\d)?")


class PdfiumParser:
    """Reads PDFs; every element carries its page and the boxes of its lines.

    `ocr` reads the lines in an image, for pages that were scanned; without it their text is not read, which is said.
    `passwords` are tried in turn on files that do not open without one.

    Example: ``PdfiumParser(passwords=("spring",))``
    """

    _lock = threading.Lock()  # pdfium is one library with one state, whatever the number of parsers

    def __init__(self, ocr: Ocr | None = None, *, passwords: Sequence[str] = ()) -> None:
        self._ocr = ocr
        self._passwords = (None, *passwords)

    async def parse(self, path: Path, name: str | None = None, *, scratch: Path | None = None) -> ParsedFile:
        """Return the text of the PDF. Encrypted files that open without a password are read.

        Damaged pages and images without OCR are named in the metadata, the files attached to it are members.
        Raises ParseError: ENCRYPTED, CORRUPT, EMPTY (no text), UNREADABLE.
        """
        return await asyncio.to_thread(self._read, path, name or path.name, scratch)

    def _read(self, path: Path, called: str, scratch: Path | None) -> ParsedFile:
        with reading(called):
            path.open("rb").close()  # pdfium does not tell a file that may not be read from a damaged one
            with self._lock:
                document = self._opened(path, called)
                try:
                    pages = read_pages(document, self._ocr)
                    members = attachments_of(document, scratch, path.stat().st_size)
                    titled = _property(document, "Title")
                    metadata = {**_properties(document), **_shortcomings(pages)}
                finally:
                    document.close()
            elements = tuple(_as_shown(element, pages) for element in elements_of(pages.lines))
            if not members and not any(re.search(r"\w", element.text) for element in elements):
                raise _nothing(called, pages)
        title = _title(elements, titled) or PurePath(called).stem
        return ParsedFile(title, PDF, elements, metadata, members)

    def _opened(self, path: Path, called: str) -> Any:
        import pypdfium2 as pdfium

        for password in self._passwords:
            try:
                return pdfium.PdfDocument(path, password=password)
            except pdfium.PdfiumError as exc:
                if exc.err_code not in _PASSWORD_ERRORS:
                    raise
        known = "none of the known passwords opens it" if len(self._passwords) > 1 else "it opens with none"
        message = f"{called!r} is protected by a password; {known}. Give its password, or save it without one."
        raise ParseError(ParseFailure.ENCRYPTED, message)


def _as_shown(element: Element, pages: Pages) -> Element:
    turn = pages.turns.get(element.page or 0, 0)
    return replace(element, boxes=tuple(turned_back(box, turn) for box in element.boxes)) if turn else element


def _nothing(called: str, pages: Pages) -> ParseError:
    count = len(pages.lines)
    if pages.damaged:
        message = (
            f"{called!r} is damaged: {len(pages.damaged)} of its {count} pages cannot be read, the others are empty."
        )
        return ParseError(ParseFailure.CORRUPT, message)
    if pages.images:
        return empty(called, f"none of its {count} pages has a text layer. If it was scanned, run OCR on it first")
    return empty(called, f"none of its {count} pages has a text layer, nor an image in which OCR finds text")


def _properties(document: Any) -> dict[str, str]:
    found = {name: _property(document, key) for key, name in _PROPERTIES.items()}
    for key, name in _DATES.items():
        date = _DATE.match(_property(document, key))
        found[name] = "-".join(part for part in date.groups() if part) if date else ""
    return {"pages": str(len(document)), **{name: value for name, value in found.items() if value}}


def _property(document: Any, key: str) -> str:
    try:
        return str(document.get_metadata_value(key)).strip()
    except UnicodeDecodeError:  # damaged, which is no reason to lose the text
        return ""


def _shortcomings(pages: Pages) -> dict[str, str]:
    """Return the metadata that say which pages were not read, and why."""
    said = {"unreadable_pages": pages.damaged, "pages_without_text": pages.images}
    return {name: _ranges(numbers) for name, numbers in said.items() if numbers}


def _ranges(numbers: Sequence[int]) -> str:
    """Return ascending numbers as text: ``2, 5-9``."""
    ranges: list[list[int]] = []
    for number in numbers:
        if ranges and number == ranges[-1][1] + 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in ranges)


def _title(elements: tuple[Element, ...], titled: str) -> str:
    titles = [element for element in elements[:3] if element.kind is ElementKind.TITLE]
    largest = min((e for e in elements if e.kind is ElementKind.TITLE and _on_top(e)), key=_level, default=None)
    if found := (titles[0] if titles else largest):
        return found.text
    return "" if _NO_TITLE.search(titled) else titled


def _on_top(element: Element) -> bool:
    """Return whether it begins in the upper half of the first page, where no footer stands."""
    return element.page == 1 and all(box.y0 < 0.5 for box in element.boxes)


def _level(element: Element) -> int:
    return element.level
