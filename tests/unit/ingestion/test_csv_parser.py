"""Cells come out of a CSV file exactly as they were written."""

from pathlib import Path

import pytest

from contracts import ElementKind
from ingestion.csv_parser import CsvParser


async def table(tmp_path: Path, content: bytes) -> list[str]:
    path = tmp_path / "prices.csv"
    path.write_bytes(content)
    parsed = await CsvParser().parse(path)
    (element,) = parsed.elements
    assert element.kind is ElementKind.TABLE
    return element.text.split("\n")


async def test_numbers_stay_as_they_are_written(tmp_path: Path) -> None:
    lines = await table(tmp_path, b"code,price\n007,1.50\n12,\n")
    assert lines == ["| code | price |", "| --- | --- |", "| 007 | 1.50 |", "| 12 |  |"]


async def test_the_last_of_many_rows_is_exact_too(tmp_path: Path) -> None:
    rows = "".join(f"{i:06d},1.{i % 10}0\n" for i in range(50_000))
    assert (await table(tmp_path, b"code,price\n" + rows.encode()))[-1] == "| 049999 | 1.90 |"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
async def test_the_delimiter_is_found(delimiter: str, tmp_path: Path) -> None:
    content = "\n".join(delimiter.join(row) for row in (["name", "price", "note"], ["Ann", "1", "new"]))
    assert (await table(tmp_path, content.encode()))[2] == "| Ann | 1 | new |"


async def test_one_column_of_words_is_not_cut(tmp_path: Path) -> None:
    assert (await table(tmp_path, b"name\nanna\nnina\n"))[2:] == ["| anna |", "| nina |"]


async def test_quotes_line_breaks_bars_and_ragged_rows(tmp_path: Path) -> None:
    lines = await table(tmp_path, b'a,b\n"x, y","one\ntwo | three"\nonly\n1,2,3\n')
    assert lines == [
        "| a | b |  |",
        "| --- | --- | --- |",
        "| x, y | one two \\| three |  |",
        "| only |  |  |",
        "| 1 | 2 | 3 |",
    ]


async def test_latin_1(tmp_path: Path) -> None:
    assert "| Zoë |" in await table(tmp_path, "name\nZoë\n".encode("latin-1"))
