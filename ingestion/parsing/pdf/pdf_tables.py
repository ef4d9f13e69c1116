"""Finds the tables of a PDF page by the rulings that are drawn and by how its words stand below one another."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean

from ingestion.parsing.pdf.pdf_cells import Cells, rows_of_cells, tidy_columns, tidy_rows
from ingestion.parsing.pdf.pdf_columns import GAP, aligned_tables
from ingestion.parsing.pdf.pdf_geometry import Rect, Ruling, Word, around
from ingestion.parsing.pdf.pdf_grids import Grid, grids, merged
from ingestion.parsing.pdf.pdf_rows import Run, rows_of, runs_of, text_of

_MAX_WORDS = 20_000  # of a page; more is no page that a person reads
_MOST = 0.6  # of a table's words in one cell: a frame around something else
_FRAMED = 0.3  # of a grid's words in cells that hold tables: frames that arrange a page
_LONG = 60  # words in a cell, on average: a layout made of frames


@dataclass(frozen=True, slots=True)
class Table:
    """A table: its cells' texts by row, the place of each row, and where in the page's text its words begin."""

    rows: tuple[tuple[str, ...], ...]
    places: tuple[Rect, ...]
    words: frozenset[int]


def find_tables(words: Sequence[Word], rulings: Sequence[Ruling]) -> list[Table]:
    """Return the tables, those with drawn grids first."""
    if len(words) > _MAX_WORDS:
        return []
    lines = merged(rulings)
    found: list[Table] = []
    rest = list(words)
    for grid in grids(lines):
        cells = tidy_rows(tidy_columns(_split_rows(_filled(grid, _inside(grid, rest)))), lines)
        if _is_table(cells):
            found.append(_table(cells))
            rest = [word for word in rest if word.at not in found[-1].words]
    return found + [_table(tidy_rows(tidy_columns(cells), lines)) for cells in aligned_tables(rest, lines)]


def _inside(grid: Grid, words: Sequence[Word]) -> list[Word]:
    left, right, top, bottom = grid.xs[0], grid.xs[-1], grid.ys[0], grid.ys[-1]
    return [w for w in words if w.y1 > top and w.y0 < bottom and w.x1 > left and w.x0 < right]


def _filled(grid: Grid, words: Sequence[Word]) -> Cells:
    inside: Cells = {}
    for word in words:
        place = grid.cell_at(*word.rect.middle)
        if place is not None:
            inside.setdefault(place, []).append(word)
    cells: Cells = {}
    framed = 0
    for (row, column), held in inside.items():
        if len(held) == 1:
            cells.setdefault((row, column), []).append(held[0])
            continue
        lines = [runs_of(line, GAP) for line in rows_of(held)]
        if sum(len(runs) >= 3 for runs in lines) >= 3:
            framed += len(held)  # a frame around a table
            continue
        for at, run in _parted(grid, lines):
            cells.setdefault((row, column if at is None else at), []).extend(run.words)
    return cells if framed <= _FRAMED * sum(map(len, inside.values())) else {}


def _parted(grid: Grid, lines: Sequence[Sequence[Run]]) -> list[tuple[int | None, Run]]:
    """Return the runs of a cell, each with its column where the cell spans columns that only its header has ruled."""
    if len(lines) == 1 and len(lines[0]) > 1:
        columns = [grid.column_at(run.rect.middle[0]) for run in lines[0]]
        if len(set(columns)) == len(columns):
            return list(zip(columns, lines[0], strict=True))
    return [(None, run) for runs in lines for run in runs]


def _is_table(cells: Cells) -> bool:
    if len({row for row, _ in cells}) < 2 or len({column for _, column in cells}) < 2:
        return False
    counts = [len(words) for words in cells.values()]
    total = sum(counts)
    return mean(counts) <= _LONG and (max(counts) <= _MOST * total or total <= 20)


def _split_rows(cells: Cells) -> Cells:
    """Part ruled rows that hold several rows of figures, as where only columns and header are ruled."""
    split: Cells = {}
    shift = 0
    for row, across in rows_of_cells(cells):
        lines = {column: rows_of(words) for column, words in across.items()}
        if not _are_rows_of_figures(list(lines.values())):
            split.update({(row + shift, column): words for column, words in across.items()})
            continue
        texts = rows_of(word for words in across.values() for word in words)
        column_of = {word.at: column for column, words in across.items() for word in words}
        for i, text in enumerate(texts):
            for word in text:
                place = (row + shift + i, column_of[word.at])
                split[place] = [*split.get(place, ()), word]
        shift += len(texts) - 1
    return split


def _are_rows_of_figures(columns: Sequence[Sequence[Sequence[Word]]]) -> bool:
    most = max(len(lines) for lines in columns)
    full = [lines for lines in columns if len(lines) >= max(2, 0.8 * most)]
    figures = [lines for lines in full if sum(Run(line).is_number for line in lines) >= 0.8 * len(lines)]
    return len(full) >= 2 and len(full) >= 0.5 * len(columns) and len(figures) >= 1


def _table(cells: Cells) -> Table:
    columns = sorted({column for _, column in cells})
    rows = [across for _, across in rows_of_cells(cells)]
    texts = tuple(tuple(text_of(across.get(column, ())) for column in columns) for across in rows)
    places = tuple(around(list(itertools.chain.from_iterable(across.values()))) for across in rows)
    return Table(texts, places, frozenset(word.at for words in cells.values() for word in words))
