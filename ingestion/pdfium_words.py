"""Reads the words of a PDF page with their places, from pdfium's text page."""

from __future__ import annotations

import re
from ctypes import byref
from typing import Any

from ingestion.pdf_geometry import Frame, Word
from ingestion.pdf_lines import plain
from ingestion.pdfium_calls import handle, pdfium_calls

_WORD = re.compile("[^\\s\x02\ufffe]+[\x02\ufffe]?|[\x02\ufffe]")


def text_of(textpage: Any) -> str:
    """Return the page's text with one character for each that pdfium counts, so that positions in both agree."""
    import pypdfium2.raw as raw

    text: str = textpage.get_text_range()
    count = textpage.count_chars()
    if len(text) == count:
        return text
    codes = (raw.FPDFText_GetUnicode(textpage, i) for i in range(count))
    return "".join(chr(code) if 0 < code < 0xD800 or 0xDFFF < code <= 0x10FFFF else " " for code in codes)


def words_of(textpage: Any, text: str, frame: Frame) -> list[Word]:
    """Return the page's words in the order of `text`, which has one character for each that pdfium counts.

    A word stands from its first character to its last: asking for the place of every one is what takes the time.
    """
    import pypdfium2.raw as raw

    page, place = handle(textpage), pdfium_calls().loose_box
    first, last = raw.FS_RECTF(), raw.FS_RECTF()
    to_first, to_last = byref(first), byref(last)
    rect = frame.rect
    words: list[Word] = []
    for match in _WORD.finditer(text):
        at, end = match.span()
        place(page, at, to_first)
        x0, y0, x1, y1 = rect(first.left, first.bottom, first.right, first.top)
        width, size = x1 - x0, y1 - y0
        size = size if size > width else width  # of turned letters the width is the height
        if end - at > 1:
            place(page, end - 1, to_last)
            if last.right > last.left:  # the hyphen that pdfium makes up has no place
                a0, b0, a1, b1 = rect(last.left, last.bottom, last.right, last.top)
                x0, y0 = a0 if a0 < x0 else x0, b0 if b0 < y0 else y0
                x1, y1 = a1 if a1 > x1 else x1, b1 if b1 > y1 else y1
        words.append(Word(plain(match.group()), x0, y0, x1, y1, at, size))
    return words
