"""Reads CSV and TSV files exactly as they are written: tables of strings, so that 007 stays 007 and 1.50 stays 1.50."""

from __future__ import annotations

import asyncio
import csv
import io
import itertools
import re
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePath

from contracts import Element, ElementKind, ParsedFile
from ingestion.parsing.markdown_tables import markdown_table
from ingestion.parsing.media_types import CSV, TSV
from ingestion.parsing.parse_errors import empty, reading
from ingestion.parsing.text_decoding import decode_text

_DELIMITERS = ",;\t|"
_STATED = re.compile(r"\A\ufeff?\"?sep=(?P<delimiter>[^\n])\"?[ \t]*\n", re.IGNORECASE)  # Excel's own first line
_MAX_FIELD = 1 << 24  # characters in one cell
_ROWS = 200  # in one element


class CsvParser:
    """Turns a CSV file into tables; the delimiter is the one that gives the most even rows."""

    def __init__(self, media_type: str = CSV) -> None:
        self._media_type = media_type

    async def parse(self, path: Path, name: str | None = None, *, scratch: Path | None = None) -> ParsedFile:
        """Return the file as tables of some hundred rows, each under the file's first row as header.

        Raises ParseError: EMPTY, CORRUPT, UNREADABLE.
        """
        return await asyncio.to_thread(self._read, path, name or path.name)

    def _read(self, path: Path, called: str) -> ParsedFile:
        with reading(called):
            text = decode_text(path.read_bytes())
            stated = _STATED.match(text)
            text = text[stated.end() :] if stated else text
            delimiter = stated["delimiter"] if stated else _delimiter(text, self._media_type)
            elements = tuple(Element(table, ElementKind.TABLE) for table in _tables(_rows(text, delimiter)))
            if not elements:
                raise empty(called, "it has no cell with text")
        return ParsedFile(title=PurePath(called).stem, media_type=self._media_type, elements=elements)


def _rows(text: str, delimiter: str) -> Iterator[list[str]]:
    csv.field_size_limit(_MAX_FIELD)
    part = re.escape(delimiter)
    opened = len(re.findall(rf'(?:^|{part})"', text, re.MULTILINE))
    closed = len(re.findall(rf'"(?=$|{part})', text, re.MULTILINE))
    # A quote that is never closed would swallow all that follows.
    if opened > closed:
        rows = csv.reader(io.StringIO(text), delimiter=delimiter, quoting=csv.QUOTE_NONE)
    else:
        rows = csv.reader(io.StringIO(text), delimiter=delimiter)
    return (row for row in rows if any(cell.strip() for cell in row))


def _tables(rows: Iterator[Sequence[str]]) -> Iterator[str]:
    header = next(rows, None)
    if header is None:
        return
    first = True
    while (block := list(itertools.islice(rows, _ROWS))) or first:
        if table := markdown_table([header, *block]):
            yield table
        first = False


def _delimiter(text: str, media_type: str) -> str:
    lines = [line for line in itertools.islice(io.StringIO(text), 200) if line.strip()][:50]
    if media_type == TSV and any("\t" in line for line in lines):
        return "\t"

    def fit(delimiter: str) -> tuple[int, int]:
        widths = [len(row) for row in csv.reader(lines, delimiter=delimiter)]
        usual = max(set(widths), key=widths.count, default=1)
        return (widths.count(usual) if usual > 1 else 0, usual)

    return max(_DELIMITERS, key=fit)
