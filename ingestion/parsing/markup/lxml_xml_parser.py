"""Reads XML: articles with their structure, feeds entry by entry, anything else as readable lines and tables."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path, PurePath
from typing import Any

from contracts import Element, ElementKind, ParsedFile
from ingestion.parsing.markup.json_values import value_elements
from ingestion.parsing.markup.lxml_html_blocks import html_blocks, html_elements
from ingestion.parsing.markup.lxml_markup import xml_tree
from ingestion.parsing.markup.lxml_xml_articles import as_html, is_article, local_name
from ingestion.parsing.media_types import XML
from ingestion.parsing.parse_errors import empty, reading
from ingestion.parsing.text_decoding import decode_text

_FEEDS = frozenset({"rss", "feed", "rdf"})
_ENTRIES = frozenset({"item", "entry"})
_DATES = ("published", "pubdate", "date", "updated")
_TEXTS = ("encoded", "content", "description", "summary")


class LxmlXmlParser:
    """Reads xml files."""

    async def parse(self, path: Path, name: str | None = None, *, scratch: Path | None = None) -> ParsedFile:
        """Return the text of the document. Raises ParseError: CORRUPT, EMPTY, UNREADABLE."""
        return await asyncio.to_thread(self._read, path, name or path.name)

    def _read(self, path: Path, called: str) -> ParsedFile:
        with reading(called):
            text = decode_text(path.read_bytes(), markup=True)
            if not text.strip():
                raise empty(called)
            root = xml_tree(text, called)
            elements, headline = _document(root, called)
            if not any(element.text.strip() for element in elements):
                raise empty(called, "its elements hold no text")
        return ParsedFile(headline or PurePath(called).stem, XML, elements)


def _document(root: Any, called: str) -> tuple[tuple[Element, ...], str]:
    """Return the elements, and the title where the document has one."""
    name = local_name(root)
    if name in _FEEDS and any(local_name(node) in _ENTRIES for node in root.iter("*")):
        elements = tuple(_feed(root, called))
    elif name == "html" or is_article(root):
        elements = tuple(block.element for block in html_blocks(as_html(root)))
    else:
        return tuple(value_elements(_value(root))), ""
    titles = (element.text for element in elements if element.kind is ElementKind.TITLE and element.level == 1)
    return elements, next(titles, "")


def _feed(root: Any, called: str) -> Iterator[Element]:
    channel = next((node for node in root.iter("*") if local_name(node) == "channel"), root)
    if title := _said(channel, ("title",)):
        yield Element(title, ElementKind.TITLE)
    if about := _said(channel, ("description", "subtitle")):
        yield Element(about)
    for entry in root.iter("*"):
        if local_name(entry) not in _ENTRIES:
            continue
        if title := _said(entry, ("title",)):
            yield Element(title, ElementKind.TITLE, level=2)
        if date := _said(entry, _DATES):
            yield Element(date)
        if text := _said(entry, _TEXTS):
            yield from html_elements(text, called)


def _said(node: Any, names: tuple[str, ...]) -> str:
    """Return the text of the first child with one of the names, which are tried in their order."""
    children = {local_name(child): child for child in reversed(node)}
    texts = ("".join(children[name].itertext()).strip() for name in names if name in children)
    return next((text for text in texts if text), "")


def _value(node: Any) -> Any:
    """Return the element as JSON would have it: a text, or an object of attributes and children."""
    children = [child for child in node if local_name(child)]
    text = " ".join(" ".join(node.xpath("text()")).split()) if children else " ".join("".join(node.itertext()).split())
    attributes = {key.rpartition("}")[2]: value for key, value in node.attrib.items()}
    if not children and not attributes:
        return text
    value: dict[str, Any] = dict(attributes)
    for child in children:
        inner = _value(child)
        name = child.tag.rpartition("}")[2]
        if name not in value:
            value[name] = inner
        elif isinstance(value[name], list):
            value[name].append(inner)
        else:
            value[name] = [value[name], inner]
    return {**value, "text": text} if text else value
