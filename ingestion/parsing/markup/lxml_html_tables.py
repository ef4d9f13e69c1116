"""Lays out an HTML table as a grid of texts, and tells tables of data from tables that only place things on a page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_MAX_COLUMNS = 1000  # what HTML allows for a colspan
_MAX_CELLS = 1_000_000  # spans could otherwise blow a short file up
_NOT_TEXT = frozenset({"script", "style", "template", "noscript", "select", "button"})
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_BLOCKS = frozenset({"p", "div", "li", "tr", "br", "dt", "dd", "pre", "table", "ul", "ol", *_HEADINGS})
_LONG = 1500  # characters; a cell with more holds a page's content rather than a value


def is_layout(table: Any) -> bool:
    """Tell whether the table only places its cells: each of them is then read as a part of the page."""
    if table.get("role") in ("presentation", "none"):
        return True
    rows = list(_rows(table))
    if max((len(cells) for cells in rows), default=0) < 2:
        return not any(cell.tag == "th" for cells in rows for cell in cells)
    if any(cell.tag == "th" for cells in rows for cell in cells) or table.find("caption") is not None:
        return False
    if len(rows) == 1:
        return True
    if next(table.iterdescendants("table", *_HEADINGS), None) is None:
        return False
    return any(len(cell_text(cell)) > _LONG for cells in rows for cell in cells)


def table_grid(table: Any) -> list[list[str]]:
    """Return the table's cells, row by row. A cell that spans rows or columns is repeated in all of them, so that
    each row can be understood alone; one that spans a whole row stands in its first column only."""
    grid: list[list[str]] = []
    below: dict[int, tuple[int, str]] = {}  # column -> how many more rows its cell reaches, and its text
    used = 0
    for cells in _rows(table):
        row: list[str] = []
        for cell in cells:
            _fill(row, below)
            alone = len(cells) == 1 and not row
            columns, rows = _span(cell, "colspan", _MAX_COLUMNS), _span(cell, "rowspan", 65534)
            text = cell_text(cell)
            for offset in range(columns):
                if rows > 1:
                    below[len(row)] = (rows - 1, text)
                row.append(text if offset == 0 or not alone else "")
        _fill(row, below)
        used += len(row)
        if used > _MAX_CELLS:
            raise ValueError("a table's spans make more cells than any table has")
        grid.append(row)
    return grid


def cell_text(cell: Any) -> str:
    """Return the text inside, on one line."""
    return " ".join("".join(_strings(cell)).split())


def _fill(row: list[str], below: dict[int, tuple[int, str]]) -> None:
    """Add the cells that reach down from rows above into the next columns."""
    while len(row) in below:
        rows, text = below.pop(len(row))
        if rows > 1:
            below[len(row)] = (rows - 1, text)
        row.append(text)


def _span(cell: Any, name: str, most: int) -> int:
    value = (cell.get(name) or "").strip()
    return max(1, min(int(value), most)) if value.isascii() and value.isdigit() and len(value) < 9 else 1


def _rows(table: Any) -> Iterator[list[Any]]:
    for child in table.iterchildren("tr", "thead", "tbody", "tfoot"):
        for row in [child] if child.tag == "tr" else child.iterchildren("tr"):
            yield list(row.iterchildren("td", "th"))


def _strings(cell: Any) -> Iterator[str]:
    from lxml import etree

    walker = etree.iterwalk(cell, events=("start", "end"))
    for event, element in walker:
        if event == "start" and element.tag in _NOT_TEXT:
            walker.skip_subtree()
        elif event == "start":
            yield " " if element.tag in _BLOCKS else ""
            yield element.text or (element.get("alt") or "" if element.tag == "img" else "")
        elif element is not cell:
            yield " " if element.tag in _BLOCKS or element.tag in ("td", "th") else ""
            yield element.tail or ""
