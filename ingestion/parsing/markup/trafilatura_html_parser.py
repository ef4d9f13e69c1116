"""Reads web pages: the main text by trafilatura's judgement, with the headings, lists, tables and code of the page."""

from __future__ import annotations

import asyncio
import email
import email.policy
import logging
import re
from pathlib import Path, PurePath
from typing import Any

from contracts import Element, ElementKind, ParsedFile
from ingestion.parsing.markup.lxml_html_blocks import html_blocks
from ingestion.parsing.markup.lxml_main_blocks import has_navigation, main_blocks, outside_noise
from ingestion.parsing.markup.lxml_markup import html_tree
from ingestion.parsing.markup.lxml_page_noise import noise_of
from ingestion.parsing.media_types import HTML
from ingestion.parsing.parse_errors import empty, reading
from ingestion.parsing.text_decoding import decode_text

_ARCHIVED = re.compile(
    rb"\A(?:[A-Za-z-]+:[^\n]*\n(?:[ \t][^\n]*\n)*)*?content-type:\s*multipart/related", re.IGNORECASE
)
_DATES = {"original_date": True, "extensive_search": False}
_STATED_DATES = "//meta/@content | //time/@datetime | //script[@type='application/ld+json']/text()"
_MOST_BLOCKS = 50_000  # a longer page is data, not an article, and the extractor would take minutes for it

_log = logging.getLogger(__name__)


class TrafilaturaHtmlParser:
    """Reads html, xhtml and mhtml files. Navigation and other things around the content are left out; where no main
    part can be told apart, the whole page is kept."""

    async def parse(self, path: Path, name: str | None = None, *, scratch: Path | None = None) -> ParsedFile:
        """Return the main part of the page, with what it says of its author, date and language.

        Raises ParseError: CORRUPT, EMPTY, UNREADABLE.
        """
        return await asyncio.to_thread(self._read, path, name or path.name)

    def _read(self, path: Path, called: str) -> ParsedFile:
        with reading(called):
            root = html_tree(_markup(path.read_bytes()), called)
            elements = _main_elements(root)
            if not any(element.text.strip() for element in elements):
                raise empty(called, "the page shows no text; a script may have to fill it in")
            title = _title(elements, root) or PurePath(called).stem
            return ParsedFile(title=title, media_type=HTML, elements=elements, metadata=_metadata(root))


def _markup(data: bytes) -> str:
    if not _ARCHIVED.match(data[:4096].replace(b"\r\n", b"\n")):
        return decode_text(data, markup=True)
    for part in email.message_from_bytes(data, policy=email.policy.default).walk():
        if part.get_content_type() in ("text/html", "application/xhtml+xml"):
            return decode_text(_payload(part), markup=True, stated=part.get_content_charset())
    return ""


def _payload(part: Any) -> bytes:
    return part.get_payload(decode=True) or b""


def _main_elements(root: Any) -> tuple[Element, ...]:
    blocks = html_blocks(root, noise_of(root))
    article = has_navigation(blocks) and len(blocks) <= _MOST_BLOCKS
    chosen = main_blocks(blocks, _main_text(root)) if article else outside_noise(blocks)
    return tuple(block.element for block in chosen)


def _main_text(root: Any) -> str:
    import trafilatura

    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)  # it reports pages without an article as errors
    try:
        return trafilatura.extract(root, include_comments=False, favor_precision=True) or ""
    except (ValueError, AttributeError, TypeError, RecursionError) as exc:  # pages it cannot cope with stay whole
        _log.info("the main part of a page could not be told apart: %s", exc)
        return ""


def _title(elements: tuple[Element, ...], root: Any) -> str:
    titles = [element for element in elements if element.kind is ElementKind.TITLE and not element.hidden]
    headline = next((element.text for element in titles if element.level == 1), "")
    named = " ".join((root.findtext(".//title") or "").split())
    return headline or named or (titles[0].text if titles else "")


def _metadata(root: Any) -> dict[str, str]:
    from trafilatura.metadata import extract_metadata

    found = extract_metadata(root, date_config=dict(_DATES))
    stated = {"author": found.author, "date": found.date, "site": found.sitename, "description": found.description}
    if found.date and not any(found.date in said for said in root.xpath(_STATED_DATES)):
        del stated["date"]  # it was guessed from the text
    stated["language"] = root.get("lang") or root.get("{http://www.w3.org/XML/1998/namespace}lang")
    return {name: " ".join(value.split()) for name, value in stated.items() if value and value.strip()}
