"""Cuts the cells of a sheet into the tables and lone texts that a person sees there."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence

from contracts import Element, ElementKind
from ingestion.parsing.markdown_tables import markdown_table

_MOST_ROWS = 2000  # in one table, and in memory; what is longer is cut, and its header said again
_DEEPEST = 6  # blocks beside blocks below blocks; each step looks at every cell once

Row = Sequence[str]
_DEFAULT_NAME = re.compile(r"(?i)sheet ?\d*")


def sheet_title(name: str, *, page: int, alone: bool, hidden: bool = False) -> tuple[Element, ...]:
    """Return the sheet's name as a heading; none where it is the only one and nobody named it."""
    if alone and _DEFAULT_NAME.fullmatch(name):
        return ()
    return (Element(name, kind=ElementKind.TITLE, page=page, hidden=hidden),)


def sheet_elements(rows: Iterable[Row], *, page: int, hidden: bool = False) -> Iterator[Element]:
    """Yield the tables of the sheet: stretches of cells with an empty row or column around them."""
    for block in _stretches(rows, _MOST_ROWS):
        for part in _split(block, _DEEPEST):
            filled = [cell for row in part for cell in row if cell]
            if len(filled) == 1:
                yield Element(filled[0], page=page, hidden=hidden)
            else:
                yield Element(markdown_table(part), kind=ElementKind.TABLE, page=page, hidden=hidden)


def _stretches(rows: Iterable[Row], most: int | None = None) -> Iterator[list[Row]]:
    """Yield the rows between empty ones; where there are more than `most`, some at a time, each time with the first."""
    block: list[Row] = []
    for row in rows:
        if any(row):
            if len(block) == most:
                yield block
                block = block[:1]
            block.append(row)
        elif block:
            yield block
            block = []
    if block:
        yield block


def _split(block: list[Row], deeper: int) -> Iterator[list[Row]]:
    """Yield the parts of the block that an empty column parts, each cut at its own empty rows in turn."""
    used: set[int] = set()
    for row in block:
        used.update(column for column, cell in enumerate(row) if cell)
    columns = sorted(used)
    cuts = [0, *(i for i in range(1, len(columns)) if columns[i] > columns[i - 1] + 1), len(columns)]
    if len(cuts) == 2 or not deeper:
        yield [row[columns[0] : columns[-1] + 1] for row in block]
        return
    for start, end in itertools.pairwise(cuts):
        low, high = columns[start], columns[end - 1] + 1
        for stretch in _stretches(row[low:high] for row in block):
            yield from _split(stretch, deeper - 1)
