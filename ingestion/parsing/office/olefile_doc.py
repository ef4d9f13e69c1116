"""Reads Word 6 to 2003 documents: headings, lists, tables, text boxes, notes and comments, in reading order."""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from contracts import Element, ElementKind
from ingestion.parsing.markdown_tables import markdown_table
from ingestion.parsing.office.doc_binary import (
    DELETED,
    DEPTH,
    HIDDEN,
    ILFO,
    ILVL,
    IN_TABLE,
    INNER_CELL,
    INNER_ROW_END,
    OUTLINE,
    ROW_END,
    DocBinary,
    Properties,
)
from ingestion.parsing.office.doc_lists import ListNumbers

_FIRST_OF_97 = 0xC1  # nFib of Word 97; older ones have no piece table of this form
_BODY, _MACROS, _COMMENTS = 0, 3, 4
_ORDER = (0, 6, 1, 5, 4, 2, 7)  # body, text boxes, footnotes, endnotes, comments, headers and their text boxes
_ENDS = re.compile("[\r\x07\x0c]")
_SPECIAL: dict[int, str | None] = {0x0B: "\n", 0x1E: "-", 0x1F: None, 0x0E: None} | dict.fromkeys(
    [*range(9), *range(0x10, 0x1E)]
)


def read_doc(data: bytes) -> tuple[Element, ...]:
    """Return the elements of the document. Raises OSError or struct.error when it is damaged."""
    import olefile

    with olefile.OleFileIO(io.BytesIO(data)) as container:
        main = container.openstream("WordDocument").read()
        flags = struct.unpack_from("<H", main, 0x0A)[0]
        if struct.unpack_from("<H", main, 2)[0] < _FIRST_OF_97:
            start, end = struct.unpack_from("<II", main, 0x18)
            return tuple(_plain(main[start:end].decode("cp1252", "replace")))
        table = container.openstream("1Table" if flags & 0x0200 else "0Table").read()
    return tuple(_Reader(DocBinary(main, table)).elements())


@dataclass(frozen=True, slots=True)
class _Paragraph:
    text: str
    mark: str
    properties: Properties
    hidden: str = ""


@dataclass
class _Reader:
    document: DocBinary
    rows: list[list[str]] = field(default_factory=list)
    cells: list[str] = field(default_factory=list)
    cell: list[str] = field(default_factory=list)
    once: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.numbers = ListNumbers(self.document)
        self.styles = self.document.styles()

    def elements(self) -> Iterator[Element]:
        stories: list[list[_Paragraph]] = [[] for _ in range(8)]
        bounds: list[int] = []
        total = 0
        for length in self.document.lengths():
            total += max(length, 0)
            bounds.append(total)
        for position, paragraph in self._paragraphs():
            story = next((number for number, bound in enumerate(bounds) if position < bound), None)
            if story is not None and story != _MACROS:
                stories[story].append(paragraph)
        for number in _ORDER:
            for element in self._story(stories[number]):
                # Headers stand in each section, and their page numbers mean nothing here.
                if number == _BODY or not (element.text in self.once or element.text.isdecimal()):
                    self.once.add(element.text)
                    yield replace(element, text=f"Comment: {element.text}") if number == _COMMENTS else element

    def _paragraphs(self) -> Iterator[tuple[int, _Paragraph]]:
        """Yield each paragraph with the position of its first character."""
        position, start = 0, 0
        shown: list[str] = []
        unseen: list[str] = []
        codes = 0  # of fields that are open: their instructions are not text
        kept: list[bool] = []
        for offset, text, width in self.document.pieces():
            for index, character in enumerate(text):
                if character == "\x13":
                    kept.append(False)
                    codes += 1
                elif character == "\x14" and kept and not kept[-1]:
                    kept[-1] = True
                    codes -= 1
                elif character == "\x15" and kept:
                    codes -= not kept.pop()
                elif _ENDS.match(character):
                    run = self.document.paragraph_runs.at(offset + index * width)
                    style = self.styles[run.style] if run.style < len(self.styles) else {}
                    yield start, _Paragraph(_clean(shown), character, {**style, **run.properties}, _clean(unseen))
                    start = position + 1
                    shown, unseen = [], []
                elif not codes:
                    properties = self.document.character_runs.at(offset + index * width).properties
                    if not properties.get(DELETED):
                        (unseen if properties.get(HIDDEN) else shown).append(character)
                position += 1

    def _story(self, paragraphs: list[_Paragraph]) -> Iterator[Element]:
        for paragraph in paragraphs:
            properties = paragraph.properties
            if properties.get(IN_TABLE) or properties.get(ROW_END) or properties.get(DEPTH):
                self._in_table(paragraph)
                continue
            yield from self._table()
            if paragraph.text:
                yield self._block(paragraph)
            if paragraph.hidden:
                yield Element(paragraph.hidden, hidden=True)
        yield from self._table()

    def _in_table(self, paragraph: _Paragraph) -> None:
        properties = paragraph.properties
        if properties.get(ROW_END):
            self.rows.append(self.cells)
            self.cells = []
            return
        if not properties.get(INNER_ROW_END):
            self.cell.append(paragraph.text + ("," if properties.get(INNER_CELL) and paragraph.text else ""))
        if paragraph.mark == "\x07":
            self.cells.append(" ".join(filter(None, self.cell)))
            self.cell = []

    def _table(self) -> Iterator[Element]:
        rows = [*self.rows, self.cells + self.cell] if self.cells or self.cell else self.rows
        table = markdown_table(rows)
        self.rows, self.cells, self.cell = [], [], []
        if table:
            yield Element(table, kind=ElementKind.TABLE)

    def _block(self, paragraph: _Paragraph) -> Element:
        properties = paragraph.properties
        level = properties.get(OUTLINE, 9)
        list_number = properties.get(ILFO, 0)
        depth = properties.get(ILVL, 0)
        marker = self.numbers.next(list_number, depth) if list_number else ""
        if level < 9:
            return Element(f"{marker} {paragraph.text}".strip(" -"), kind=ElementKind.TITLE, level=level + 1)
        if marker:
            return Element(f"{'  ' * min(depth, 8)}{marker} {paragraph.text}", kind=ElementKind.LIST)
        return Element(paragraph.text)


def _clean(characters: list[str]) -> str:
    return "".join(characters).translate(_SPECIAL).replace("\xa0", " ").strip()


def _plain(text: str) -> Iterator[Element]:
    """Yield the paragraphs of a document older than Word 97, whose formats are not read."""
    without_codes = re.sub("\x13[^\x13\x14\x15]*\x14?|\x15", "", text)
    for part in _ENDS.split(without_codes):
        if said := _clean(list(part)):
            yield Element(said)
