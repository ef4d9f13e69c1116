"""Puts the tables of a PDF page in the place of the lines that they consist of."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import replace

from contracts import ElementKind
from ingestion.parsing.markdown_tables import markdown_table
from ingestion.parsing.pdf.pdf_geometry import Frame, Ruling, Word, around
from ingestion.parsing.pdf.pdf_lines import Line
from ingestion.parsing.pdf.pdf_tables import Table, find_tables


def may_hold_tables(lines: Sequence[Line], wide: Iterable[int], rulings: Sequence[Ruling]) -> bool:
    """Return whether looking for tables is worth its time: a grid is drawn, or lines near one another have gaps.

    `wide` are the places in `lines` of those in which words stand far apart.
    """
    across = sum(ruling.horizontal for ruling in rulings)
    if across >= 2 and len(rulings) - across >= 2:
        return True
    gapped = set(wide)
    rows: dict[int, int] = {}
    for i, line in enumerate(lines):
        if line.hidden:
            continue
        row = round((line.box.y0 + line.box.y1) * 150)
        rows[row] = rows.get(row, 0) + 1 + (i in gapped)
    return sum(count > 1 for count in rows.values()) >= 2


def with_tables(lines: Sequence[Line], words: Sequence[Word], rulings: Sequence[Ruling], frame: Frame) -> list[Line]:
    """Return the lines with each table as one line of its own, where the first of its lines stood."""
    tables = find_tables(words, rulings)
    if not tables:
        return list(lines)
    owner = {at: table for table in tables for at in table.words}
    ordered = sorted(words, key=lambda word: word.at)
    starts = [word.at for word in ordered]
    done: set[int] = set()
    kept: list[Line] = []
    for line in lines:
        own = ordered[bisect_left(starts, line.span[0]) : bisect_left(starts, line.span[1])]
        if line.hidden or not any(word.at in owner for word in own):
            kept.append(line)
            continue
        for table in (owner[word.at] for word in own if word.at in owner):
            if id(table) not in done:
                done.add(id(table))
                kept.append(_line(table, frame))
        rest = [word for word in own if word.at not in owner]
        if rest:
            box = frame.box(around(rest))
            kept.append(replace(line, text=" ".join(word.text for word in rest), box=box))
    return kept


def _line(table: Table, frame: Frame) -> Line:
    parts = tuple(frame.box(place) for place in table.places)
    return Line(markdown_table(table.rows), frame.box(around(table.places)), 0.0, kind=ElementKind.TABLE, parts=parts)
