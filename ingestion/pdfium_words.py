"""Reads the words of a PDF page with their places, from pdfium's text page."""

from __future__ import annotations

from typing import Any

from ingestion.pdf_geometry import Frame, Rect, Word, around
from ingestion.pdf_lines import SOFT_HYPHEN, plain

_BREAK = 0.4  # times the height of a letter, by which the next one of the same word may be away


def words_of(textpage: Any, text: str, frame: Frame) -> list[Word]:
    """Return the page's words; `text` has one character for each that pdfium counts."""
    words: list[Word] = []
    letters: list[Rect] = []
    begin = 0
    for at, rect in _letters(textpage, text, frame):
        if letters and (rect is None or _apart(letters[-1], rect)):
            words.append(Word(plain(text[begin:at]).replace(SOFT_HYPHEN, "-"), *around(letters), begin))
            letters = []
        if rect is not None:
            if not letters:
                begin = at
            letters.append(rect)
    return words


def _letters(textpage: Any, text: str, frame: Frame) -> Any:
    from ctypes import byref

    import pypdfium2.raw as raw

    rect = raw.FS_RECTF()
    place = byref(rect)
    read = raw.FPDFText_GetLooseCharBox
    for at, character in enumerate(text):
        if character.isspace() or not read(textpage, at, place):
            yield at, None
        else:
            shown = frame.rect(rect.left, rect.bottom, rect.right, rect.top)
            yield at, shown if shown.x1 > shown.x0 and shown.y1 > shown.y0 else None
    yield len(text), None


def _apart(before: Rect, after: Rect) -> bool:
    height = before.y1 - before.y0
    gap = max(after.x0 - before.x1, before.x0 - after.x1)  # the next letter may stand to the left
    return not -height < gap < _BREAK * height or abs(after.y1 - before.y1) > 0.6 * height
