"""Reads Markdown with markdown-it: CommonMark with tables, footnotes, definition lists and front matter."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import Any

from contracts import Element, ElementKind, ParsedFile, ParseError, ParseFailure
from ingestion.parsing.markdown_tables import markdown_table
from ingestion.parsing.markup.front_matter import split_front_matter
from ingestion.parsing.markup.lxml_html_blocks import html_elements
from ingestion.parsing.media_types import MARKDOWN
from ingestion.parsing.parse_errors import empty, reading
from ingestion.parsing.text_decoding import decode_text

_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_DEEPEST = 100  # tokens inside one another
_LONGEST_HEADING = 3  # lines with the one below; a rule drawn under a longer block makes no heading of it
_TASK = re.compile(r"\A\[([ xX])\] ")


class MarkdownItParser:
    """Reads md files."""

    async def parse(self, path: Path, name: str | None = None, *, scratch: Path | None = None) -> ParsedFile:
        """Return the blocks of the file; its front matter becomes title, readers and metadata.

        Raises ParseError: CORRUPT, EMPTY, UNREADABLE.
        """
        return await asyncio.to_thread(self._read, path, name or path.name)

    def _read(self, path: Path, called: str) -> ParsedFile:
        with reading(called):
            front, text = split_front_matter(decode_text(path.read_bytes()), called)
            elements = markdown_elements(text, called)
            if not elements:
                raise empty(called, "it has no text below its front matter" if front.metadata else "it holds no text")
        titles = [element for element in elements if element.kind is ElementKind.TITLE]
        headline = next((element.text for element in titles if element.level == 1), "")
        title = headline or front.title or (titles[0].text if titles else "") or PurePath(called).stem
        return ParsedFile(title, MARKDOWN, elements, metadata=front.metadata, readers=front.readers)


def markdown_elements(text: str, name: str) -> tuple[Element, ...]:
    """Return the blocks of the Markdown text that stands in the file called `name`."""
    from markdown_it import MarkdownIt
    from mdit_py_plugins.deflist import deflist_plugin
    from mdit_py_plugins.footnote import footnote_plugin

    markdown = MarkdownIt("commonmark", {"maxNesting": _DEEPEST}).enable(["table", "strikethrough"])
    tokens = markdown.use(footnote_plugin, inline=False).use(deflist_plugin).parse(text)
    if any(token.level >= _DEEPEST - 1 for token in tokens):  # what is deeper is left out without a word
        message = f"{name!r} nests quotes or lists in more than {_DEEPEST // 2} levels; no document needs that."
        raise ParseError(ParseFailure.CORRUPT, message)
    reader = _TokenReader(name)
    for token in tokens:
        reader.read(token)
    return tuple(reader.elements)


class _TokenReader:
    """Turns markdown-it's flat list of tokens into elements."""

    def __init__(self, name: str) -> None:
        self.elements: list[Element] = []
        self._name = name
        self._heading = 0
        self._numbers: list[int | None] = []  # the next number of each open list; None where items have bullets
        self._marker = ""  # of the item that has begun and said nothing yet
        self._rows: list[list[str]] | None = None  # of the open table

    def read(self, token: Any) -> None:
        kind = token.type
        if kind in ("bullet_list_open", "dl_open"):
            self._numbers.append(None)
        elif kind == "ordered_list_open":
            start = token.attrGet("start")
            self._numbers.append(1 if start is None else int(start))
        elif kind in ("bullet_list_close", "ordered_list_close", "dl_close"):
            self._numbers.pop()
        elif kind in ("list_item_open", "dt_open", "dd_open"):
            self._marker = self._next_marker(kind)
        elif kind == "footnote_open":
            self._marker = f"[{token.meta['label'] if 'label' in token.meta else token.meta['id'] + 1}] "
        elif kind == "heading_open":
            underlined_block = token.markup in ("-", "=") and token.map[1] - token.map[0] > _LONGEST_HEADING
            self._heading = 0 if underlined_block else int(token.tag[1:])
        elif kind in ("table_open", "table_close", "tr_open"):
            self._table(kind)
        elif kind == "inline":
            self._inline(token.children or [])
        elif kind in ("fence", "code_block"):
            self._emit(token.content.rstrip("\n"), ElementKind.CODE)
        elif kind == "html_block":
            self.elements += html_elements(token.content, self._name)

    def _inline(self, children: Sequence[Any]) -> None:
        text = _plain(children).strip()
        if self._rows is not None:
            self._rows[-1].append(text)
        elif self._heading:
            self._emit(" ".join(text.split()), ElementKind.TITLE, self._heading)
            self._heading = 0
        elif all(child.type in ("image", "softbreak") for child in children):
            self._emit(text, ElementKind.IMAGE)
        elif self._numbers or self._marker:
            task = _TASK.sub(lambda found: "☐ " if found[1] == " " else "☑ ", text)
            self._emit("  " * max(len(self._numbers) - 1, 0) + self._marker + task, ElementKind.LIST)
            self._marker = ""
        else:
            self._emit(text)

    def _table(self, kind: str) -> None:
        if kind == "table_open":
            self._rows = []
        elif self._rows is not None and kind == "tr_open":
            self._rows.append([])
        elif self._rows is not None:
            rows, self._rows = self._rows, None
            self._emit(markdown_table(rows), ElementKind.TABLE)

    def _next_marker(self, kind: str) -> str:
        if kind == "dd_open":
            return "  - "
        number = self._numbers[-1]
        if kind == "dt_open" or number is None:
            return "- "
        self._numbers[-1] = number + 1
        return f"{number}. "

    def _emit(self, text: str, kind: ElementKind = ElementKind.TEXT, level: int = 1) -> None:
        if text.strip():
            self.elements.append(Element(text=text, kind=kind, level=level))


def _plain(children: Sequence[Any]) -> str:
    """Return the text of a line without its marks: of a link what it says, of an image what stands for it."""
    parts = []
    for child in children:
        if child.type == "image":
            parts.append(_plain(child.children or []))
        elif child.type == "softbreak":
            parts.append(" ")
        elif child.type == "hardbreak" or (child.type == "html_inline" and _BREAK.fullmatch(child.content)):
            parts.append("\n")
        elif child.type == "footnote_ref":
            parts.append(f"[{child.meta.get('label', child.meta['id'] + 1)}]")
        elif child.type in ("text", "code_inline", "text_special"):
            parts.append(child.content)
    return "".join(parts)
