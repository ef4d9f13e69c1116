"""Cells come out of a CSV file exactly as they were written."""

from pathlib import Path

import pytest

from contracts import ElementKind
from ingestion.parsing.markup.csv_parser import CsvParser
from ingestion.parsing.media_types import TSV


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


async def test_many_rows_are_cut_into_tables_with_the_same_header(tmp_path: Path) -> None:
    rows = "".join(f"{i:06d},1.{i % 10}0\n" for i in range(50_000))
    (tmp_path / "prices.csv").write_text("code,price\n" + rows)
    elements = (await CsvParser().parse(tmp_path / "prices.csv")).elements
    assert {element.text.split("\n")[0] for element in elements} == {"| code | price |"}
    lines = [line for element in elements for line in element.text.split("\n")[2:]]
    assert (len(lines), lines[0], lines[-1]) == (50_000, "| 000000 | 1.00 |", "| 049999 | 1.90 |")
    assert max(len(element.text.split("\n")) for element in elements) <= 202


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


async def test_tabs_part_the_cells_of_a_tsv_file_whatever_is_in_them(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text("name\tplace\nBerg, Ann\tUlm, Bonn\n")
    parsed = await CsvParser(TSV).parse(tmp_path / "a.tsv")
    assert parsed.media_type == TSV
    assert parsed.elements[0].text.split("\n")[2] == "| Berg, Ann | Ulm, Bonn |"


async def test_the_delimiter_that_excel_writes_on_top_is_believed(tmp_path: Path) -> None:
    assert (await table(tmp_path, b"sep=;\na;b\n1,5;2,5\n"))[2] == "| 1,5 | 2,5 |"


async def test_a_quote_that_is_never_closed_swallows_nothing(tmp_path: Path) -> None:
    assert (await table(tmp_path, b'size,name\n"6,tube\n7,hose\n'))[-1] == "| 7 | hose |"


async def test_inches_are_no_quotes(tmp_path: Path) -> None:
    lines = await table(tmp_path, b'size,name\n5",pipe\n6,"tube, long"\n')
    assert lines[2:] == ['| 5" | pipe |', "| 6 | tube, long |"]


async def test_a_header_alone_is_kept(tmp_path: Path) -> None:
    assert await table(tmp_path, b"code,price\n") == ["| code | price |", "| --- | --- |"]
