"""Tidies the cells of a table: columns and rows that only its typography parts are put together."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from operator import attrgetter, itemgetter
from statistics import median

from ingestion.parsing.pdf.pdf_geometry import Rect, Ruling, Word, around
from ingestion.parsing.pdf.pdf_rows import Run, is_right_to_left, joined

Cells = dict[tuple[int, int], list[Word]]  # by row and column
_Column = dict[int, list[Word]]  # a column's cells, by row

_left = attrgetter("x0")
_BEFORE = re.compile(r"(?:[$€£¥]|US\$|\()+")  # stands in a column of its own before its figure
_AFTER = re.compile(r"[%)*‰]+")  # or after it
_TIGHT = 0.35  # times the height of a row, between the lines of one cell


def tidy_columns(cells: Cells) -> Cells:
    """Put signs that have a column to themselves beside their figures, and columns that take turns into one."""
    columns: dict[int, _Column] = {}
    for (row, column), words in cells.items():
        columns.setdefault(column, {})[row] = words
    order = sorted(columns)
    kept: list[int] = []
    for column, follows in itertools.zip_longest(order, order[1:]):
        texts = {row: joined(words) for row, words in columns[column].items()}
        signs = {row for row, text in texts.items() if _BEFORE.fullmatch(text)}
        if follows is not None and signs and all(row in signs or row not in columns[follows] for row in texts):
            _join(columns[follows], columns.pop(column))
        elif kept and (all(map(_AFTER.fullmatch, texts.values())) or not columns[kept[-1]].keys() & texts.keys()):
            _join(columns[kept[-1]], columns.pop(column))
        else:
            kept.append(column)
    turned = -1 if is_right_to_left(word for words in cells.values() for word in words) else 1
    return {(row, turned * column): words for column in kept for row, words in columns[column].items()}


def _join(column: _Column, other: _Column) -> None:
    """Put the cells of the other column into this one."""
    for row, words in other.items():
        column[row] = sorted((*words, *column.get(row, ())), key=_left)


def rows_of_cells(cells: Cells) -> list[tuple[int, dict[int, list[Word]]]]:
    """Return the rows from top to bottom, each with its number and its cells by column."""
    rows: dict[int, dict[int, list[Word]]] = {}
    for (row, column), words in cells.items():
        rows.setdefault(row, {})[column] = words
    return sorted(rows.items(), key=itemgetter(0))


def tidy_rows(cells: Cells, rulings: Sequence[Ruling]) -> Cells:
    """Put the lines of cells that were wrapped into one row, where neither a ruling nor a gap parts them."""
    rows = rows_of_cells(cells)
    usual = _usual_gap([across for _, across in rows])
    tidied: dict[int, dict[int, list[Word]]] = {}
    last: int | None = None
    for row, here in rows:
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
    return other.y0 - one.y1 < _TIGHT * _height(here) and not any(
        r.horizontal and one.middle[1] < r.at < other.middle[1] and r.start < other.x1 and r.end > other.x0
        for r in rulings
    )


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


def _usual_gap(rows: Sequence[Mapping[int, Sequence[Word]]]) -> float:
    places = list(map(_place, rows))
    return median(here.y0 - above.y1 for above, here in itertools.pairwise(places)) if len(rows) > 1 else 0.0


def _gap(above: Mapping[int, Sequence[Word]], here: Mapping[int, Sequence[Word]]) -> float:
    return _place(here).y0 - _place(above).y1


def _height(across: Mapping[int, Sequence[Word]]) -> float:
    return min(word.y1 - word.y0 for words in across.values() for word in words)


def _is_below(above: Sequence[Word], here: Sequence[Word]) -> bool:
    """Return whether what stands above is no wider than a column: it does not span several."""
    one, other = around(above), around(here)
    return (one.x1 - one.x0) < 2.5 * (other.x1 - other.x0)


def _place(across: Mapping[int, Sequence[Word]]) -> Rect:
    return around(list(itertools.chain.from_iterable(across.values())))
