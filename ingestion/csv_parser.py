"""Reads CSV files exactly as they are written: a table of strings, so that 007 stays 007 and 1.50 stays 1.50."""

from __future__ import annotations

import asyncio
import csv
import io
from pathlib import Path, PurePath

from contracts import Element, ElementKind, ParsedFile
from ingestion.markdown_tables import markdown_table
from ingestion.media_types import CSV
from ingestion.parse_errors import empty, reading
from ingestion.text_decoding import decode_text

_DELIMITERS = ",;\t|"
_MAX_FIELD = 1 << 24  # characters in one cell


class CsvParser:
    """Turns a CSV file into one table; the delimiter is the one that gives the most even rows."""

    async def parse(self, path: Path, name: str | None = None, *, scratch: Path | None = None) -> ParsedFile:
        """Return the file as one table, its first row as header. Raises ParseError: EMPTY, CORRUPT, UNREADABLE."""
        called = name or path.name
        return await asyncio.to_thread(self._read, path, called)

    def _read(self, path: Path, called: str) -> ParsedFile:
        with reading(called):
            text = decode_text(path.read_bytes())
            csv.field_size_limit(_MAX_FIELD)
            table = markdown_table(list(csv.reader(io.StringIO(text), delimiter=_delimiter(text))))
            if not table:
                raise empty(called, "it has no cell with text")
            elements = (Element(text=table, kind=ElementKind.TABLE),)
        return ParsedFile(title=PurePath(called).stem, media_type=CSV, elements=elements)


def _delimiter(text: str) -> str:
    lines = [line for line in text.splitlines()[:50] if line.strip()]

    def fit(delimiter: str) -> tuple[int, int]:
        widths = [len(row) for row in csv.reader(lines, delimiter=delimiter)]
        usual = max(set(widths), key=widths.count, default=1)
        return (widths.count(usual) if usual > 1 else 0, usual)

    return max(_DELIMITERS, key=fit)
