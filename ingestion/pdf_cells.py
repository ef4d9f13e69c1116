"""Tidies the cells of a table: columns and rows that only its typography parts are put together."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from statistics import median

from ingestion.pdf_geometry import Rect, Ruling, Word, around
from ingestion.pdf_rows import Run, is_right_to_left

Cells = dict[tuple[int, int], list[Word]]  # by row and column

_BEFORE = re.compile(r"(?:[$€£¥]|US\$|\()+")  # stands in a column of its own before its figure
_AFTER = re.compile(r"[%)*‰]+")  # or after it
_TIGHT = 0.35  # times the height of a row, between the lines of one cell


def tidy_columns(cells: Cells) -> Cells:
    """Put signs that have a column to themselves beside their figures, and columns that take turns into one."""
    columns = sorted({column for _, column in cells})
    kept: list[int] = []
    for i, column in enumerate(columns):
        texts = {row: Run(words).text for (row, c), words in cells.items() if c == column}
        follows = columns[i + 1] if i + 1 < len(columns) else None
        signs = [row for row, text in texts.items() if _BEFORE.fullmatch(text)]
        if follows is not None and signs and all(row in signs or (row, follows) not in cells for row in texts):
            cells = _joined(cells, column, follows)
        elif kept and (all(_AFTER.fullmatch(text) for text in texts.values()) or _take_turns(cells, kept[-1], column)):
            cells = _joined(cells, column, kept[-1])
        else:
            kept.append(column)
    if is_right_to_left(word for words in cells.values() for word in words):
        return {(row, -column): words for (row, column), words in cells.items()}
    return cells


def _take_turns(cells: Mapping[tuple[int, int], Sequence[Word]], one: int, other: int) -> bool:
    rows = [{row for row, column in cells if column == which} for which in (one, other)]
    return not rows[0] & rows[1]


def _joined(cells: Cells, column: int, into: int) -> Cells:
    joined: Cells = {}
    for (row, c), words in sorted(cells.items()):
        place = (row, into if c == column else c)
        joined[place] = sorted((*joined.get(place, ()), *words), key=lambda word: word.x0)
    return joined


def tidy_rows(cells: Cells, rulings: Sequence[Ruling]) -> Cells:
    """Put the lines of cells that were wrapped into one row, where neither a ruling nor a gap parts them."""
    rows = sorted({row for row, _ in cells})
    usual = _usual_gap(cells, rows)
    tidied: dict[int, dict[int, list[Word]]] = {}
    last: int | None = None
    for row in rows:
        here = {column: words for (r, column), words in cells.items() if r == row}
        above = tidied[last] if last is not None else {}
        if last is not None and _is_near(above, here, rulings) and _goes_on(len(tidied), above, here, usual):
            for column, words in here.items():
                above.setdefault(column, []).extend(words)
        else:
            tidied[row], last = here, row
    return {(row, column): words for row, across in tidied.items() for column, words in across.items()}


def _is_near(
    above: Mapping[int, Sequence[Word]], here: Mapping[int, Sequence[Word]], rulings: Sequence[Ruling]
) -> bool:
    one, other = _place(above), _place(here)
    ruled = any(
        r.horizontal and one.middle[1] < r.at < other.middle[1] and r.start < other.x1 and r.end > other.x0
        for r in rulings
    )
    return not ruled and _gap(above, here) < _TIGHT * _height(here)


def _goes_on(count: int, above: Mapping[int, Sequence[Word]], here: Mapping[int, Sequence[Word]], usual: float) -> bool:
    """Return whether the row goes on with what the cells above it, the `count`-th row, began."""
    if min(here) == 0:
        starts_low = Run(here[0]).text[:1].islower() or (Run(here[0]).text[:1] == "(" and len(above) > 1)
        return 0 in above and starts_low and (len(here) == 1 or len(above) == 1)
    if not set(here) <= set(above):
        return False
    if min(above) > 0:  # nothing stands over the labels: the header, whose cells are of several lines
        fits = set(here) == set(above) or all(Run(words).text[:1].islower() for words in here.values())
        return count <= 2 and fits and all(_is_below(above[column], here[column]) for column in here)
    tighter = _gap(above, here) < usual - 0.15 * _height(here)
    runs = [Run(words) for words in here.values()]
    return all((tighter or run.text[:1].islower()) and not run.is_number for run in runs)


def _usual_gap(cells: Cells, rows: Sequence[int]) -> float:
    across = [{column: words for (r, column), words in cells.items() if r == row} for row in rows]
    gaps = [_gap(above, here) for above, here in itertools.pairwise(across)]
    return median(gaps) if gaps else 0.0


def _gap(above: Mapping[int, Sequence[Word]], here: Mapping[int, Sequence[Word]]) -> float:
    return _place(here).y0 - _place(above).y1


def _height(across: Mapping[int, Sequence[Word]]) -> float:
    return min(word.y1 - word.y0 for words in across.values() for word in words)


def _is_below(above: Sequence[Word], here: Sequence[Word]) -> bool:
    """Return whether what stands above is no wider than a column: it does not span several."""
    one, other = around(above), around(here)
    return (one.x1 - one.x0) < 2.5 * (other.x1 - other.x0)


def _place(across: Mapping[int, Sequence[Word]]) -> Rect:
    return around([word for words in across.values() for word in words])
