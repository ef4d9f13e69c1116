"""Sends each file to the parser for its kind, and makes every failure a ParseError that names the file."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path, PurePath

from contracts import ParsedFile, ParseError, ParseFailure, Parser
from ingestion.parsing.media_type_detection import detect_media_type
from ingestion.parsing.media_types import BINARY_TYPES, expected_type
from ingestion.parsing.parse_errors import empty, reading, unsupported

_SMALL = 1 << 16  # bytes; a larger file is not looked through for mere white space


class ParserRouter:
    """Picks a parser by media type.

    Example: ``ParserRouter({PDF: PdfiumParser(), CSV: CsvParser()}, PlainTextParser(), max_bytes=100 << 20)``
    """

    def __init__(self, by_media_type: Mapping[str, Parser], default: Parser | None = None, *, max_bytes: int) -> None:
        self._by_media_type = dict(by_media_type)
        self._default = default
        self._max_bytes = max_bytes

    async def parse(self, path: Path, name: str | None = None, *, scratch: Path | None = None) -> ParsedFile:
        """Return what is in the file. Raises ParseError, and nothing else, whatever the file holds."""
        called = name or path.name
        with reading(called):
            media_type = await asyncio.to_thread(self._inspect, path, called)
            parser = self._by_media_type.get(media_type, self._default)
            if parser is None:
                raise unsupported(called, f"it is {media_type}")
            parsed = await parser.parse(path, called, scratch=scratch)
            if not parsed.members and not any(element.text.strip() for element in parsed.elements):
                raise empty(called)
        return _noting_the_wrong_name(parsed, media_type, called)

    def _inspect(self, path: Path, called: str) -> str:
        if not path.is_file() and path.exists():
            message = f"{called!r} is not a file. Name the files, or the folder that holds them."
            raise ParseError(ParseFailure.UNREADABLE, message)
        size = path.stat().st_size
        if size > self._max_bytes:
            raise ParseError(
                ParseFailure.TOO_LARGE,
                f"{called!r} has {size / (1 << 20):.1f} MiB; the limit is {self._max_bytes / (1 << 20):.1f} MiB. "
                "Split the file or raise the limit.",
            )
        if size == 0:
            raise empty(called, "it has no bytes")
        if size <= _SMALL and not path.read_bytes().strip():
            raise empty(called, "it holds nothing but white space")
        return detect_media_type(path, called)


def _noting_the_wrong_name(parsed: ParsedFile, media_type: str, called: str) -> ParsedFile:
    expected = expected_type(called)
    if expected in (None, media_type) or not {expected, media_type} & BINARY_TYPES:
        return parsed
    note = f"named {PurePath(called).suffix} but holds {media_type}"
    return replace(parsed, metadata={**parsed.metadata, "note": note})
