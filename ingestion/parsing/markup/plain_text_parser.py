"""Reads plain text: paragraphs, list items, and lines that look like headings. It also stands in for real parsers."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path, PurePath

from contracts import Element, ElementKind, ParsedFile
from ingestion.parsing.media_types import TEXT
from ingestion.parsing.parse_errors import empty, reading
from ingestion.parsing.text_decoding import decode_text

_BLANK = re.compile(r"\n[ \t\u00a0\u3000]*\n")
_ITEM = re.compile(r"[ \t]*(?:[-*+•‣◦–]|\(?\d{1,3}[.)]|\(?[a-z][.)])[ \t]+\S")
_UNDERLINE = re.compile(r"([=\-~^*_#])\1{2,}[ \t]*")
_NUMBERED = re.compile(r"(\d+(?:\.\d+)*)\.?[ \t]+(?=[^\W\d_])")
_WORD = re.compile(r"[^\W\d_]+")
_SMALL_WORDS = "a an and as at by for from in of on or the to with de der die das du et la le les und von y"
_SMALL = frozenset(_SMALL_WORDS.split())
_ENDS_SENTENCE = (".", "!", "?", ";", ":", ",", "。")
_LONGEST_HEADING = 120  # characters
_DEEPEST = 6


class PlainTextParser:
    """Reads any file as text; paragraphs are what blank lines part."""

    async def parse(self, path: Path, name: str | None = None, *, scratch: Path | None = None) -> ParsedFile:
        """Return the paragraphs of the file. Raises ParseError: EMPTY, UNREADABLE."""
        return await asyncio.to_thread(self._read, path, name or path.name)

    def _read(self, path: Path, called: str) -> ParsedFile:
        with reading(called):
            elements = text_elements(decode_text(path.read_bytes()))
            if not elements:
                raise empty(called)
        title = elements[0].text if elements[0].kind is ElementKind.TITLE else PurePath(called).stem
        return ParsedFile(title=title, media_type=TEXT, elements=elements)


def text_elements(text: str) -> tuple[Element, ...]:
    """Return the paragraphs of a text; a heading on top is the document's, every other one is below it."""
    parts = [part.strip("\n").rstrip() for part in _BLANK.split(text)]
    parts = [part for part in parts if part.strip()]
    elements: list[Element] = []
    for number, part in enumerate(parts):
        level = _heading_level(part) if number + 1 < len(parts) else 0  # a heading has something below it
        if level:
            heading = " ".join(part.split("\n")[0].split())
            elements.append(Element(heading, ElementKind.TITLE, level=level if elements else 1))
        else:
            elements += _blocks(part)
    return tuple(elements)


def _heading_level(part: str) -> int:
    """Return 0 for prose."""
    lines = part.split("\n")
    first = lines[0].strip()
    if len(first) > _LONGEST_HEADING or not first:
        return 0
    if len(lines) == 2 and _UNDERLINE.fullmatch(lines[1].strip()) and not _UNDERLINE.fullmatch(first):
        return 2
    words = _WORD.findall(first)
    if len(lines) > 1 or not words or first.endswith(_ENDS_SENTENCE):
        return 0
    if any(word.islower() and word not in _SMALL for word in words) or words[0].islower():
        return 0
    numbered = _NUMBERED.match(first)
    return min(2 + numbered[1].count("."), _DEEPEST) if numbered else 2


def _blocks(part: str) -> Iterator[Element]:
    """Yield a paragraph, or the items that it lists, each with the lines that belong to it."""
    lines = part.split("\n")
    if not _ITEM.match(lines[0]):
        yield Element(part.strip())
        return
    item: list[str] = []
    for line in lines:
        if _ITEM.match(line) and item:
            yield Element("\n".join(item), ElementKind.LIST)
            item = []
        item.append(line.rstrip() if item else line.strip())
    yield Element("\n".join(item), ElementKind.LIST)
