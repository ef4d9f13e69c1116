"""Reads the inside of an AsciiDoc table as rows of cells."""

from __future__ import annotations

import csv
import itertools
import re
from collections.abc import Sequence

# What may stand before the bar of a cell: how often it is repeated or over how many columns and rows it spans, how it
# is aligned, and its style. A word that only ends in such a letter belongs to the cell before.
_SPEC = re.compile(r"(?:^|(?<=\s))(?:(?P<times>\d+)\*|(?P<span>\d*(?:\.\d+)?)\+)?(?:[<^>])?(?:\.[<^>])?[adehlmsv]?\Z")
_SEPARATORS = {",": ",", ":": ":"}


def table_rows(lines: Sequence[str], kind: str = "|") -> list[list[str]]:
    """Return the rows between the fences of a table; `kind` is the fence's first character.

    The number of columns is that of the first line, as long as all its cells stand on it.
    """
    lines = [line for line in lines if not line.lstrip().startswith("//")]
    if kind in _SEPARATORS:
        return [row for row in csv.reader(lines, delimiter=_SEPARATORS[kind]) if row]
    by_line = [_cells(line, kind) for line in lines if line.strip()]
    width = next((len(cells) for cells in by_line if cells), 0)
    first = next((i for i, line in enumerate(lines) if line.strip()), 0)
    one_a_line = width == 1 and len(by_line) > 1
    if one_a_line:  # each cell on a line of its own; a blank line ends the first row
        width = next((i for i, line in enumerate(lines[first:]) if not line.strip()), len(by_line))
    rows: list[list[str]] = []
    for line in lines:
        cells = _cells(line, kind)
        if not cells and line.strip() and rows:
            rows[-1][-1] += f" {line.strip()}"
        elif cells and rows and (one_a_line or len(rows[-1]) < width) and len(rows[-1]) + len(cells) <= width:
            rows[-1] += cells
        elif cells:
            rows.append(cells)
    return rows


def _cells(line: str, bar: str) -> list[str]:
    """Return the cells that begin on the line; an escaped bar is none."""
    parts = re.split(rf"(?<!\\){re.escape(bar)}", line)
    if len(parts) < 2:
        return []
    cells: list[str] = []
    for before, text in itertools.pairwise(parts):
        spec = _SPEC.search(before)
        if cells and spec and spec[0]:
            cells[-1] = before[: spec.start()]
        times = int((spec and (spec["times"] or (spec["span"] or "").split(".")[0])) or 1)
        cells += [text] * min(times, 100)
    if cells and len(parts) > 2 and line.rstrip().endswith(bar) and not cells[-1].strip():
        cells.pop()  # a bar may also close the line
        cells.append("")
    return [cell.replace(f"\\{bar}", bar).strip() for cell in cells]
