"""Writes JSON values as text that people and embedders can read: key paths, lines, tables."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from contracts import Element, ElementKind
from ingestion.parsing.markdown_tables import markdown_table

_ROWS = 200  # of a table in one element
_MAX_COLUMNS = 50
_DEEPEST = 3  # levels of keys that become headings; below them a key path stands in each line
_SHORT = 200  # characters; a list of values that is longer has a line for each


def value_elements(value: Any, level: int = 1) -> Iterator[Element]:
    """Yield the value as elements: objects as lines under headings, lists of flat objects as tables."""
    if isinstance(value, Mapping):
        lines, nested = _parted(value, level)
        if lines:
            yield Element("\n".join(lines))
        for key, inner in nested:
            yield Element(str(key), ElementKind.TITLE, level=level)
            yield from value_elements(inner, level + 1)
    elif isinstance(value, list):
        yield from _list_elements(value)
    elif str(value).strip():
        yield Element(_scalar(value))


def record_text(record: Any) -> str:
    """Return a record as lines of key paths and values, those that hold prose first."""
    lines = list(_lines("", record))
    return "\n".join(line for _, line in sorted(lines, key=lambda line: not line[0]))


def _parted(value: Mapping[str, Any], level: int) -> tuple[list[str], list[tuple[str, Any]]]:
    """Return the lines for what is simple, and what is nested enough to stand under a heading of its own."""
    lines: list[str] = []
    nested = []
    for key, inner in value.items():
        if level <= _DEEPEST and isinstance(inner, dict | list) and inner and not _is_short(inner):
            nested.append((key, inner))
        else:
            lines += (line for _, line in _lines(str(key), inner))
    return lines, nested


def _list_elements(values: Sequence[Any]) -> Iterator[Element]:
    columns = _columns(values)
    if columns:
        for start in range(0, len(values), _ROWS):
            rows = [[_cell(row.get(column)) for column in columns] for row in values[start : start + _ROWS]]
            if table := markdown_table([columns, *rows]):
                yield Element(table, ElementKind.TABLE)
        return
    for value in values:
        if text := record_text(value):
            yield Element(text if isinstance(value, dict | list) else f"- {text}", _kind(value))


def _kind(value: Any) -> ElementKind:
    return ElementKind.TEXT if isinstance(value, dict | list) else ElementKind.LIST


def _columns(values: Sequence[Any]) -> list[str]:
    """Return the keys of the objects when they make a table; empty otherwise."""
    if len(values) < 2 or not all(isinstance(value, Mapping) and value for value in values):
        return []
    columns = list(dict.fromkeys(str(key) for value in values for key in value))
    filled = sum(len(value) for value in values)
    if len(columns) > _MAX_COLUMNS or 2 * filled < len(columns) * len(values):
        return []
    flat = all(not isinstance(cell, dict | list) or _is_short(cell) for value in values for cell in value.values())
    return columns if flat else []


def _is_short(value: Any) -> bool:
    """Tell whether the value is a list of a few simple values, which fits on one line."""
    if not isinstance(value, list) or any(isinstance(each, dict | list) for each in value):
        return False
    return sum(len(str(each)) + 2 for each in value) <= _SHORT


def _lines(path: str, value: Any) -> Iterator[tuple[bool, str]]:
    """Yield whether it is prose, and the line, of every simple value inside."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _lines(f"{path}.{key}" if path else str(key), inner)
    elif isinstance(value, list) and not _is_short(value) and not _is_numbers(value):
        for number, inner in enumerate(value, 1):
            yield from _lines(f"{path}[{number}]" if path else str(number), inner)
    elif text := _cell(value):
        yield isinstance(value, str) and " " in text.strip(), f"{path}: {text}" if path else text


def _is_numbers(value: Any) -> bool:
    """Tell whether there are only numbers inside, as in coordinates."""
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, list):
            waiting += each
        elif not isinstance(each, Number):
            return False
    return True


class Number(str):
    """A number exactly as it is written, so that 1.50 stays 1.50."""


def _cell(value: Any) -> str:
    if isinstance(value, list):
        short = _is_short(value)
        return ", ".join(map(_scalar, value)) if short else json.dumps(value, ensure_ascii=False)
    return _scalar(value)


def _scalar(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
