"""Finds tables without a drawn grid: rows whose words stand in columns below one another."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import mean, median

from ingestion.parsing.pdf.pdf_geometry import Ruling, Word
from ingestion.parsing.pdf.pdf_rows import Run, rows_of, runs_of

GAP = 0.75  # times the height of letters, that parts two cells
_FAR = 2.2  # times the usual distance of rows, that ends a table
_MAX_LONE = 3  # rows with one run, one after another, inside a table
_MARKER = re.compile(r"[•●▪■◦‣∙·–*\-\uf0b7\uf0a7]|\(?(?:\d{1,3}|[a-zA-Z]|[ivxIVX]+)[.)]")
_LEADER = re.compile(r"(?:\s?[.…_]){3,}\s*")

_Rows = list[list[Run]]


@dataclass(slots=True)
class _Column:
    x0: float
    x1: float


def aligned_tables(words: Sequence[Word], rulings: Sequence[Ruling]) -> Iterator[dict[tuple[int, int], list[Word]]]:
    """Yield the tables' cells, each as its words, by row and column."""
    walls = [ruling for ruling in rulings if not ruling.horizontal]
    rows: _Rows = []
    for row in rows_of(words):
        middle = row[0].rect.middle[1]
        beside = [at for _, at, start, end in walls if start <= middle <= end]
        rows.append(runs_of(row, GAP, beside))
    for block in _blocks(rows, [ruling for ruling in rulings if ruling.horizontal]):
        columns = _columns(block)
        if _is_table(block, columns, rulings):
            yield _cells(block, columns)


def _blocks(rows: _Rows, lines: Sequence[Ruling]) -> Iterator[_Rows]:
    """Yield stretches of rows that could be a table: most have several runs, and none is a line of prose."""
    pitch = _pitch(rows)
    block: _Rows = []
    for i, row in enumerate(rows):
        is_text = _is_text(row) and not _is_label(row, (*block[-2:], *rows[i + 1 : i + 3]))
        if is_text or (block and _top(row) - _bottom(block[-1]) > _FAR * pitch):
            yield from _trimmed(block)
            block = []
        if not is_text:
            block.append(row)
    yield from _trimmed(block)


def _is_label(row: Sequence[Run], near: Sequence[Sequence[Run]]) -> bool:
    """Return whether a lone run stands before the figures of the rows around it, like a label of several lines."""
    figures = [run for other in near if len(other) > 1 for run in other[1:] if run.is_number]
    return len(row) == 1 and bool(figures) and all(row[0].rect.x1 < run.rect.x0 for run in figures)


def _trimmed(block: _Rows) -> Iterator[_Rows]:
    """Cut lone runs off both ends, and the block in two where too many follow one another."""
    parts: list[_Rows] = [[]]
    for several, group in itertools.groupby(block, key=lambda row: len(row) > 1):
        rows = list(group)
        if not several and len(rows) > _MAX_LONE:
            parts.append([])
        elif several or parts[-1]:
            parts[-1] += rows
    for part in parts:
        while part and len(part[-1]) == 1:
            part.pop()
        if len(part) >= 2:
            yield part


def _is_text(row: Sequence[Run]) -> bool:
    if len(row) == 1:
        return row[0].is_prose
    if len(row) == 2 and _MARKER.fullmatch(row[0].text):
        return True  # an item of a list
    return sum(run.is_prose for run in row) >= len(row) - 1 and len(row) <= 3 and not row[-1].is_number


def _pitch(rows: _Rows) -> float:
    heights = [run.rect.y1 - run.rect.y0 for row in rows for run in row]
    return median(heights) if heights else 0.0


def _top(row: Sequence[Run]) -> float:
    return min(run.rect.y0 for run in row)


def _bottom(row: Sequence[Run]) -> float:
    return max(run.rect.y1 for run in row)


def _columns(block: _Rows) -> list[_Column]:
    """Return the columns, from left to right. Narrow runs make them; one that is as wide as several spans them."""
    columns: list[_Column] = []
    full = [run for row in block if len(row) > 1 for run in row]
    for run in sorted(full, key=lambda run: run.rect.x1 - run.rect.x0):
        x0, _, x1, _ = run.rect
        touched = [column for column in columns if column.x0 < x1 and x0 < column.x1]
        if not touched:
            columns.append(_Column(x0, x1))
        elif len(touched) == 1:
            touched[0].x0, touched[0].x1 = min(touched[0].x0, x0), max(touched[0].x1, x1)
        elif not _stand_side_by_side(block, touched):
            columns = [c for c in columns if c not in touched]
            columns.append(_Column(min(c.x0 for c in touched), max(c.x1 for c in touched)))
    return sorted(columns, key=lambda column: column.x0)


def _stand_side_by_side(block: _Rows, columns: Sequence[_Column]) -> bool:
    """Return whether some row has runs in two of the columns, so that they are not one."""
    return any(sum(any(_within(run, column) for run in row) for column in columns) > 1 for row in block)


def _within(run: Run, column: _Column) -> bool:
    return column.x0 - 1 <= run.rect.x0 and run.rect.x1 <= column.x1 + 1


def _is_table(block: _Rows, columns: Sequence[_Column], rulings: Sequence[Ruling]) -> bool:
    full = [row for row in block if len(row) > 1]
    if len(columns) < 2 or len(full) < 2 or len(full) < 0.4 * len(block):
        return False
    runs = [run for row in full for run in row]
    fit = sum(any(_within(run, column) for column in columns) for run in runs) / len(runs)
    filled = len(runs) / (len(full) * len(columns))
    if fit < 0.7 or filled < 0.3:
        return False
    figures = mean(run.is_number for row in full for run in row[1:])
    ruled = _ruled(block, rulings)
    if len(columns) == 2:
        leaders = mean(_LEADER.search(row[0].text) is not None for row in full)
        return (figures >= 0.5 and leaders < 0.5 and len(full) >= 3) or (ruled and len(full) >= 3 and figures >= 0.2)
    letters = mean(len(run.text) for run in runs)
    words = mean(len(run.words) for run in runs)
    if letters < 1.5:
        return False  # turned text, letter by letter
    return figures >= 0.25 or (len(full) >= 3 and (ruled or (words <= 3.5 and filled >= 0.75 and fit >= 0.9)))


def _ruled(block: _Rows, rulings: Sequence[Ruling]) -> bool:
    """Return whether at least two lines are drawn across most of the block's width."""
    left, right = min(run.rect.x0 for row in block for run in row), max(run.rect.x1 for row in block for run in row)
    top, bottom = _top(block[0]) - 12, _bottom(block[-1]) + 12
    spans = [r for r in rulings if r.horizontal and top <= r.at <= bottom]
    return sum(min(r.end, right) - max(r.start, left) > 0.6 * (right - left) for r in spans) >= 2


def _cells(block: _Rows, columns: Sequence[_Column]) -> dict[tuple[int, int], list[Word]]:
    cells: dict[tuple[int, int], list[Word]] = {}
    for i, row in enumerate(block):
        for run in row:
            cells.setdefault((i, _column_of(run, columns)), []).extend(run.words)
    return cells


def _column_of(run: Run, columns: Sequence[_Column]) -> int:
    """Return the column that a run stands in: the first that it touches, else the nearest."""
    x0, _, x1, _ = run.rect
    for i, column in enumerate(columns):
        if column.x0 < x1 and x0 < column.x1:
            return i
    return min(range(len(columns)), key=lambda i: abs(columns[i].x0 - (x0 + x1) / 2))
