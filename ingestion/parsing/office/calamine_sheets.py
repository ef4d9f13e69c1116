"""Reads workbooks with calamine: the binary ones, and those that are too large for a slower library."""

from __future__ import annotations

import datetime
import io
from collections.abc import Iterator
from typing import Any

from contracts import Element
from ingestion.parsing.office.sheet_blocks import sheet_elements, sheet_title


def read_with_calamine(data: bytes) -> tuple[Element, ...]:
    """Return the tables of an xlsx, xlsb or ods file, each sheet a page. Raises CalamineError when it is damaged."""
    from python_calamine import CalamineWorkbook

    with CalamineWorkbook.from_filelike(io.BytesIO(data)) as book:
        return tuple(_elements(book))


def _elements(book: Any) -> Iterator[Element]:
    from python_calamine import SheetTypeEnum, SheetVisibleEnum

    for page, about in enumerate(book.sheets_metadata, start=1):
        if about.typ is not SheetTypeEnum.WorkSheet:
            continue
        hidden = about.visible is not SheetVisibleEnum.Visible
        yield from sheet_title(about.name, page=page, alone=len(book.sheet_names) == 1, hidden=hidden)
        sheet = book.get_sheet_by_name(about.name)
        if sheet.start is not None:
            yield from sheet_elements(_rows(sheet), page=page, hidden=hidden)


def _rows(sheet: Any) -> Iterator[list[str]]:
    """Yield the rows as text, a merged cell's text in every row and column that it covers."""
    covered = {  # ranges in one row or column label others; larger ones hold prose, which is said once
        (row, column): first
        for first, last in sheet.merged_cell_ranges or ()
        if (last[0] - first[0] + 1) * (last[1] - first[1] + 1) <= 1000
        for row in range(first[0], last[0] + 1)
        for column in range(first[1], last[1] + 1)
    }
    values: dict[tuple[int, int], str] = {}
    anchors = set(covered.values())
    top, left = sheet.start
    for row, cells in enumerate(sheet.iter_rows(), start=top):
        shown = [_shown(cell) for cell in cells]
        if covered:
            for column, text in enumerate(shown, start=left):
                if (row, column) in anchors:
                    values[row, column] = text
            shown = [
                values.get(covered.get((row, column), (-1, -1)), text) for column, text in enumerate(shown, start=left)
            ]
        yield shown


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime.datetime):
        return value.isoformat(" ").removesuffix(" 00:00:00")
    return "" if value is None else str(value).strip()
