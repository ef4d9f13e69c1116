"""Walks an HTML page and yields its blocks in reading order: headings, paragraphs, list items, tables, code, images."""

from __future__ import annotations

import re
from collections.abc import Set
from dataclasses import dataclass
from typing import Any

from contracts import Element, ElementKind
from ingestion.parsing.markdown_tables import markdown_table
from ingestion.parsing.markup.lxml_html_tables import cell_text, is_layout, table_grid
from ingestion.parsing.markup.lxml_markup import html_tree, is_hidden

_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_LISTS = frozenset({"ul", "ol", "dl", "menu", "dir"})
_DEEPEST = 8  # levels of lists that are told apart by indentation
_ITEMS = frozenset({"li", "dt", "dd"})
_CODE = frozenset({"pre", "listing", "xmp"})
_BLOCK_NAMES = """address article aside blockquote body caption center dd details dialog div dl dt fieldset figcaption
    figure footer form header hgroup hr legend main nav option p search section summary table tbody td tfoot th thead
    tr"""
_BLOCKS = _LISTS | _ITEMS | _CODE | _HEADINGS.keys() | frozenset(_BLOCK_NAMES.split())
_SKIPPED_NAMES = """head script style noscript template svg canvas iframe object embed audio video map select datalist
    button textarea input"""
_SKIPPED = frozenset(_SKIPPED_NAMES.split())
_LINE_NUMBERS = re.compile(
    r"(?:^|\s)(?:line-?nos?|lineno|line-?numbers?|gutter|rouge-gutter|headerlink|anchor-?link)(?:\s|$)"
)
_SPACE = re.compile(r"\s+")
_INVISIBLE = {0xAD: None, 0x200B: None, 0xFEFF: None, 0xA0: " "}  # soft hyphen, zero-width marks; no-break space


@dataclass(frozen=True, slots=True)
class Block:
    """A block of a page: what it says, how many characters of that are links, and whether it only surrounds the
    content, as navigation does."""

    element: Element
    linked: int = 0
    noise: bool = False


def html_blocks(root: Any, noise: Set[Any] = frozenset()) -> list[Block]:
    """Return the blocks of the page; those inside one of the elements in `noise` are marked as such."""
    from lxml import etree

    reader = _BlockReader(noise)
    walker = etree.iterwalk(root, events=("start", "end"))
    for event, node in walker:
        if event == "end":
            reader.close(node)
            if node is not root:
                reader.add(node.tail)
        elif _is_skipped(node):
            walker.skip_subtree()
            reader.add(" ")
        elif node.tag == "table" and not is_layout(node):
            walker.skip_subtree()
            reader.table(node)
        else:
            reader.open(node)
            reader.add(node.text)
    reader.flush()
    return reader.blocks


def html_elements(markup: str, name: str) -> tuple[Element, ...]:
    """Return all blocks of a piece of HTML that stands in the file called `name`, as elements."""
    return tuple(block.element for block in html_blocks(html_tree(markup, name)))


def _is_skipped(node: Any) -> bool:
    if node.tag in _SKIPPED:
        return node.tag != "head" or node.getparent() is not None
    return _LINE_NUMBERS.search(node.get("class") or "") is not None


class _BlockReader:
    """Collects text until a block begins or ends; what is open around it decides what it is."""

    def __init__(self, noise: Set[Any]) -> None:
        self.blocks: list[Block] = []
        self._noise = noise
        self._text: list[str] = []
        self._linked = 0
        self._open: list[Any] = []  # the block elements around the current place
        self._links = 0  # how many of each are open
        self._hidden: list[Any] = []  # the hidden elements around
        self._around: list[Any] = []  # the elements of noise around
        self._numbers: list[int | None] = []  # the next number of each open list; None where items have bullets
        self._marker: str | None = None  # of the item that has begun and said nothing yet

    def open(self, node: Any) -> None:
        if is_hidden(node):
            self.flush()
            self._hidden.append(node)
        if node in self._noise:
            self.flush()
            self._around.append(node)
        if node.tag in _BLOCKS or "-" in node.tag:
            self.flush()
            self._open.append(node)
        if node.tag in _LISTS:
            self._numbers.append(_number(node.get("start"), 1) if node.tag == "ol" else None)
        elif node.tag in _ITEMS:
            self._marker = self._next_marker(node)
        elif node.tag == "a":
            self._links += 1
        elif node.tag == "br":
            self._text.append("\n")
        elif node.tag == "img":
            self._image(node)

    def close(self, node: Any) -> None:
        if self._open and self._open[-1] is node:
            self.flush()
            self._open.pop()
        if node.tag in _LISTS and self._numbers:
            self._numbers.pop()
        elif node.tag == "a":
            self._links -= 1
        for opened in (self._hidden, self._around):
            if opened and opened[-1] is node:
                self.flush()
                opened.pop()

    def add(self, text: str | None) -> None:
        if not text:
            return
        self._text.append(text if self._in(_CODE) else _SPACE.sub(" ", text))
        if self._links:
            self._linked += len(text.strip())

    def table(self, node: Any) -> None:
        self.flush()
        caption = node.find("caption")
        if caption is not None:
            self._emit(cell_text(caption), ElementKind.TEXT)
        if text := markdown_table(table_grid(node)):
            self._linked = sum(len("".join(link.itertext()).strip()) for link in node.iter("a"))
            self._emit(text, ElementKind.TABLE)

    def flush(self) -> None:
        """End the current block, if any."""
        text = "".join(self._text).translate(_INVISIBLE)
        self._text.clear()
        if not text.strip():
            return
        if self._in(_CODE):
            self._emit(text.strip("\n").rstrip(), ElementKind.CODE)
            return
        text = "\n".join(line.strip() for line in text.split("\n") if line.strip())
        level = next((_HEADINGS[each.tag] for each in reversed(self._open) if each.tag in _HEADINGS), 0)
        if level:
            self._emit(" ".join(text.split()), ElementKind.TITLE, level)
        elif self._in(_ITEMS):
            indent = "  " * min(max(len(self._numbers) - 1, 0), _DEEPEST)
            self._emit(f"{indent}{self._marker or ''}{text}", ElementKind.LIST)
            self._marker = None
        else:
            self._emit(text, ElementKind.TEXT)

    def _in(self, tags: Set[str]) -> bool:
        return any(node.tag in tags for node in reversed(self._open))

    def _next_marker(self, node: Any) -> str:
        if node.tag == "dd":
            return "  - "
        number = self._numbers[-1] if self._numbers else None
        if node.tag == "dt" or number is None:
            return "- "
        number = _number(node.get("value"), number)
        self._numbers[-1] = number + 1
        return f"{number}. "

    def _image(self, node: Any) -> None:
        alt = " ".join((node.get("alt") or "").translate(_INVISIBLE).split())
        if alt and node.get("width") != "1":
            self._text.append("")
            self.flush()
            self._emit(alt, ElementKind.IMAGE)

    def _emit(self, text: str, kind: ElementKind, level: int = 1) -> None:
        linked, self._linked = self._linked, 0
        if text.strip():
            element = Element(text=text, kind=kind, level=level, hidden=bool(self._hidden))
            self.blocks.append(Block(element, linked, bool(self._around)))


def _number(value: str | None, default: int) -> int:
    return int(value) if value and value.isascii() and value.isdigit() and len(value) < 9 else default
