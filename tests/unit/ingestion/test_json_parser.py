"""JSON becomes text that can be read, and loses nothing on the way."""

import json
from pathlib import Path
from typing import Any

import pytest

from contracts import ParsedFile, ParseError, ParseFailure
from ingestion.parsing.markup.json_parser import JsonParser
from ingestion.parsing.media_types import JSONL


async def parse(
    tmp_path: Path, value: Any, name: str = "data.json", media_type: str = "application/json"
) -> ParsedFile:
    path = tmp_path / "5f2a9c"
    path.write_text(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False), encoding="utf-8")
    return await JsonParser(media_type).parse(path, name)


async def blocks(tmp_path: Path, value: Any) -> list[tuple[str, str]]:
    return [(element.kind.value, element.text) for element in (await parse(tmp_path, value)).elements]


async def test_objects_are_lines_under_headings(tmp_path: Path) -> None:
    value = {"name": "Hut", "open": True, "beds": None, "tags": ["a", "b"], "place": {"city": "Ulm", "geo": {"x": 1.5}}}
    assert await blocks(tmp_path, value) == [
        ("text", "name: Hut\nopen: true\ntags: a, b"),
        ("title", "place"),
        ("text", "city: Ulm"),
        ("title", "geo"),
        ("text", "x: 1.5"),
    ]


async def test_numbers_stay_as_they_are_written(tmp_path: Path) -> None:
    digits = "9" * 6000
    assert await blocks(tmp_path, f'{{"a": 1.50, "b": 1e400, "c": {digits}}}') == [
        ("text", f"a: 1.50\nb: 1e400\nc: {digits}")
    ]


async def test_a_list_of_flat_objects_is_a_table(tmp_path: Path) -> None:
    value = {"rooms": [{"no": 1, "name": "Blue"}, {"no": 2, "name": "Red", "note": "new"}]}
    assert await blocks(tmp_path, value) == [
        ("title", "rooms"),
        ("table", "| no | name | note |\n| --- | --- | --- |\n| 1 | Blue |  |\n| 2 | Red | new |"),
    ]


async def test_a_long_table_is_cut(tmp_path: Path) -> None:
    found = await blocks(tmp_path, [{"no": i, "name": f"n{i}"} for i in range(450)])
    assert [kind for kind, _ in found] == ["table"] * 3
    assert found[2][1].split("\n")[0] == "| no | name |"
    assert found[2][1].split("\n")[-1] == "| 449 | n449 |"


async def test_nested_records_are_paths(tmp_path: Path) -> None:
    value = [{"id": 7, "text": "Two words", "by": {"name": "Ann"}, "log": [{"x": 1}, {"x": 2}]}]
    assert await blocks(tmp_path, value) == [("text", "text: Two words\nid: 7\nby.name: Ann\nlog[1].x: 1\nlog[2].x: 2")]


async def test_each_line_of_json_lines_is_a_record(tmp_path: Path) -> None:
    parsed = await parse(
        tmp_path, '{"id": 1, "text": "First one."}\n\n{"id": 2, "text": "Second one."}\n', "a.jsonl", JSONL
    )
    assert parsed.media_type == JSONL
    assert [element.text for element in parsed.elements] == ["text: First one.\nid: 1", "text: Second one.\nid: 2"]


async def test_a_notebook_is_a_document(tmp_path: Path) -> None:
    cells = [
        {"cell_type": "markdown", "source": ["# Sales\n", "by year"]},
        {"cell_type": "code", "source": "print(1)", "outputs": [{"text": ["1\n"]}, {"data": {"text/plain": "2"}}]},
    ]
    parsed = await parse(tmp_path, {"nbformat": 4, "cells": cells}, "sales.ipynb")
    assert parsed.title == "Sales"
    assert [e.text for e in parsed.elements] == ["Sales", "by year", "print(1)", "1", "2"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [('{"a": ', "corrupt"), ("[" * 100_000, "corrupt"), ('{"a":' * 100_000, "corrupt"), ("{}", "empty"), ("", "empty")],
)
async def test_broken_deep_and_empty_files_have_a_reason(text: str, reason: str, tmp_path: Path) -> None:
    with pytest.raises(ParseError, match=r"data\.json") as caught:
        await parse(tmp_path, text)
    assert caught.value.reason is ParseFailure(reason)


async def test_a_broken_line_is_named(tmp_path: Path) -> None:
    with pytest.raises(ParseError, match="line 2"):
        await parse(tmp_path, '{"a": "b"}\n{"a": \n', "a.jsonl", JSONL)
