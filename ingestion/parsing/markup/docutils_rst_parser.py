"""Reads reStructuredText with docutils, which may neither include other files nor run anything."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator
from pathlib import Path, PurePath
from typing import Any

from contracts import Element, ElementKind, ParsedFile
from ingestion.parsing.markdown_tables import markdown_table
from ingestion.parsing.media_types import RST
from ingestion.parsing.parse_errors import empty, reading
from ingestion.parsing.text_decoding import decode_text

_SETTINGS = {
    "file_insertion_enabled": False,
    "raw_enabled": False,
    "_disable_config": True,
    "report_level": 1,  # the text of a directive that docutils does not know is in its report
    "halt_level": 5,
    "warning_stream": False,
    "syntax_highlight": "none",
    "smart_quotes": False,
    "line_length_limit": 1 << 20,
}
_ROLE = re.compile(r":[\w:.+-]+:`~?(?:([^`<]+?)\s*<[^`>]*>|([^`]*))`")
_DIRECTIVE = re.compile(r"\A\s*\.\. [\w:.+-]+::[ \t]*(?P<argument>[^\n]*)(?P<rest>.*)", re.DOTALL)
_OPTION = re.compile(r"^\s*:[\w-]+:.*$", re.MULTILINE)
_INTERNAL = frozenset({"toctree", "include", "literalinclude", "raw", "index", "contents", "only", "meta"})


class DocutilsRstParser:
    """Reads rst files."""

    async def parse(self, path: Path, name: str | None = None, *, scratch: Path | None = None) -> ParsedFile:
        """Return the blocks of the file. Raises ParseError: CORRUPT, EMPTY, UNREADABLE."""
        return await asyncio.to_thread(self._read, path, name or path.name)

    def _read(self, path: Path, called: str) -> ParsedFile:
        from docutils.core import publish_doctree

        with reading(called):
            text = decode_text(path.read_bytes())
            tree = publish_doctree(text, source_path=None, settings_overrides=dict(_SETTINGS))
            elements = tuple(_blocks(tree, int(any(child.tagname == "title" for child in tree.children))))
            if not elements:
                raise empty(called)
        titles = (element.text for element in elements if element.kind is ElementKind.TITLE)
        metadata = {name: value for name, value in _fields(tree) if value}
        return ParsedFile(next(titles, "") or PurePath(called).stem, RST, elements, metadata=metadata)


def _blocks(node: Any, level: int) -> Iterator[Element]:
    for child in node.children:
        kind = child.tagname
        if reader := _READERS.get(kind):
            yield from reader(child, level)
        elif kind == "section":
            yield from _blocks(child, level + 1)
        elif kind in ("comment", "substitution_definition", "target", "pending", "docinfo", "transition"):
            continue
        elif child.children and not _is_inline(child):
            yield from _blocks(child, level)
        elif said := _said(child):
            yield Element(said)


def _is_inline(node: Any) -> bool:
    from docutils import nodes

    return isinstance(node, nodes.TextElement)


def _title(node: Any, level: int) -> Iterator[Element]:
    if said := _said(node):
        inside = node.parent.tagname if node.parent is not None else ""
        heading = inside in ("section", "document")
        yield Element(said, ElementKind.TITLE if heading else ElementKind.TEXT, level=max(level, 1) if heading else 1)


def _code(node: Any, level: int) -> Iterator[Element]:
    if node.astext().strip():
        yield Element(node.astext().strip("\n").rstrip(), ElementKind.CODE)


def _list(node: Any, level: int) -> Iterator[Element]:
    depth = sum(around.tagname in _LISTS for around in _around(node))
    number = int(node.get("start", 1))
    for offset, item in enumerate(node.children):
        marker = f"{number + offset}. " if node.tagname == "enumerated_list" else "- "
        for element in _blocks(item, level):
            own = element.kind is ElementKind.TEXT
            yield Element(f"{'  ' * depth}{marker}{element.text}", ElementKind.LIST) if own else element
            marker = "" if own else marker


def _definition(node: Any, level: int) -> Iterator[Element]:
    terms = [_said(child) for child in node.children if child.tagname in ("term", "field_name", "option_group")]
    yield Element(f"- {', '.join(terms)}", ElementKind.LIST)
    for child in node.children:
        if child.tagname in ("definition", "field_body", "description"):
            for element in _blocks(child, level):
                own = element.kind is ElementKind.TEXT
                yield Element(f"  - {element.text}", ElementKind.LIST) if own else element


def _table(node: Any, level: int) -> Iterator[Element]:
    rows: list[list[str]] = []
    below: dict[int, tuple[int, str]] = {}
    for row in node.findall(lambda each: each.tagname == "row"):
        cells: list[str] = []
        for entry in row.children:
            while len(cells) in below:
                left, text = below.pop(len(cells))
                if left > 1:
                    below[len(cells)] = (left - 1, text)
                cells.append(text)
            said = " ".join(_said(entry).split())
            for _ in range(1 + int(entry.get("morecols", 0))):
                if entry.get("morerows"):
                    below[len(cells)] = (int(entry["morerows"]), said)
                cells.append(said)
        rows.append(cells)
    caption = next((_said(child) for child in node.children if child.tagname == "title"), "")
    if caption:
        yield Element(caption)
    if table := markdown_table(rows):
        yield Element(table, ElementKind.TABLE)


def _image(node: Any, level: int) -> Iterator[Element]:
    if node.get("alt"):
        yield Element(str(node["alt"]), ElementKind.IMAGE)


def _footnote(node: Any, level: int) -> Iterator[Element]:
    label, *rest = [_said(child) for child in node.children]
    yield Element(f"[{label}] {' '.join(rest)}", ElementKind.LIST)


def _report(node: Any, level: int) -> Iterator[Element]:
    """Give the text of a directive that is not known, such as those of Sphinx."""
    for child in node.children:
        found = _DIRECTIVE.match(child.astext()) if child.tagname == "literal_block" else None
        if found and found[0].split("::")[0].split()[-1] not in _INTERNAL:
            rest = "\n".join(line.strip() for line in _OPTION.sub("", found["rest"]).strip().split("\n"))
            said = _plain_roles(f"{found['argument']}\n{rest}".strip())
            if said:
                yield Element(said)


_LISTS = frozenset({"bullet_list", "enumerated_list"})
_READERS: dict[str, Callable[[Any, int], Iterator[Element]]] = {
    "title": _title,
    "literal_block": _code,
    "doctest_block": _code,
    "math_block": _code,
    "bullet_list": _list,
    "enumerated_list": _list,
    "definition_list_item": _definition,
    "field": _definition,
    "option_list_item": _definition,
    "table": _table,
    "image": _image,
    "footnote": _footnote,
    "citation": _footnote,
    "system_message": _report,
}


def _around(node: Any) -> Iterator[Any]:
    while (node := node.parent) is not None:
        yield node


def _said(node: Any) -> str:
    return _plain_roles(" ".join(node.astext().split()))


def _plain_roles(text: str) -> str:
    """Leave of a role that is not known, such as :ref:`text <place>`, what is to be read."""
    return _ROLE.sub(lambda found: found[1] or found[2] or "", text)


def _fields(tree: Any) -> Iterator[tuple[str, str]]:
    for info in tree.findall(lambda each: each.tagname == "docinfo"):
        for field in info.children:
            if field.tagname == "field":
                yield field.children[0].astext().lower(), " ".join(field.children[1].astext().split())
            else:
                yield field.tagname, " ".join(field.astext().split())
