"""Reads the words of a PDF page with their places, from pdfium's text page."""

from __future__ import annotations

import contextlib
import functools
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingestion.parsing.pdf.pdf_geometry import Frame, Word
from ingestion.parsing.pdf.pdf_lines import plain
from ingestion.parsing.pdf.pdfium_calls import filled_of_text, pdfium_calls

_word = functools.partial(tuple.__new__, Word)  # of the fields in one tuple; Word._make takes three times as long
_WORD = re.compile("[^\\s\x02\ufffe]+[\x02\ufffe]?|[\x02\ufffe]")


def text_of(textpage: Any) -> str:
    """Return the page's text with one character for each that pdfium counts, so that positions in both agree."""
    import pypdfium2.raw as raw

    count = textpage.count_chars()
    with contextlib.suppress(UnicodeDecodeError):  # a file may hold half of a pair of surrogates
        text: str = textpage.get_text_range()
        if len(text) == count:
            return text
    codes = (raw.FPDFText_GetUnicode(textpage, i) for i in range(count))
    return "".join(chr(code) if 0 < code < 0xD800 or 0xDFFF < code <= 0x10FFFF else " " for code in codes)


def words_of(textpage: Any, text: str, frame: Frame) -> list[Word]:
    """Return the page's words in the order of `text`, which has one character for each that pdfium counts.

    A word stands from its first character to its last: asking for the place of every one is what takes the time.
    """
    spans = [match.span() for match in _WORD.finditer(text)]
    if not spans:
        return []
    starts = [start for start, _ in spans]
    first = _places(textpage, starts, frame)
    last = _places(textpage, [end - 1 for _, end in spans], frame)
    size = (first[:, 2:] - first[:, :2]).max(axis=1)  # of turned letters the width is the height
    unplaced = last[:, 0] == last[:, 2]  # the hyphen that pdfium makes up
    last[unplaced] = first[unplaced]
    low, high = np.minimum(first[:, :2], last[:, :2]), np.maximum(first[:, 2:], last[:, 2:])
    texts = plain(text)  # as long as the text, but for ligatures
    said = (
        [texts[start:end] for start, end in spans] if len(texts) == len(text) else [plain(text[a:b]) for a, b in spans]
    )
    columns = (*low.T.tolist(), *high.T.tolist())
    return list(map(_word, zip(said, *columns, starts, size.tolist(), strict=True)))


def _places(textpage: Any, characters: Sequence[int], frame: Frame) -> NDArray[np.float64]:
    """Return where characters are shown, as rows of x0, y0, x1, y1."""
    places = filled_of_text(pdfium_calls().loose_box, textpage, characters, 4)  # left, top, right, bottom
    return frame.rects(places[:, [0, 3, 2, 1]].astype(np.float64))
