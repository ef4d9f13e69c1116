"""Reads what people write by hand for pandoc: Org, LaTeX, MediaWiki and Textile; Unstructured makes elements of it."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path, PurePath

from contracts import ElementKind, ParsedFile, ParseError, ParseFailure
from ingestion.parsing.markup.pypandoc_html import to_html
from ingestion.parsing.markup.unstructured_html import elements_of_html
from ingestion.parsing.media_types import LATEX, MEDIAWIKI, ORG, TEXTILE
from ingestion.parsing.parse_errors import empty, reading
from ingestion.parsing.text_decoding import decode_text

MARKUPS = {ORG: "org", LATEX: "latex", MEDIAWIKI: "mediawiki", TEXTILE: "textile"}
_TITLES = {
    ORG: re.compile(r"(?im)^#\+title:\s*(\S.*)$"),
    LATEX: re.compile(r"\\title(?:\[[^\]]*\])?\{([^{}]+)\}"),
}


class UnstructuredParser:
    """Port `Parser` for one media type of `MARKUPS`. Nothing that a document includes from elsewhere is read."""

    def __init__(self, media_type: str) -> None:
        self._media_type = media_type

    async def parse(self, path: Path, name: str | None = None, *, scratch: Path | None = None) -> ParsedFile:
        """Return the text of the file. Raises ParseError: CORRUPT, EMPTY, UNREADABLE."""
        return await asyncio.to_thread(self._read, path, name or path.name)

    def _read(self, path: Path, called: str) -> ParsedFile:
        with reading(called):
            text = decode_text(path.read_bytes())
            try:
                elements = elements_of_html(to_html(text, MARKUPS[self._media_type]))
            except RuntimeError as exc:
                reason = " ".join(str(exc).split())
                raise ParseError(ParseFailure.CORRUPT, f"{called!r} is no valid {self._media_type}: {reason}") from exc
            if not elements:
                raise empty(called)
        stated = _TITLES[self._media_type].search(text) if self._media_type in _TITLES else None
        first = next((element.text for element in elements if element.kind is ElementKind.TITLE), "")
        title = (stated[1].strip() if stated else "") or first or PurePath(called).stem
        return ParsedFile(title=title, media_type=self._media_type, elements=elements)
