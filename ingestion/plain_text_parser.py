"""The simplest parser: every paragraph of a text file is an element. It also stands in for real parsers in tests."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path, PurePath

from contracts import Element, ParsedFile
from ingestion.media_types import TEXT
from ingestion.parse_errors import empty, reading
from ingestion.text_decoding import decode_text


class PlainTextParser:
    """Reads any file as text; paragraphs are what blank lines part."""

    async def parse(self, path: Path, name: str | None = None, *, scratch: Path | None = None) -> ParsedFile:
        """Return the paragraphs of the file. Raises ParseError: EMPTY, UNREADABLE."""
        called = name or path.name
        with reading(called):
            text = decode_text(await asyncio.to_thread(path.read_bytes))
            paragraphs = [part.strip() for part in re.split(r"\n\s*\n", text)]
            elements = tuple(Element(text=part) for part in paragraphs if part)
            if not elements:
                raise empty(called)
        return ParsedFile(title=PurePath(called).stem, media_type=TEXT, elements=elements)
