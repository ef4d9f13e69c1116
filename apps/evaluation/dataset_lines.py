"""Reads a dataset's files line by line; what is wrong is an error that names the file and the line."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from contracts import InvalidInputError


@dataclass(frozen=True, slots=True)
class JsonRow:
    """A line of corpus.jsonl or queries.jsonl; lines count from 1."""

    line: int
    id: str
    title: str
    text: str


def json_rows(path: Path) -> Iterator[JsonRow]:
    """Yield the rows of a .jsonl or .jsonl.gz file. Raises InvalidInputError."""
    for number, line in _lines(path):
        where = f"{str(path)!r}, line {number}"
        try:
            row = json.loads(line)
        except ValueError as exc:
            raise InvalidInputError(f"{where}: this is no JSON: {exc}.") from exc
        if not isinstance(row, dict):
            raise InvalidInputError(f'{where}: an object such as {{"_id": "1", "text": "…"}} is expected.')
        for name in ("_id", "text"):
            if row.get(name) is None:
                raise InvalidInputError(f"{where}: the field {name!r} is missing.")
        title, text = row.get("title") or "", row["text"]
        if not isinstance(row["_id"], str | int) or not isinstance(text, str) or not isinstance(title, str):
            raise InvalidInputError(f"{where}: '_id', 'title' and 'text' must be strings.")
        yield JsonRow(number, str(row["_id"]), _clean(title), _clean(text))


def judgements(path: Path) -> Iterator[tuple[str, str, int]]:
    """Yield query, document and grade by line of a .tsv file, with or without a header. Raises InvalidInputError."""
    for number, line in _lines(path):
        where = f"{str(path)!r}, line {number}"
        try:
            cells = line.decode("utf-8-sig").rstrip("\r\n").split("\t")
        except UnicodeDecodeError as exc:
            raise InvalidInputError(f"{where}: this is not UTF-8.") from exc
        if len(cells) != 3:
            raise InvalidInputError(f"{where}: query-id, corpus-id and score, with tabs between them, are expected.")
        query, document, score = (cell.strip() for cell in cells)
        grade = _grade(score)
        if grade is not None:
            yield query, document, grade
        elif number > 1:
            raise InvalidInputError(f"{where}: the score {score!r} is not a whole number.")


def _grade(score: str) -> int | None:
    try:
        return int(float(score)) if float(score).is_integer() else None
    except ValueError:
        return None


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield the lines that are not blank, with their numbers."""
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield number, line
    except (OSError, EOFError) as exc:  # EOFError: a .gz that was cut off
        raise InvalidInputError(f"{str(path)!r} cannot be read: {exc}.") from exc


def _clean(text: str) -> str:
    """Return the text as it can be stored: without lone surrogates, which JSON can hold and UTF-8 cannot."""
    return text.strip().encode(errors="replace").decode()
