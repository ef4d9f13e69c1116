"""Puts the words of a page together: words to rows, and the words of a row to runs that no column gap parts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cached_property
from operator import attrgetter

from ingestion.parsing.pdf.pdf_geometry import Rect, Word, around

_left, _at = attrgetter("x0"), attrgetter("at")
_SAME_ROW = 0.45  # of a word's height, by which middles of one row may differ
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
_NUMBER = re.compile(r"[-+−–(]?[\s$€£¥]*[\d.,:%/]*\d[\d.,:%/ ]*[)%]?[*a-z]?|[-–—−☐☒☑✓✔✗]+|n/?a|\.+", re.IGNORECASE)


class Run:
    """Words of one row that stand together; what is asked of it is worked out once."""

    def __init__(self, words: Sequence[Word]) -> None:
        self.words = words
        self.rect: Rect = around(words) if len(words) > 1 else words[0].rect

    @cached_property
    def text(self) -> str:
        """Its words, parted by spaces."""
        return joined(self.words)

    @cached_property
    def is_number(self) -> bool:
        """Whether it is a figure, or what stands where there is none."""
        return _NUMBER.fullmatch(self.text) is not None

    @cached_property
    def is_prose(self) -> bool:
        """Whether it reads like a line of running text."""
        return len(self.words) >= 6 and sum([word.text.isalpha() for word in self.words]) >= 6


def rows_of(words: Iterable[Word]) -> list[list[Word]]:
    """Return the words in rows from top to bottom, each from left to right."""
    rows: list[list[Word]] = []
    middle = 0.0
    for word in sorted(words, key=_twice_its_middle):
        at, height = (word.y0 + word.y1) / 2, word.y1 - word.y0
        if rows and at - middle <= _SAME_ROW * min(height, rows[-1][0].y1 - rows[-1][0].y0):
            rows[-1].append(word)
        else:
            rows.append([word])
            middle = at
    for row in rows:
        row.sort(key=_left)
    return rows


def runs_of(row: Sequence[Word], gap: float, walls: Sequence[float] = ()) -> list[Run]:
    """Cut a row where words are more than `gap` times their height apart, or a wall (an x) stands between them."""
    runs: list[list[Word]] = [[row[0]]]
    end = row[0].x1
    for word in row[1:]:
        wide = word.x0 - end > gap * (word.y1 - word.y0)
        if wide or (walls and any(end - 1 <= wall <= word.x0 + 1 for wall in walls)):
            runs.append([word])
        else:
            runs[-1].append(word)
        if word.x1 > end:
            end = word.x1
    return list(map(Run, runs))


def joined(words: Iterable[Word]) -> str:
    """Return the words of one line as text."""
    return " ".join([word.text for word in words])


def text_of(words: Sequence[Word]) -> str:
    """Return the words of a cell as text, with words broken at a line's end put together."""
    if len(words) == 1:
        return words[0].text
    text = ""
    for row in rows_of(words):
        # pdfium gives what is read from right to left in the order in which it is read.
        line = joined(sorted(row, key=_at) if is_right_to_left(row) else row)
        if text.endswith("-") and text[-2:-1].isalpha() and line[:1].islower():
            text = text[:-1] + line
        else:
            text += f" {line}" if text else line
    return text


def is_right_to_left(words: Iterable[Word]) -> bool:
    """Return whether most words are of a script that is read from right to left."""
    marks = [not word.text.isascii() and _RIGHT_TO_LEFT.search(word.text) is not None for word in words]
    return sum(marks) * 2 > len(marks)


def _twice_its_middle(word: Word) -> float:
    return word.y0 + word.y1
