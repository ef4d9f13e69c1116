"""Reads Excel 2 to 2003 workbooks with xlrd, which knows every one of these formats and how its numbers are shown."""

from __future__ import annotations

import datetime
import io
import re
from collections.abc import Iterator
from typing import Any

from contracts import Element
from ingestion.parsing.office.sheet_blocks import sheet_elements, sheet_title

_PERCENT = re.compile(r"0(?:\.(0+))?%")


def read_with_xlrd(data: bytes) -> tuple[Element, ...]:
    """Return the tables of the workbook, each sheet a page. Raises xlrd.XLRDError and others when it is damaged."""
    import xlrd

    with xlrd.open_workbook(file_contents=data, formatting_info=True, logfile=io.StringIO(), on_demand=True) as book:
        return tuple(_elements(book))


def _elements(book: Any) -> Iterator[Element]:
    for page, name in enumerate(book.sheet_names(), start=1):
        sheet = book.sheet_by_index(page - 1)
        hidden = sheet.visibility != 0
        yield from sheet_title(name, page=page, alone=book.nsheets == 1, hidden=hidden)
        shown, unseen = _rows(book, sheet)
        yield from sheet_elements(shown, page=page, hidden=hidden)
        yield from sheet_elements(unseen, page=page, hidden=True)
        book.unload_sheet(page - 1)


def _rows(book: Any, sheet: Any) -> tuple[list[list[str]], list[list[str]]]:
    """Return the rows that are shown, and those that are hidden. A merged cell's text stands in each part of it."""
    texts = [[_shown(book, cell) for cell in sheet.row(row)] for row in range(sheet.nrows)]
    for top, bottom, left, right in sheet.merged_cells:
        for row in range(top, min(bottom, len(texts))):
            for column in range(left, min(right, len(texts[row]))):
                texts[row][column] = texts[top][left]
    unseen = {number for number, about in sheet.rowinfo_map.items() if about.hidden}
    shown = [row for number, row in enumerate(texts) if number not in unseen]
    return shown, [row for number, row in enumerate(texts) if number in unseen]


def _shown(book: Any, cell: Any) -> str:
    import xlrd

    if cell.ctype == xlrd.XL_CELL_DATE:
        return _date(cell.value, book.datemode)
    if cell.ctype == xlrd.XL_CELL_BOOLEAN:
        return str(bool(cell.value)).upper()
    if cell.ctype == xlrd.XL_CELL_ERROR:
        return str(xlrd.error_text_from_code.get(cell.value, ""))
    if cell.ctype == xlrd.XL_CELL_NUMBER:
        percent = _PERCENT.fullmatch(_format(book, cell))
        if percent:
            return f"{cell.value:.{len(percent[1] or '')}%}"
        return str(int(cell.value)) if cell.value.is_integer() and abs(cell.value) < 1e15 else repr(cell.value)
    return str(cell.value).strip()


def _format(book: Any, cell: Any) -> str:
    style = book.xf_list[cell.xf_index] if cell.xf_index is not None else None
    known = book.format_map.get(style.format_key) if style else None
    return known.format_str if known else ""


def _date(serial: float, datemode: int) -> str:
    """Return the date, the time or both, in ISO 8601; the number itself when it is out of the calendar."""
    from xlrd.xldate import xldate_as_datetime

    try:
        moment: datetime.datetime = xldate_as_datetime(serial, datemode)
    except (ValueError, OverflowError):
        return repr(serial)
    moment = (moment + datetime.timedelta(milliseconds=500)).replace(microsecond=0)
    if 0 <= serial < 1:
        return moment.time().isoformat()
    return moment.isoformat(" ").removesuffix(" 00:00:00")
