"""Finds out how a workbook shows its cells: which rows and columns are hidden, and what is a percentage."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ingestion.parsing.office.ooxml_paragraphs import read_part, related_parts

_PERCENT = re.compile(r"0(?:\.(0+))?%")
_BUILT_IN = {"9": 0, "10": 2}  # number formats 0% and 0.00%, ECMA-376 part 1, 18.8.30
_CELL = re.compile(r"([A-Z]{1,3})(\d+)")
_WIDEST = 1 << 14  # columns of a sheet


@dataclass(frozen=True, slots=True)
class SheetDisplay:
    """Rows and columns count from 0; `percentages` gives the decimals that a percentage shows, by row and column."""

    hidden_rows: frozenset[int]
    hidden_columns: frozenset[int]
    percentages: Mapping[tuple[int, int], int]

    def shown(self, text: str, row: int, column: int) -> str:
        """Return the cell's text as the sheet shows it."""
        decimals = self.percentages.get((row, column))
        if decimals is None:
            return text
        try:
            return f"{float(text):.{decimals}%}"
        except ValueError:
            return text


def sheet_displays(data: bytes) -> dict[int, SheetDisplay]:
    """Return how each sheet of the workbook shows its cells, by its place from 1."""
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        workbook = read_part(package, "xl/workbook.xml")
        places = related_parts(package, "xl/workbook.xml")
        percentages = _percent_styles(read_part(package, "xl/styles.xml"))
        listed = workbook.iterfind(".//{*}sheets/{*}sheet") if workbook is not None else ()
        displays: dict[int, SheetDisplay] = {}
        for page, sheet in enumerate(listed, start=1):
            identifier = next((value for name, value in sheet.attrib.items() if name.endswith("}id")), "")
            root = read_part(package, places.get(identifier, ""))
            if root is not None:
                displays[page] = _display(root, percentages)
    return displays


def _display(sheet: Any, percent_styles: Mapping[str, int]) -> SheetDisplay:
    rows: set[int] = set()
    columns: set[int] = set()
    percentages: dict[tuple[int, int], int] = {}
    for about in sheet.iterfind("{*}cols/{*}col"):
        if about.get("hidden") in ("1", "true"):
            first, last = int(about.get("min")), int(about.get("max"))
            columns.update(range(first - 1, min(last, _WIDEST)))
    for row in sheet.iterfind("{*}sheetData/{*}row"):
        if row.get("hidden") in ("1", "true") and row.get("r"):
            rows.add(int(row.get("r")) - 1)
        for cell in row:
            place = _CELL.fullmatch(cell.get("r") or "")
            decimals = percent_styles.get(cell.get("s") or "")
            if place and decimals is not None:
                percentages[int(place[2]) - 1, _column(place[1])] = decimals
    return SheetDisplay(frozenset(rows), frozenset(columns), percentages)


def _percent_styles(styles: Any) -> dict[str, int]:
    """Return the decimals of each cell style that shows percentages, by its index."""
    if styles is None:
        return {}
    formats = dict(_BUILT_IN)
    for format_ in styles.iterfind("{*}numFmts/{*}numFmt"):
        if percent := _PERCENT.fullmatch(format_.get("formatCode") or ""):
            formats[format_.get("numFmtId")] = len(percent[1] or "")
    cells = styles.iterfind("{*}cellXfs/{*}xf")
    return {
        str(index): formats[style.get("numFmtId")]
        for index, style in enumerate(cells)
        if style.get("numFmtId") in formats
    }


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = 26 * number + ord(letter) - ord("A") + 1
    return number - 1
