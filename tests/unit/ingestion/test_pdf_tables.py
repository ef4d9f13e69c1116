"""Which parts of PDF pages are tables, and what becomes of them."""

from pathlib import Path

import pytest

from contracts import ElementKind
from tests.pdf_drawing import PROSE, elements, rows, text

CELLS = [("Country", "2021", "2022"), ("Austria", "1,204", "1,310"), ("Belgium", "870", "912"), ("Cyprus", "44", "51")]
MARKDOWN = """\
| Country | 2021 | 2022 |
| --- | --- | --- |
| Austria | 1,204 | 1,310 |
| Belgium | 870 | 912 |
| Cyprus | 44 | 51 |"""


def ruled() -> str:
    across = [f"60 {y} m 360 {y} l S" for y in (612, 596, 580, 564, 548)]
    down = [f"{x} 612 m {x} 548 l S" for x in (60, 190, 270, 360)]
    return "\n".join([*across, *down, *rows(CELLS, (66, 200, 280))])


@pytest.mark.parametrize("drawn", [ruled(), "\n".join(rows(CELLS, (66, 200, 280)))], ids=["ruled", "borderless"])
@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
async def test_tables_become_markdown_with_a_box_for_each_row(drawn: str, rotate: int, tmp_path: Path) -> None:
    found = await elements(tmp_path, f"{text(60, 700, PROSE)}\n{drawn}\n{text(60, 500, PROSE)}", rotate=rotate)
    (table,) = [element for element in found if element.kind is ElementKind.TABLE]
    assert table.text == MARKDOWN
    assert len(table.boxes) == 4
    assert all(0 < box.x0 < box.x1 < 1 and 0 < box.y0 < box.y1 < 1 for box in table.boxes)
    low = {0: "y1", 90: "x0", 180: "y0", 270: "x1"}[rotate]  # the side of the page that the foot of a row faces
    foot = 1 - 598 / 792 if rotate in (0, 270) else 598 / 792
    assert getattr(table.boxes[0], low) == pytest.approx(foot, abs=0.005)
    assert sum("committee" in element.text for element in found) == 2


async def test_a_table_stands_where_it_is_read(tmp_path: Path) -> None:
    found = await elements(tmp_path, f"{text(60, 700, PROSE)}\n{ruled()}\n{text(60, 500, PROSE)}")
    assert [element.kind for element in found] == [ElementKind.TEXT, ElementKind.TABLE, ElementKind.TEXT]


async def test_cells_of_several_lines_and_cells_that_span_columns(tmp_path: Path) -> None:
    lines = (
        "\n".join(f"60 {y} m 360 {y} l S" for y in (632, 612, 580, 560)) + "\n60 632 m 60 560 l S 360 632 m 360 560 l S"
    )
    inner = "190 632 m 190 560 l S 270 612 m 270 560 l S"
    drawn = [
        *rows([("Sales", "Both years", "")], (66, 200, 280), 618),
        text(66, 601, "of bread in"),
        text(66, 588, "the city"),
    ]
    drawn += [text(200, 601, "12"), text(280, 601, "13"), *rows([("of cake", "7", "9")], (66, 200, 280), 567)]
    (table,) = await elements(tmp_path, "\n".join([lines, inner, *drawn]))
    assert table.text.splitlines() == [
        "| Sales | Both years |  |",
        "| --- | --- | --- |",
        "| of bread in the city | 12 | 13 |",
        "| of cake | 7 | 9 |",
    ]


async def test_signs_of_currencies_stay_with_their_figures(tmp_path: Path) -> None:
    cells = [("Sales", "$", "1,204", "$", "1,310"), ("Costs", "", "870", "", "912"), ("Profit", "$", "334", "$", "398")]
    (table,) = await elements(tmp_path, "\n".join(rows(cells, (66, 180, 200, 260, 280))))
    assert table.text.splitlines()[0] == "| Sales | $ 1,204 | $ 1,310 |"


COLUMNS = [
    text(x, 700 - 13 * i, f"some {side} words about line {i} of it")
    for i in range(9)
    for x, side in ((60, "left"), (330, "right"))
]
ITEMS = [
    text(x, 700 - 14 * i, said)
    for i in range(6)
    for x, said in ((60, f"{i}."), (90, f"An item of the list, number {i}"))
]
FRAME = ["60 720 m 500 720 l 500 600 l 60 600 l h S", *(text(70, 700 - 14 * i, PROSE[:60]) for i in range(5))]


@pytest.mark.parametrize("drawn", [COLUMNS, ITEMS, FRAME], ids=["columns of prose", "list", "frame"])
async def test_what_is_no_table_stays_text(drawn: list[str], tmp_path: Path) -> None:
    found = await elements(tmp_path, "\n".join(drawn))
    assert ElementKind.TABLE not in {element.kind for element in found}
