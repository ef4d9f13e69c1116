"""Reads AsciiDoc: headings, paragraphs, lists, tables, code and other blocks; nothing is included or run."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path, PurePath

from contracts import Element, ElementKind, ParsedFile
from ingestion.parsing.markdown_tables import markdown_table
from ingestion.parsing.markup.asciidoc_inline import plain_line
from ingestion.parsing.markup.asciidoc_tables import table_rows
from ingestion.parsing.media_types import ASCIIDOC
from ingestion.parsing.parse_errors import empty, reading
from ingestion.parsing.text_decoding import decode_text

_HEADING = re.compile(r"(={1,6}|#{1,6})[ \t]+(\S.*?)(?:[ \t]+\1)?[ \t]*")
_ATTRIBUTE = re.compile(r":(!?[\w-]+!?):(?:[ \t]+(.*))?")
_ITEM = re.compile(r"[ \t]*(?P<marker>\*{1,6}|-|\.{1,6}|\d+\.|[a-zA-Z]\.|<\d+>|<\.>)[ \t]+(?P<text>\S.*)")
_INDENT = re.compile(r"[ \t]*")
_TERM = re.compile(r"[ \t]*(?P<term>\S.*?)(?P<marks>:{2,4}|;;)(?:[ \t]+(?P<text>.*))?")
_FENCE = re.compile(r"(-{4,}|\.{4,}|={4,}|\*{4,}|_{4,}|\+{4,}|/{4,}|--|```\S*|[|,:!]={3,})[ \t]*")
_IMAGE = re.compile(r"image::(\S*?)\[(.*?)\][ \t]*")
_BLOCK_MACRO = re.compile(r"(?:include|toc|video|audio)::\S*\[.*\][ \t]*|'{3,}|<<<|-{3}|ifdef::.*|ifndef::.*|endif::.*")
_ADMONITION = re.compile(r"(?:NOTE|TIP|IMPORTANT|WARNING|CAUTION): ")
_CODE_FENCES = ("-", ".", "`", "+")
_REVISION = re.compile(r"v?\d[^,]*,.*|v\d.*")


class AsciidocParser:
    """Reads adoc and asciidoc files."""

    async def parse(self, path: Path, name: str | None = None, *, scratch: Path | None = None) -> ParsedFile:
        """Return the blocks of the file. Raises ParseError: EMPTY, UNREADABLE."""
        return await asyncio.to_thread(self._read, path, name or path.name)

    def _read(self, path: Path, called: str) -> ParsedFile:
        with reading(called):
            reader = _LineReader(decode_text(path.read_bytes()))
            elements = tuple(reader.elements())
            if not elements:
                raise empty(called)
        titles = (element.text for element in elements if element.kind is ElementKind.TITLE)
        return ParsedFile(next(titles, "") or PurePath(called).stem, ASCIIDOC, elements, metadata=reader.metadata)


class _LineReader:
    """Reads line by line; what is open decides what a line means."""

    def __init__(self, text: str) -> None:
        self._lines = text.split("\n")
        self._at = 0
        self._attributes: dict[str, str] = {}
        self._paragraph: list[str] = []
        self._item = ""  # the marker of the list item that the lines belong to; "" in a paragraph
        self._numbers: list[tuple[str, int, int]] = []  # of each open list: its marker, indentation, next number
        self.metadata: dict[str, str] = {}

    def elements(self) -> Iterator[Element]:
        while self._at < len(self._lines):
            line = self._lines[self._at].rstrip()
            self._at += 1
            yield from self._line(line)
        yield from self._flush()

    def _line(self, line: str) -> Iterator[Element]:
        fence, heading, item = (pattern.fullmatch(line) for pattern in (_FENCE, _HEADING, _ITEM))
        if not line or line == "+":
            yield from self._flush()
        elif fence:
            yield from self._flush()
            yield from self._fenced(fence[1])
        elif line.startswith("//") or _BLOCK_MACRO.fullmatch(line) or (line[0] == "[" and line[-1] == "]"):
            yield from self._flush()
        elif heading and not self._paragraph:
            yield from self._heading(len(heading[1]), heading[2])
        elif not self._paragraph and (attribute := _ATTRIBUTE.fullmatch(line)):
            self._attributes[attribute[1]] = attribute[2] or ""
        elif item:
            yield from self._flush()
            self._begin_item(item["marker"], len(_INDENT.match(line)[0]), item["text"])  # type: ignore[index]
        elif term := _TERM.fullmatch(line):
            yield from self._flush()
            yield Element(f"- {self._plain(term['term'])}", ElementKind.LIST)
            self._item = "  - "
            self._paragraph = [term["text"]] if term["text"] else []
        elif image := _IMAGE.fullmatch(line):
            yield from self._flush()
            yield from self._image(image[2])
        elif line.startswith("|") and line.endswith("|") and line.count("|") > 2:
            yield from self._flush()
            yield from self._bare_table(line)
        elif re.match(r"\.[^\s.]", line) and not self._paragraph:
            yield Element(self._plain(line[1:]))
        else:
            self._paragraph.append(line)

    def _image(self, attributes: str) -> Iterator[Element]:
        if alt := attributes.split(",")[0].strip(' "'):
            yield Element(self._plain(alt), ElementKind.IMAGE)

    def _heading(self, depth: int, text: str) -> Iterator[Element]:
        self._numbers.clear()
        self._item = ""
        yield Element(self._plain(text), ElementKind.TITLE, level=depth)
        if depth > 1:
            return
        author = self._lines[self._at].strip() if self._at < len(self._lines) else ""
        if author and not author.startswith((":", "=", "[", "*", "|", ".", "/")):
            self._at += 1
            self.metadata["author"] = re.sub(r"\s*<[^>]*>", "", author)
            revision = self._lines[self._at].strip() if self._at < len(self._lines) else ""
            if _REVISION.fullmatch(revision):
                self._at += 1
                self.metadata["revision"] = revision

    def _begin_item(self, marker: str, indent: int, text: str) -> None:
        kind = "1." if marker[0].isdigit() else marker
        known = next((i for i, (each, at, _) in enumerate(self._numbers) if (each, at) == (kind, indent)), None)
        if known is None:
            outer = [i for i, (_, at, _) in enumerate(self._numbers) if at > indent]
            if outer:
                del self._numbers[outer[0] :]
            self._numbers.append((kind, indent, 1))
        else:
            del self._numbers[known + 1 :]
        kind, indent, number = self._numbers[-1]
        self._numbers[-1] = (kind, indent, number + 1)
        shown = "- " if marker[0] in "*-" else f"{number}. "
        self._item = "  " * (len(self._numbers) - 1) + shown
        self._paragraph = [text]

    def _fenced(self, fence: str) -> Iterator[Element]:
        end = "```" if fence.startswith("`") else fence
        body: list[str] = []
        while self._at < len(self._lines) and self._lines[self._at].rstrip() != end:
            body.append(self._lines[self._at])
            self._at += 1
        self._at += 1
        if fence.endswith("===") and fence[0] in "|,:!":
            rows = [[self._plain(cell) for cell in row] for row in table_rows(body, fence[0])]
            if table := markdown_table(rows):
                yield Element(table, ElementKind.TABLE)
        elif fence[0] == "/":
            return
        elif fence[0] in _CODE_FENCES and fence != "--":
            if any(line.strip() for line in body):
                yield Element("\n".join(body).strip("\n"), ElementKind.CODE)
        else:  # examples, sidebars and quotes hold blocks of their own
            inner = _LineReader("\n".join(body))
            inner._attributes = self._attributes
            yield from inner.elements()

    def _bare_table(self, line: str) -> Iterator[Element]:
        rows = [line]
        while self._at < len(self._lines) and self._lines[self._at].strip().startswith("|"):
            rows.append(self._lines[self._at].strip())
            self._at += 1
        cells = [[self._plain(cell) for cell in row.strip("|").split("|")] for row in rows]
        if table := markdown_table(cells):
            yield Element(table, ElementKind.TABLE)

    def _flush(self) -> Iterator[Element]:
        text = self._plain(" ".join(line.strip() for line in self._paragraph))
        if text:
            kind = ElementKind.LIST if self._item else ElementKind.TEXT
            yield Element(f"{self._item}{text}", kind)
        if not self._item and text:
            self._numbers.clear()
        self._paragraph, self._item = [], ""

    def _plain(self, text: str) -> str:
        return plain_line(text, self._attributes).strip()
