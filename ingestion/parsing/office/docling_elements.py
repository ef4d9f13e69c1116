"""Turns a DoclingDocument into elements: one for each paragraph, item, table, chart, note and comment."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from contracts import Element, ElementKind
from ingestion.parsing.markdown_tables import markdown_table
from ingestion.parsing.office.sheet_blocks import sheet_title
from ingestion.parsing.office.xlsx_display import SheetDisplay

_KINDS = {"title": ElementKind.TITLE, "section_header": ElementKind.TITLE, "code": ElementKind.CODE}
_LISTS = frozenset({"list", "ordered_list"})
_MIDNIGHT = re.compile(r"^(\d{4}-\d\d-\d\d)[ T]00:00:00$")  # how a date without a time comes out of a spreadsheet
_COMMENT = re.compile(r"^\[(?:author: (.+?))?(?:(?:, )?time: [^\]]*)?\]: ")  # how Docling puts who wrote it and when
_NO_SPACE_BEFORE = tuple(",.;:!?)]}%»”’")
_NO_SPACE_AFTER = tuple("([{«“‘")
_DEEPEST = 8  # levels of lists that are told apart by indentation


def docling_elements(document: Any, displays: Mapping[int, SheetDisplay]) -> tuple[Element, ...]:
    """Return the document's elements in reading order. What stands on every page or slide is given once; `displays`
    says how the sheets of a workbook show their cells."""
    titled = any(item.label.value == "title" for item in document.texts)
    return tuple(_Walk(document, displays, outermost=2 if titled else 1).below(document.body))


@dataclass
class _Walk:
    document: Any
    displays: Mapping[int, SheetDisplay]
    outermost: int  # level of the headings next to the title
    page: int | None = None
    sheets: int = 0
    slides: int = 0
    furniture: set[str] = field(default_factory=set)

    def below(self, node: Any, depth: int = 0) -> Iterator[Element]:
        for reference in node.children:
            yield from self._read(reference.resolve(self.document), depth)

    def _read(self, item: Any, depth: int) -> Iterator[Element]:
        label = item.label.value
        if label in ("chapter", "slide"):
            self.slides += 1
            self.page = self.slides
        if name := _sheet_name(item):
            yield from self._sheet(item, name)
        if label == "inline":
            yield from self._as(item, Element(self._inline(item)))
        elif label == "table":
            yield from self._tables(item)
        elif label == "list_item":
            yield from self._list_item(item, depth)
        else:
            yield from self._block(item, label)
            yield from self.below(item, depth + (label in _LISTS))

    def _sheet(self, item: Any, name: str) -> Iterator[Element]:
        self.sheets += 1
        self.page = self.sheets
        alone = sum(_sheet_name(group) != "" for group in self.document.groups) == 1
        for title in sheet_title(name, page=self.page, alone=alone):
            yield from self._as(item, title)

    def _block(self, item: Any, label: str) -> Iterator[Element]:
        chart = getattr(getattr(item, "meta", None), "tabular_chart", None)
        if chart is not None:
            if chart.title and not item.captions:
                yield from self._as(item, Element(chart.title))
            table = markdown_table(self._rows(chart.chart_data))
            yield from self._as(item, Element(table, kind=ElementKind.TABLE))
        kind = _KINDS.get(label, ElementKind.TEXT)
        level = self.outermost + item.level - 1 if label == "section_header" else 1
        yield from self._as(item, Element(_said(item), kind=kind, level=level))

    def _list_item(self, item: Any, depth: int) -> Iterator[Element]:
        lists: list[Any] = []
        inline: list[Any] = []
        for child in (reference.resolve(self.document) for reference in item.children):
            (lists if child.label.value in _LISTS else inline).append(child)
        text = " ".join(filter(None, [_said(item), *(self._plain(child) for child in inline)]))
        marker = item.marker if item.enumerated and item.marker else "-"
        if text:
            indent = "  " * min(max(depth - 1, 0), _DEEPEST)
            yield from self._as(item, Element(f"{indent}{marker} {text}", kind=ElementKind.LIST))
        for child in lists:
            yield from self._read(child, depth)

    def _as(self, item: Any, element: Element) -> Iterator[Element]:
        """Yield the element with the item's page and visibility, unless it says nothing, or nothing new."""
        layer = item.content_layer.value
        text = element.text.rstrip() if element.kind is ElementKind.LIST else element.text.strip()
        if not text.strip():
            return
        if layer == "furniture":
            if text in self.furniture or text.isdecimal():
                return
            self.furniture.add(text)
        if layer == "notes":
            text = _COMMENT.sub(lambda found: f"Comment by {found[1]}: " if found[1] else "Comment: ", text)
        prov = getattr(item, "prov", None)
        page = prov[0].page_no if prov else self.page
        yield replace(element, text=text, page=page, hidden=layer == "invisible")

    def _tables(self, item: Any) -> Iterator[Element]:
        """Yield the table, and what of it is hidden, on its own."""
        rows = self._rows(item.data)
        display = self.displays.get(item.prov[0].page_no) if item.prov else None
        if display is None:
            yield from self._as(item, _table_of(rows))
            return
        top, left = int(item.prov[0].bbox.t), int(item.prov[0].bbox.l)  # a table's place counts cells
        seen, unseen = [], []
        for number, cells in enumerate(rows, start=top):
            shown = [display.shown(text, number, column) for column, text in enumerate(cells, start=left)]
            hidden = [number in display.hidden_rows or left + i in display.hidden_columns for i in range(len(shown))]
            seen.append(["" if out else text for text, out in zip(shown, hidden, strict=True)])
            unseen.append([text if out else "" for text, out in zip(shown, hidden, strict=True)])
        yield from self._as(item, _table_of(seen))
        for element in self._as(item, _table_of(unseen)):
            yield replace(element, hidden=True)

    def _rows(self, data: Any) -> list[list[str]]:
        return [[self._cell(cell) for cell in row] for row in data.grid]

    def _cell(self, cell: Any) -> str:
        if hasattr(cell, "ref"):
            return self._plain(cell.ref.resolve(self.document))
        return _MIDNIGHT.sub(r"\1", cell.text)

    def _plain(self, item: Any) -> str:
        """Return all text of the item and what is below it on one line."""
        label = item.label.value
        if label == "table":
            return "; ".join(", ".join(filter(None, map(self._cell, row))) for row in item.data.grid)
        if label == "inline":
            return self._inline(item)
        below = (self._plain(reference.resolve(self.document)) for reference in item.children)
        marker = item.marker if label == "list_item" and item.enumerated else ""
        return " ".join(filter(None, [marker, _said(item), *below]))

    def _inline(self, group: Any) -> str:
        text = ""
        for run in (reference.resolve(self.document) for reference in group.children):
            said = self._plain(run)
            script = getattr(getattr(run, "formatting", None), "script", None)
            close = said.startswith(_NO_SPACE_BEFORE) or text.endswith(_NO_SPACE_AFTER) or text[-1:].isspace()
            raised = script is not None and script.value != "baseline"
            text += said if not text or close or raised or said[:1].isspace() else f" {said}"
        return text


def _sheet_name(item: Any) -> str:
    """Return the name of the sheet that the group stands for, "" when it is no sheet."""
    named: str = getattr(item, "name", "")
    if item.label.value == "sheet":
        return named
    return named.removeprefix("sheet: ") if named.startswith("sheet: ") else ""  # how OpenDocument's are marked


def _table_of(rows: list[list[str]]) -> Element:
    """Return the table; the text itself where it stands in the only cell that is not empty."""
    filled = [cell for row in rows for cell in row if cell]
    return Element(filled[0]) if len(filled) == 1 else Element(markdown_table(rows), kind=ElementKind.TABLE)


def _said(item: Any) -> str:
    text: str = getattr(item, "text", "")
    if item.label.value == "formula" and text:
        return f"${text.strip()}$"
    return text
