"""Makes lines of the words of a PDF page as pdfium gives them, in the order in which the file draws them."""

from __future__ import annotations

import itertools
import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from ctypes import addressof, create_string_buffer
from typing import Any

from ingestion.parsing.pdf.pdf_geometry import Frame, Word, around
from ingestion.parsing.pdf.pdf_lines import SOFT_HYPHEN, Line
from ingestion.parsing.pdf.pdfium_calls import handle, pdfium_calls
from ingestion.parsing.pdf.pdfium_visibility import Visibility

_BOLD_NAME = re.compile(rb"bold|black|heavy|semibold|-bd|SFBX|CMBX", re.IGNORECASE)
_BOLD_WEIGHT = 600
_LONGEST_NAME = 256  # of a font, in bytes
_LINE = re.compile("[^\r\n\x02\ufffe]+[\x02\ufffe]?")
_COLUMN_GAP = 1.5  # times the height of letters; no space between words is as wide


class LineReader:
    """Reads the lines of one page. `gapped` are the places, among those returned, of lines with wide gaps."""

    def __init__(self, textpage: Any, frame: Frame, visibility: Visibility) -> None:
        self._page = handle(textpage)
        self._calls = pdfium_calls()
        self._frame = frame
        self._visibility = visibility
        self._objects: dict[int, int | None] = {}  # the handles of what is drawn, by where words begin
        self._bold: dict[int | None, bool] = {None: False}  # by font
        self.gapped: set[int] = set()

    def read(self, text: str, words: Sequence[Word]) -> list[Line]:
        """Return the lines; `words` are those of `text`."""
        lines: list[Line] = []
        starts = [word.at for word in words]
        drawn = list(map(self._calls.text_object, itertools.repeat(self._page), starts))
        hidden_words = self._visibility.hidden(words, drawn)
        self._objects = dict(zip(starts, drawn, strict=True))
        for match in _LINE.finditer(text):
            own = words[bisect_left(starts, match.start()) : bisect_left(starts, match.end())]
            for seen, hidden in _by_sight(own, hidden_words):
                for part, gapped in _by_column(seen):
                    if gapped and not hidden:
                        self.gapped.add(len(lines))
                    lines.append(self._line(part, hidden))
        return lines

    def _line(self, words: Sequence[Word], hidden: bool) -> Line:
        rect = around(words)
        text = " ".join([word.text for word in words])
        if text.endswith(SOFT_HYPHEN) and text != SOFT_HYPHEN:
            text = text.rstrip(SOFT_HYPHEN) + SOFT_HYPHEN
        middle = words[len(words) // 2]
        first, last = (words[0], words[-1]) if len(words) < 3 else (_lettered(words), _lettered(words[::-1]))
        size = round(middle.size, 1)
        return Line(
            text,
            self._frame.box(rect),
            size=size,
            bold=self._is_bold(middle) and self._is_bold(first) and self._is_bold(last),
            hidden=hidden or self._visibility.is_off(rect, size),
            span=(words[0].at, words[-1].at + 1),
        )

    def _is_bold(self, word: Word) -> bool:
        drawn = self._objects[word.at]
        font = self._calls.font(drawn) if drawn else None
        if font not in self._bold:
            name = create_string_buffer(_LONGEST_NAME)
            self._calls.font_name(font, addressof(name), _LONGEST_NAME)
            heavy = self._calls.font_weight(font) >= _BOLD_WEIGHT
            self._bold[font] = heavy or _BOLD_NAME.search(name.value) is not None
        return self._bold[font]


def _by_sight(words: Sequence[Word], unseen: set[int]) -> Iterator[tuple[Sequence[Word], bool]]:
    """Cut a line where what can be seen ends, or begins."""
    if not unseen and words:
        yield words, False
        return
    for hidden, part in itertools.groupby(words, key=lambda word: word.at in unseen):
        yield list(part), hidden


def _by_column(words: Sequence[Word]) -> Iterator[tuple[Sequence[Word], bool]]:
    """Cut what pdfium takes for one line where a wide gap parts columns of prose, or where it jumps back.

    The cells of a table stay together: they are a row, of which is said that it has gaps.
    """
    begin, gapped = 0, False
    for i in range(1, len(words)):
        before, word = words[i - 1], words[i]
        wide = _COLUMN_GAP * before.size
        if -wide <= word.x0 - before.x1 <= wide:
            continue
        ahead = word.x0 > before.x1
        leftwards = abs(before.x0 - word.x1) <= wide  # the next word of a script that is read so
        back = not ahead and not leftwards
        if back or (ahead and _is_prose(words[begin:i]) and _is_prose(words[i:])):
            yield words[begin:i], gapped
            begin, gapped = i, False
        else:
            gapped = gapped or ahead
    yield words[begin:], gapped


def _lettered(words: Sequence[Word]) -> Word:
    """Return the first word that is more than a sign."""
    return next((word for word in words if any(map(str.isalnum, word.text))), words[0])


def _is_prose(words: Sequence[Word]) -> bool:
    return sum(word.text.isalpha() for word in words[:6]) >= 3
