"""Reads JSON and JSON Lines as readable text, and Jupyter notebooks as the documents they are."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePath
from typing import Any

from contracts import Element, ElementKind, ParsedFile, ParseError, ParseFailure
from ingestion.parsing.markup.json_values import Number, record_text, value_elements
from ingestion.parsing.markup.markdown_it_parser import markdown_elements
from ingestion.parsing.media_types import JSON, JSONL
from ingestion.parsing.parse_errors import empty, reading
from ingestion.parsing.text_decoding import decode_text

_LONGEST_OUTPUT = 20_000  # characters of what a notebook's cell printed


class JsonParser:
    """Reads json, jsonl and ipynb files."""

    def __init__(self, media_type: str = JSON) -> None:
        self._media_type = media_type

    async def parse(self, path: Path, name: str | None = None, *, scratch: Path | None = None) -> ParsedFile:
        """Return the values of the file; in JSON Lines each line is an element.

        Raises ParseError: CORRUPT, EMPTY, UNREADABLE.
        """
        return await asyncio.to_thread(self._read, path, name or path.name)

    def _read(self, path: Path, called: str) -> ParsedFile:
        with reading(called):
            text = decode_text(path.read_bytes()).strip("\ufeff \n\t")
            if not text:
                raise empty(called)
            elements = tuple(_records(text, called) if self._media_type == JSONL else _document(text, called))
            if not elements:
                raise empty(called, "its values are empty")
        titles = (element.text for element in elements if element.kind is ElementKind.TITLE and element.level == 1)
        notebook = next(titles, "") if PurePath(called).suffix.lower() == ".ipynb" else ""
        return ParsedFile(notebook or PurePath(called).stem, self._media_type, elements)


def _document(text: str, called: str) -> Iterator[Element]:
    try:
        value = _loads(text)
    except json.JSONDecodeError as exc:
        raise _damaged(called, exc.lineno, exc.msg) from exc
    if isinstance(value, Mapping) and "nbformat" in value and isinstance(value.get("cells"), list):
        return _notebook(value, called)
    return value_elements(value)


def _records(text: str, called: str) -> Iterator[Element]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            record = _loads(line)
        except json.JSONDecodeError as exc:
            raise _damaged(called, number, exc.msg) from exc
        if said := record_text(record):
            yield Element(said)


def _notebook(value: Mapping[str, Any], called: str) -> Iterator[Element]:
    for cell in value["cells"]:
        if not isinstance(cell, Mapping):
            continue
        source = _joined(cell.get("source"))
        if cell.get("cell_type") == "markdown":
            yield from markdown_elements(source, called)
        elif source.strip():
            yield Element(source.strip("\n"), ElementKind.CODE)
        for output in cell.get("outputs") or []:
            said = _output(output)
            if said.strip():
                yield Element(said.strip("\n")[:_LONGEST_OUTPUT], ElementKind.CODE)


def _output(output: Any) -> str:
    if not isinstance(output, Mapping):
        return ""
    data = output.get("data")
    return _joined(output.get("text") or (data.get("text/plain") if isinstance(data, Mapping) else ""))


def _joined(value: Any) -> str:
    return "".join(str(each) for each in value) if isinstance(value, list) else str(value or "")


def _loads(text: str) -> Any:
    return json.loads(text, parse_int=Number, parse_float=Number, parse_constant=Number)


def _damaged(called: str, line: int, why: str) -> ParseError:
    return ParseError(ParseFailure.CORRUPT, f"{called!r} is not JSON: {why} in line {line}. Correct or re-export it.")
