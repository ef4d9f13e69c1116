"""Puts the lines of a PDF page into reading order and drops what repeats on every page."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Sequence

from ingestion.parsing.pdf.pdf_lines import Line

_MARGIN = 0.12  # of the page's height, where running heads and page numbers stand
_ENDS = 2  # lines at each end of a page's text that may be running heads
_PROSE_WORDS = 4  # words in a line, on average, that tell a column of prose from a column of a table


def without_running_heads(pages: Sequence[Sequence[Line]]) -> list[list[Line]]:
    """Return the pages without lines that stand at the edge of most pages; the first occurrence stays."""
    if len(pages) < 3:
        return [list(lines) for lines in pages]
    outer = [_outermost(lines) for lines in pages]
    counts = Counter(key for lines in outer for key in {_key(line) for line in lines})
    repeated = {key for key, count in counts.items() if count >= max(3, len(pages) * 0.4)}
    seen: set[str] = set()
    kept: list[list[Line]] = []
    for lines, heads in zip(pages, outer, strict=True):
        page = []
        outermost = set(map(id, heads))
        for line in lines:
            if id(line) in outermost and (key := _key(line)) in repeated:
                if key in seen or key == "#":
                    continue
                seen.add(key)
            page.append(line)
        kept.append(page)
    return kept


def reading_order(lines: Sequence[Line]) -> list[Line]:
    """Return the lines of one page in reading order.

    Files mostly draw text in the order in which it is read, so that order is kept unless the page is plainly two
    columns of prose, or is drawn in an order that keeps jumping up the page.
    """
    ordered = list(lines)
    if (gutter := _gutter(ordered)) is not None:
        return _by_columns(ordered, gutter)
    jumps = sum(after.box.y1 < before.box.y0 for before, after in itertools.pairwise(ordered))
    if jumps > max(3, len(ordered) / 3):
        return sorted(ordered, key=lambda line: (round(line.box.y1, 2), line.box.x0))
    return ordered


def _gutter(lines: Sequence[Line]) -> float | None:
    """Return where two columns of prose part, as a fraction of the width, or None."""
    for middle in (0.5, 0.48, 0.52, 0.46, 0.54):
        left = [line for line in lines if line.box.x1 <= middle + 0.01]
        right = [line for line in lines if line.box.x0 >= middle - 0.01]
        across = len(lines) - len(left) - len(right)
        if min(len(left), len(right)) >= 5 and across <= 0.3 * len(lines) and _prose(left) and _prose(right):
            return middle
    return None


def _prose(lines: Sequence[Line]) -> bool:
    lines = [line for line in lines if line.kind is None]
    return bool(lines) and sum(len(line.text.split()) for line in lines) >= _PROSE_WORDS * len(lines)


def _by_columns(lines: Sequence[Line], gutter: float) -> list[Line]:
    """Read the left column, then the right one, in each band between lines that run across both."""
    ordered: list[Line] = []
    left: list[Line] = []
    right: list[Line] = []
    for line in sorted(lines, key=lambda line: (round(line.box.y1, 3), line.box.x0)):
        if line.box.x1 <= gutter + 0.01:
            left.append(line)
        elif line.box.x0 >= gutter - 0.01:
            right.append(line)
        else:
            ordered += [*left, *right, line]
            left, right = [], []
    return [*ordered, *left, *right]


def _outermost(lines: Sequence[Line]) -> list[Line]:
    """Return the lines in the page's margins, and the first and last ones: on a page that is not full these stand
    wherever its text ends."""
    shown = sorted((line for line in lines if not line.hidden and line.kind is None), key=_foot)
    ends = (*shown[:_ENDS], *shown[_ENDS:][-_ENDS:])
    return [*ends, *(line for line in shown[_ENDS:-_ENDS] if _in_margin(line))]


def _foot(line: Line) -> float:
    return line.box.y1


def _in_margin(line: Line) -> bool:
    return line.box.y1 < _MARGIN or line.box.y0 > 1 - _MARGIN


def _key(line: Line) -> str:
    return re.sub(r"\d+|\b[ivxl]+\b", "#", line.text.casefold().strip(" -–—|"))
