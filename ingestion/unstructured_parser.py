"""Reads web pages, Markdown, text and e-mail through Unstructured."""

from __future__ import annotations

import asyncio
import email
import email.policy
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath
from typing import Any

from contracts import Element, ElementKind, ParsedFile, ParseError, ParseFailure
from ingestion.lxml_markup import main_html, table_rows
from ingestion.markdown_tables import markdown_table
from ingestion.media_types import EMAIL, HTML, MARKDOWN, TEXT, detect_media_type
from ingestion.parse_errors import empty, reading
from ingestion.text_decoding import decode_text
from ingestion.unstructured_offline import prepare_unstructured

_KINDS = {
    "Title": ElementKind.TITLE,
    "ListItem": ElementKind.LIST,
    "Table": ElementKind.TABLE,
    "CodeSnippet": ElementKind.CODE,
}
_LEFT_OUT = frozenset({"PageBreak", "PageNumber", "Header", "Footer"})
_ODD_SPACES = {0xA0: " ", 0x200B: None, 0xFEFF: None}
_NO_LANGUAGES = [""]  # switches language detection off: it is slow and changes nothing here
_FRONT_MATTER = re.compile(r"\A---\n(.*?)\n(?:---|\.\.\.)\n", re.DOTALL)
_FRONT_TITLE = re.compile(r"^title:\s*[\"']?(.+?)[\"']?\s*$", re.MULTILINE)
_ENDS_SENTENCE = (".", "!", "?", ";", ":", ",", "。")


@dataclass(frozen=True, slots=True)
class _Content:
    """What a format's reader found; `title` is what the file itself says it is called."""

    elements: tuple[Element, ...]
    title: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)


class UnstructuredParser:
    """Reads html, md, txt and eml files."""

    async def parse(self, path: Path, name: str | None = None, *, scratch: Path | None = None) -> ParsedFile:
        """Return the text of the file. Pages are slides, sheets, or the pages that Word noted down.

        Raises ParseError: UNSUPPORTED, ENCRYPTED, CORRUPT, EMPTY, TOO_LARGE, UNREADABLE, INTERNAL.
        """
        return await asyncio.to_thread(self._read, path, name or path.name)

    def _read(self, path: Path, called: str) -> ParsedFile:
        with reading(called):
            media_type = detect_media_type(path, called)
            if media_type not in _READERS:
                message = f"{called!r} is {media_type}, which is read by another parser."
                raise ParseError(ParseFailure.UNSUPPORTED, message)
            prepare_unstructured()
            content = _READERS[media_type](path)
            if not content.elements:
                raise empty(called)
        title = _title(content) or PurePath(called).stem
        return ParsedFile(title=title, media_type=media_type, elements=content.elements, metadata=content.metadata)


def _title(content: _Content) -> str:
    titles = [element for element in content.elements if element.kind is ElementKind.TITLE]
    outermost = next((element.text for element in titles if element.level == 1), "")
    return outermost or content.title or (titles[0].text if titles else "")


def _html(path: Path) -> _Content:
    from unstructured.partition.html import partition_html

    content, title = main_html(decode_text(path.read_bytes(), markup=True))
    return _Content(tuple(_elements(partition_html(text=content, languages=_NO_LANGUAGES))), title)


def _markdown(path: Path) -> _Content:
    from unstructured.partition.md import partition_md

    text = decode_text(path.read_bytes())
    front = _FRONT_MATTER.match(text)
    named = _FRONT_TITLE.search(front[1]) if front else None
    elements = _elements(partition_md(text=text[front.end() :] if front else text, languages=_NO_LANGUAGES))
    return _Content(tuple(elements), named[1] if named else "")


def _text(path: Path) -> _Content:
    from unstructured.partition.text import partition_text

    parts = partition_text(text=decode_text(path.read_bytes()), languages=_NO_LANGUAGES)
    elements = _demote(_elements(parts), _heading_like)
    # Plain text has no outline: a heading on top is the document's, every other one is below it.
    return _Content(tuple(replace(element, level=2) if i else element for i, element in enumerate(elements)))


def _email(path: Path) -> _Content:
    from unstructured.partition.email import partition_email

    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    headers = {name.lower(): str(message[name]) for name in ("From", "To", "Cc", "Date") if message[name]}
    subject = " ".join(str(message["Subject"] or "").split())
    shown = [f"{name.capitalize()}: {value}" for name, value in headers.items()]
    attached = [part.get_filename() or "unnamed" for part in message.iter_attachments()]
    if attached:
        shown.append("Attachments: " + ", ".join(attached))
    top = [Element(text=subject, kind=ElementKind.TITLE)] if subject else []
    if shown:
        top.append(Element(text="\n".join(shown)))
    # Attachments are documents of their own; read here they would be cited as if the sender had written them.
    parts = partition_email(str(path), process_attachments=False, languages=_NO_LANGUAGES)
    return _Content((*top, *map(_as_text, _elements(parts))), metadata=headers)


_READERS: dict[str, Callable[[Path], _Content]] = {
    HTML: _html,
    MARKDOWN: _markdown,
    TEXT: _text,
    EMAIL: _email,
}


def _elements(parts: Iterable[Any]) -> Iterator[Element]:
    """Map Unstructured's elements to ours; what has no text is left out."""
    for part in parts:
        kind = _KINDS.get(part.category, ElementKind.TEXT)
        text = part.text.translate(_ODD_SPACES)
        if kind is ElementKind.TABLE and part.metadata.text_as_html:
            text = markdown_table(table_rows(part.metadata.text_as_html.replace(" 00:00:00<", "<")))
        if part.category not in _LEFT_OUT and text.strip():
            level = (part.metadata.category_depth or 0) + 1
            yield Element(text=text.strip(), kind=kind, page=part.metadata.page_number, level=level)


def _demote(elements: Iterable[Element], keep: Callable[[str], bool]) -> tuple[Element, ...]:
    return tuple(element if keep(element.text) else _as_text(element) for element in elements)


def _as_text(element: Element) -> Element:
    return replace(element, kind=ElementKind.TEXT) if element.kind is ElementKind.TITLE else element


def _heading_like(text: str) -> bool:
    return not text.endswith(_ENDS_SENTENCE) and len(text) <= 120
