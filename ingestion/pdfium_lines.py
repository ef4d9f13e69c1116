"""Reads the lines of a PDF page's text layer with pdfium."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ctypes import byref, c_double, c_int, create_string_buffer
from typing import Any

from ingestion.pdf_geometry import Frame, Rect
from ingestion.pdf_lines import SOFT_HYPHEN, Line, plain
from ingestion.pdfium_visibility import Visibility

_BOLD_NAME = re.compile(rb"bold|black|heavy|semibold|-bd|SFBX|CMBX", re.IGNORECASE)
_BOLD_WEIGHT = 600
_LINE = re.compile("[^\r\n\x02\ufffe]+[\x02\ufffe]?")
_MAX_RECTS = 8
_GAP = re.compile(r"(?<=\S) +(?=\S)")
_WORD = re.compile(r"\S+\s*")
_COLUMN_GAP = 1.5  # times the height of letters; no space between words is as wide
_LOOSE = 0.62  # times the height of letters: more than a letter is wide on average

Part = tuple[int, str, bool, bool]  # where it starts, its text, whether it is hidden, and has wide gaps


def text_of(textpage: Any) -> str:
    """Return the page's text with one character for each that pdfium counts, so that positions in both agree."""
    import pypdfium2.raw as raw

    text: str = textpage.get_text_range()
    count = textpage.count_chars()
    if len(text) == count:
        return text
    codes = (raw.FPDFText_GetUnicode(textpage, i) for i in range(count))
    return "".join(chr(code) if 0 < code < 0xD800 or 0xDFFF < code <= 0x10FFFF else " " for code in codes)


class LineReader:
    """Reads the lines of one page; `gapped` are the places, among those returned, of lines with wide gaps."""

    def __init__(self, textpage: Any, text: str, frame: Frame, visibility: Visibility) -> None:
        import pypdfium2.raw as raw

        self._raw = raw
        self._textpage = textpage
        self._text = text
        self._frame = frame
        self._visibility = visibility
        self._loose = raw.FS_RECTF()
        self._corners = tuple(c_double() for _ in range(4))
        self.gapped: set[int] = set()

    def read(self) -> list[Line]:
        """Return the lines in the order in which the file draws them."""
        lines: list[Line] = []
        for match in _LINE.finditer(self._text):
            for start, text, hidden, gapped in self._parts(match.start(), match.group()):
                line = self._line(start, text, hidden)
                if line is not None:
                    if gapped and not line.hidden:
                        self.gapped.add(len(lines))
                    lines.append(line)
        return lines

    def _parts(self, start: int, text: str) -> Iterator[Part]:
        if not text.strip():
            return
        if not self._visibility.is_doubtful:
            yield from ((at, part, False, gapped) for at, part, gapped in self._columns(start, text))
            return
        for at, part, hidden in self._seen(start, text):
            yield from ((a, p, hidden, gapped) for a, p, gapped in self._columns(at, part))

    def _seen(self, start: int, text: str) -> Iterator[tuple[int, str, bool]]:
        """Cut a line where what can be seen ends, or begins."""
        begin, before = 0, False
        for word in _WORD.finditer(text):
            middle = start + word.start() + len(word.group().rstrip()) // 2
            hidden = self._visibility.hides(middle, self._letter(middle))
            if hidden != before and word.start() > begin and text[begin : word.start()].strip():
                yield start + begin, text[begin : word.start()], before
                begin = word.start()
            before = hidden
        yield start + begin, text[begin:], before

    def _columns(self, start: int, text: str) -> Iterator[tuple[int, str, bool]]:
        """Cut what pdfium takes for one line where a wide gap parts columns of prose, or where it jumps back.

        The cells of a table stay together: they are a row, with gaps.
        """
        begin, gapped = 0, False
        if self._raw.FPDFText_CountRects(self._textpage, start, len(text)) > 1 or self._is_loose(start, text):
            for space in _GAP.finditer(text):
                before = self._letter(start + space.start() - 1)
                left = self._letter(start + space.end()).x0
                wide = _COLUMN_GAP * (before.y1 - before.y0)
                ahead = left - before.x1 > wide > 0
                is_prose = ahead and _is_prose(text[begin : space.start()]) and _is_prose(text[space.end() :])
                if is_prose or before.x1 - left > wide > 0:
                    yield start + begin, text[begin : space.start()], gapped
                    begin, gapped = space.end(), False
                else:
                    gapped = gapped or ahead
        yield start + begin, text[begin:], gapped

    def _is_loose(self, start: int, text: str) -> bool:
        stripped = len(text.rstrip())
        first, last = self._letter(start), self._letter(start + stripped - 1)
        return last.x1 - first.x0 > _LOOSE * stripped * (first.y1 - first.y0)

    def _line(self, start: int, raw_text: str, hidden: bool) -> Line | None:
        text = " ".join(plain(raw_text).rstrip(SOFT_HYPHEN).split())
        rects = self._raw.FPDFText_CountRects(self._textpage, start, len(raw_text))
        if not text or rects <= 0:
            return None
        # Some files place every letter by itself; the ends and a few in between are enough for the line's box.
        sampled = sorted({rects - 1, *range(0, rects, max(1, rects // _MAX_RECTS))})
        rect = self._around(sampled)
        first, middle, last = _samples(raw_text)
        letter = self._letter(start + middle)
        bold = all(self._is_bold(start + at) for at in (middle, first, last))
        size = round(min(letter.y1 - letter.y0, max(letter.x1 - letter.x0, letter.y1 - letter.y0)), 1)
        return Line(
            text + (SOFT_HYPHEN if raw_text[-1] in "\x02\ufffe" else ""),
            self._frame.box(rect),
            size=size,
            bold=bold,
            hidden=hidden or self._visibility.is_off(rect, size),
            span=(start, start + len(raw_text)),
        )

    def _around(self, rects: list[int]) -> Rect:
        left, top, right, bottom = self._corners
        places = []
        for i in rects:
            self._raw.FPDFText_GetRect(self._textpage, i, byref(left), byref(top), byref(right), byref(bottom))
            places.append((left.value, bottom.value, right.value, top.value))
        x0, y0, x1, y1 = zip(*places, strict=True)
        return self._frame.rect(min(x0), min(y0), max(x1), max(y1))

    def _letter(self, at: int) -> Rect:
        self._raw.FPDFText_GetLooseCharBox(self._textpage, at, byref(self._loose))
        return self._frame.rect(self._loose.left, self._loose.bottom, self._loose.right, self._loose.top)

    def _is_bold(self, at: int) -> bool:
        if self._raw.FPDFText_GetFontWeight(self._textpage, at) >= _BOLD_WEIGHT:
            return True
        name = create_string_buffer(128)
        self._raw.FPDFText_GetFontInfo(self._textpage, at, name, 128, byref(c_int()))
        return _BOLD_NAME.search(name.value) is not None


def _samples(text: str) -> tuple[int, int, int]:
    """Return the positions of the first, a middle and the last letter or digit, or what there is instead."""
    shown = [i for i, character in enumerate(text) if character.isalnum()]
    shown = shown or [i for i, character in enumerate(text) if not character.isspace()]
    return shown[0], shown[len(shown) // 2], shown[-1]


def _is_prose(text: str) -> bool:
    return sum(word.isalpha() for word in text.split()[:6]) >= 3
