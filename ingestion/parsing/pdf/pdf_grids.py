"""Finds the cells of tables whose rulings are drawn."""

from __future__ import annotations

import itertools
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ingestion.parsing.pdf.pdf_geometry import Ruling

_SNAP = 3.0  # points within which rulings count as the same line, or as touching
_MAX_RULINGS = 1500
_COVERED = 0.75  # of a side, that makes it a wall


@dataclass(frozen=True, slots=True)
class Grid:
    """A ruled table: the lines between its columns and rows, and for each field, by row, the cell that it is part of.
    A cell that spans fields has the number of its first one; a field outside of the table has -1."""

    xs: tuple[float, ...]
    ys: tuple[float, ...]
    cells: tuple[tuple[int, ...], ...]

    def cell_at(self, x: float, y: float) -> tuple[int, int] | None:
        """Return row and column of the first field of the cell at a point, None outside."""
        row, column = bisect_right(self.ys, y) - 1, bisect_right(self.xs, x) - 1
        if not (0 <= row < len(self.ys) - 1 and 0 <= column < len(self.xs) - 1):
            return None
        cell = self.cells[row][column]
        return divmod(cell, len(self.xs) - 1) if cell >= 0 else None

    def column_at(self, x: float) -> int:
        """Return the column of fields at x, the nearest one outside."""
        return min(max(bisect_right(self.xs, x) - 1, 0), len(self.xs) - 2)


def merged(rulings: Iterable[Ruling]) -> list[Ruling]:
    """Put together rulings that lie on one line and touch or overlap."""
    joined: list[Ruling] = []
    for horizontal, group in itertools.groupby(sorted(rulings), key=lambda ruling: ruling.horizontal):
        for line in _close(list(group)):
            at = sum(ruling.at for ruling in line) / len(line)
            start, end = line[0].start, line[0].end
            for ruling in line[1:]:
                if ruling.start > end + _SNAP:
                    joined.append(Ruling(horizontal, at, start, end))
                    start, end = ruling.start, ruling.end
                if ruling.end > end:
                    end = ruling.end
            joined.append(Ruling(horizontal, at, start, end))
    return joined


def grids(rulings: Sequence[Ruling]) -> list[Grid]:
    """Return the ruled tables that merged rulings make up. A page with more rulings than a table has is a drawing."""
    if len(rulings) > _MAX_RULINGS:
        return []
    found = (
        _grid([r for r in group if r.horizontal], [r for r in group if not r.horizontal])
        for group in _touching(rulings)
    )
    return [grid for grid in found if grid is not None]


def _close(rulings: list[Ruling]) -> list[list[Ruling]]:
    """Group rulings of one direction, sorted by place, by the line that they lie on."""
    groups: list[list[Ruling]] = []
    for ruling in rulings:
        if groups and ruling.at - groups[-1][0].at <= _SNAP:
            groups[-1].append(ruling)
        else:
            groups.append([ruling])
    return [sorted(group, key=lambda ruling: ruling.start) for group in groups]


def _touching(rulings: Sequence[Ruling]) -> list[list[Ruling]]:
    """Group rulings that cross or touch, directly or through others."""
    across = sorted(r for r in rulings if r.horizontal)
    down = [r for r in rulings if not r.horizontal]
    places = [h.at for h in across]
    parent = list(range(len(across) + len(down)))
    for j, v in enumerate(down, len(across)):
        for i in range(bisect_left(places, v.start - _SNAP), bisect_right(places, v.end + _SNAP)):
            if across[i].start - _SNAP <= v.at <= across[i].end + _SNAP:
                parent[_root(parent, i)] = _root(parent, j)
    groups: dict[int, list[Ruling]] = {}
    for i, ruling in enumerate((*across, *down)):
        groups.setdefault(_root(parent, i), []).append(ruling)
    return list(groups.values())


def _root(parent: list[int], i: int) -> int:
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


def _grid(across: Sequence[Ruling], down: Sequence[Ruling]) -> Grid | None:
    if len(across) < 2 or not down:
        return None
    # Many tables have no line at their left and right: they end where their rows' lines end.
    ends = [min(r.start for r in across), max(r.end for r in across)]
    xs, ys = _places([*(r.at for r in down), *ends]), _places(r.at for r in across)
    rows, columns = len(ys) - 1, len(xs) - 1
    if rows < 1 or columns < 2:
        return None
    below = _walls(across, ys, xs)
    beside = _walls(down, xs, ys)
    parent = list(range(rows * columns))
    for row, column in itertools.product(range(rows), range(columns)):
        here = row * columns + column
        if column + 1 < columns and not beside[column + 1][row]:
            parent[_root(parent, here + 1)] = _root(parent, here)
        if row + 1 < rows and not below[row + 1][column]:
            parent[_root(parent, here + columns)] = _root(parent, here)
    roots = [_root(parent, i) for i in range(rows * columns)]
    open_above = {roots[column] for column in range(columns) if not below[0][column]}
    open_below = {roots[(rows - 1) * columns + column] for column in range(columns) if not below[rows][column]}
    firsts: dict[int, int] = {}
    for i, root in enumerate(roots):
        firsts.setdefault(root, i)
    outside = open_above | open_below
    named = [-1 if root in outside else firsts[root] for root in roots]
    return Grid(tuple(xs), tuple(ys), tuple(tuple(named[i : i + columns]) for i in range(0, len(named), columns)))


def _places(values: Iterable[float]) -> list[float]:
    places: list[float] = []
    for value in sorted(values):
        if not places or value - places[-1] > _SNAP:
            places.append(value)
    return places


def _walls(rulings: Sequence[Ruling], lines: Sequence[float], steps: Sequence[float]) -> list[list[bool]]:
    """Return for each line, and each step along it, whether a ruling is drawn there."""
    walls = [[False] * (len(steps) - 1) for _ in lines]
    for ruling in rulings:
        after = bisect_left(lines, ruling.at, 1, len(lines) - 1)
        line = walls[after if lines[after] - ruling.at < ruling.at - lines[after - 1] else after - 1]
        for i, (start, end) in enumerate(itertools.pairwise(steps)):
            if min(end, ruling.end) - max(start, ruling.start) >= _COVERED * (end - start):
                line[i] = True
    return walls
