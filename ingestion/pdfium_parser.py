"""Reads PDFs with pdfium: exact boxes, hundreds of pages a second, and no model or network needed."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Iterator
from pathlib import Path, PurePath
from typing import Any

from contracts import Box, Element, ElementKind, ParsedFile, ParseError, ParseFailure
from ingestion.media_types import PDF
from ingestion.parse_errors import empty, reading
from ingestion.pdf_layout import elements_of
from ingestion.pdf_lines import SOFT_HYPHEN, Line

_PASSWORD_ERRORS = (4, 5)  # FPDF_ERR_PASSWORD, FPDF_ERR_SECURITY
_BOLD_NAME = re.compile(rb"bold|black|heavy|semibold|-bd|SFBX|CMBX", re.IGNORECASE)
_BOLD_WEIGHT = 600
# pdfium writes a hyphen that breaks a word at a line's end as one of these.
_LINE = re.compile("[^\r\n\x02\ufffe]+[\x02\ufffe]?")
_UNITS = 1 << 20  # of the pixel grid onto which pdfium maps a page, for exact fractions
_MAX_RECTS = 8
_GAP = re.compile(r"(?<=\S) +(?=\S)")
_COLUMN_GAP = 1.5  # times the height of letters; no space between words is as wide
_NO_TITLE = re.compile(r"(?i)untitled|microsoft (word|powerpoint|excel)|\.(docx?|pdf|indd|qxd|tex|pptx?)\s*$|^\W*$")


class PdfiumParser:
    """Reads the text layer of PDFs; every element carries its page and the boxes of its lines."""

    _lock = threading.Lock()  # pdfium is one library with one state, whatever the number of parsers

    async def parse(self, path: Path, name: str | None = None) -> ParsedFile:
        """Return the text of the PDF. Encrypted files that open without a password are read.

        Raises ParseError: ENCRYPTED, CORRUPT, EMPTY (no text layer), UNREADABLE.
        """
        return await asyncio.to_thread(self._read, path, name or path.name)

    def _read(self, path: Path, called: str) -> ParsedFile:
        with reading(called):
            path.open("rb").close()  # pdfium does not tell a file that may not be read from a damaged one
            with self._lock:
                pages, titled = _lines_of(path, called)
            elements = elements_of(pages)
            if not any(re.search(r"\w", element.text) for element in elements):
                raise empty(
                    called, f"none of its {len(pages)} pages has a text layer. If it was scanned, run OCR on it first"
                )
        title = _title(elements, titled) or PurePath(called).stem
        return ParsedFile(title=title, media_type=PDF, elements=elements, metadata={"pages": str(len(pages))})


def _title(elements: tuple[Element, ...], titled: str) -> str:
    on_top = next((element for element in elements[:3] if element.kind is ElementKind.TITLE), None)
    largest = min((e for e in elements if e.kind is ElementKind.TITLE and e.page == 1), key=_level, default=None)
    if found := on_top or largest:
        return found.text
    return "" if _NO_TITLE.search(titled) else titled


def _level(element: Element) -> int:
    return element.level


def _lines_of(path: Path, called: str) -> tuple[list[list[Line]], str]:
    import pypdfium2 as pdfium

    try:
        document = pdfium.PdfDocument(path)
    except pdfium.PdfiumError as exc:
        if exc.err_code in _PASSWORD_ERRORS:
            message = f"{called!r} is protected by a password. Save it without one and try again."
            raise ParseError(ParseFailure.ENCRYPTED, message) from exc
        raise
    try:
        pages = [_page_lines(document, index) for index in range(len(document))]
        return pages, document.get_metadata_value("Title").strip()
    finally:
        document.close()


def _page_lines(document: Any, index: int) -> list[Line]:
    page = document[index]
    textpage = page.get_textpage()
    try:
        text = textpage.get_text_range()
        if len(text) != textpage.count_chars():
            text = _by_characters(textpage)
        parts = (part for match in _LINE.finditer(text) for part in _parts(textpage, match.start(), match.group()))
        found = (_line(page, textpage, start, part, index + 1) for start, part in parts)
        return [line for line in found if line is not None]
    finally:
        textpage.close()
        page.close()


def _by_characters(textpage: Any) -> str:
    """Return the text with one character for each that pdfium counts, so that positions in both agree."""
    import pypdfium2.raw as raw

    codes = (raw.FPDFText_GetUnicode(textpage, i) for i in range(textpage.count_chars()))
    return "".join(chr(code) if 0 < code < 0xD800 or 0xDFFF < code <= 0x10FFFF else " " for code in codes)


def _parts(textpage: Any, start: int, text: str) -> Iterator[tuple[int, str]]:
    """Cut what pdfium takes for one line where a wide gap parts columns of prose, or where it jumps back.

    Yields each part and where it starts. The cells of a table stay together: they are a row.
    """
    begin = 0
    if textpage.count_rects(start, len(text)) > 1:
        for space in _GAP.finditer(text):
            _, bottom, right, top = textpage.get_charbox(start + space.start() - 1, loose=True)
            left = textpage.get_charbox(start + space.end(), loose=True)[0]
            wide = _COLUMN_GAP * (top - bottom)
            ahead = (
                left - right > wide > 0 and _is_prose(text[begin : space.start()]) and _is_prose(text[space.end() :])
            )
            if ahead or right - left > wide > 0:
                yield start + begin, text[begin : space.start()]
                begin = space.end()
    yield start + begin, text[begin:]


def _is_prose(text: str) -> bool:
    return sum(word.isalpha() for word in text.split()[:6]) >= 3


def _line(page: Any, textpage: Any, start: int, raw_text: str, number: int) -> Line | None:
    text = " ".join(raw_text.rstrip("\x02\ufffe").split())
    rects = textpage.count_rects(start, len(raw_text))
    if not text or not rects:
        return None
    # Some files place every letter by itself; the ends and a few in between are enough for the line's box.
    sampled = {rects - 1, *range(0, rects, max(1, rects // _MAX_RECTS))}
    corners = [textpage.get_rect(i) for i in sampled]
    box = _box(page, number, [min(c) for c in zip(*corners, strict=True)], [max(c) for c in zip(*corners, strict=True)])
    first, middle, last = _samples(raw_text)
    _, bottom, _, top = textpage.get_charbox(start + middle, loose=True)
    bold = all(_is_bold(textpage, start + at) for at in (middle, first, last))
    hyphen = SOFT_HYPHEN if raw_text[-1] in "\x02\ufffe" else ""
    return Line(text + hyphen, box, size=round(top - bottom, 1), bold=bold)


def _samples(text: str) -> tuple[int, int, int]:
    """Return the positions of the first, a middle and the last letter or digit, or what there is instead."""
    shown = [i for i, character in enumerate(text) if character.isalnum()]
    shown = shown or [i for i, character in enumerate(text) if not character.isspace()]
    return shown[0], shown[len(shown) // 2], shown[-1]


def _box(page: Any, number: int, low: list[float], high: list[float]) -> Box:
    """Map the rectangle from the lower left of `low` to the upper right of `high` onto the page as it is shown."""
    from ctypes import byref, c_int

    import pypdfium2.raw as raw

    xs, ys = [], []
    for x, y in ((low[0], low[1]), (high[2], high[3])):
        across, down = c_int(), c_int()
        raw.FPDF_PageToDevice(page, 0, 0, _UNITS, _UNITS, 0, x, y, byref(across), byref(down))
        xs.append(min(max(across.value / _UNITS, 0.0), 1.0))
        ys.append(min(max(down.value / _UNITS, 0.0), 1.0))
    return Box(page=number, x0=min(xs), y0=min(ys), x1=max(xs), y1=max(ys))


def _is_bold(textpage: Any, index: int) -> bool:
    from ctypes import byref, c_int, create_string_buffer

    import pypdfium2.raw as raw

    if raw.FPDFText_GetFontWeight(textpage, index) >= _BOLD_WEIGHT:
        return True
    name = create_string_buffer(128)
    raw.FPDFText_GetFontInfo(textpage, index, name, 128, byref(c_int()))
    return _BOLD_NAME.search(name.value) is not None
