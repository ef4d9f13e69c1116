"""What a PDF page holds besides lines of text: tables, form fields, text that no one sees, images for OCR."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pypdf
import pytest
from PIL.Image import Image
from pypdf.generic import (
    ArrayObject,
    DecodedStreamObject,
    DictionaryObject,
    FloatObject,
    NameObject,
    NumberObject,
    TextStringObject,
)

from contracts import Element, ElementKind, ParsedFile, ParseError, ParseFailure
from ingestion.ocr_lines import OcrLine
from ingestion.pdfium_parser import PdfiumParser

PROSE = "The committee met twice in spring and agreed on every point that had been put before it by the members"
IMAGE = "q 612 0 0 792 0 0 cm /I Do Q"


def text(x: float, y: float, said: str, *, size: float = 10, before: str = "0 g") -> str:
    return f"q {before} BT /F {size} Tf {x} {y} Td ({said}) Tj ET Q"


def name(value: str) -> NameObject:
    return NameObject(f"/{value}")


def document(*contents: str, rotate: int = 0) -> pypdf.PdfWriter:
    """Make a PDF of 612 × 792 points a page that draws the contents; /F is Helvetica, /I an image."""
    writer = pypdf.PdfWriter()
    font = DictionaryObject(
        {name("Type"): name("Font"), name("Subtype"): name("Type1"), name("BaseFont"): name("Helvetica")}
    )
    pixel = DecodedStreamObject()
    pixel.set_data(b"\x80\x80\x80")
    facts = {
        "Subtype": name("Image"),
        "Width": NumberObject(1),
        "Height": NumberObject(1),
        "BitsPerComponent": NumberObject(8),
    }
    pixel.update({name(key): value for key, value in facts.items()} | {name("ColorSpace"): name("DeviceRGB")})
    fonts, images = DictionaryObject({name("F"): writer._add_object(font)}), writer._add_object(pixel)
    for content in contents:
        page = writer.add_blank_page(612, 792)
        stream = DecodedStreamObject()
        stream.set_data(content.encode("latin-1"))
        page[name("Contents")] = writer._add_object(stream)
        page[name("Resources")] = DictionaryObject(
            {name("Font"): fonts, name("XObject"): DictionaryObject({name("I"): images})}
        )
        page.rotate(rotate)
    return writer


def field(kind: str, value: Any, x: float, y: float, **more: Any) -> DictionaryObject:
    rect = ArrayObject(map(FloatObject, (x, y, x + 100, y + 12)))
    facts = {
        "Type": name("Annot"),
        "Subtype": name("Widget"),
        "FT": name(kind),
        "V": value,
        "Rect": rect,
        "F": NumberObject(4),
    }
    facts["T"] = TextStringObject(f"field {x} {y}")
    return DictionaryObject({name(key): found for key, found in (facts | more).items()})


def form(content: str, *fields: DictionaryObject) -> pypdf.PdfWriter:
    writer = document(content)
    added = ArrayObject(writer._add_object(one) for one in fields)
    writer.pages[0][name("Annots")] = added
    writer._root_object[name("AcroForm")] = DictionaryObject({name("Fields"): added})
    return writer


async def parse(tmp_path: Path, writer: pypdf.PdfWriter, parser: PdfiumParser | None = None, **more: Any) -> ParsedFile:
    path = tmp_path / "file.pdf"
    writer.write(path)
    return await (parser or PdfiumParser()).parse(path, **more)


async def elements(tmp_path: Path, *contents: str, rotate: int = 0) -> tuple[Element, ...]:
    return (await parse(tmp_path, document(*contents, rotate=rotate))).elements


def rows(cells: Sequence[Sequence[str]], xs: Sequence[float], top: float = 600, step: float = 16) -> list[str]:
    return [
        text(x, top - i * step, cell) for i, row in enumerate(cells) for x, cell in zip(xs, row, strict=True) if cell
    ]


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


@pytest.mark.parametrize(
    "drawn",
    [
        text(72, 600, "secret words", before="1 g"),
        text(72, 600, "secret words", size=0.5),
        text(900, 600, "secret words"),
        text(72, -50, "secret words"),
        text(72, 600, "secret words", before="3 Tr"),
        "0 0 0.5 rg 60 590 300 30 re f\n" + text(72, 600, "secret words", before="0 0 0.5 rg"),
        text(72, 700, "seen                       secret words", before="1 g") + text(72, 700, "seen"),
    ],
    ids=["white", "tiny", "right of the page", "below the page", "invisible", "colour of its ground", "same line"],
)
async def test_text_that_no_one_sees_is_flagged(drawn: str, tmp_path: Path) -> None:
    found = await elements(tmp_path, f"{text(72, 700, 'seen words')}\n{drawn}")
    assert [e.hidden for e in found if "secret" in e.text] == [True]
    assert "secret" not in " ".join(e.text for e in found if not e.hidden)
    assert any("seen words" in e.text and not e.hidden for e in found)


@pytest.mark.parametrize(
    "drawn",
    [
        "0 g 60 590 300 30 re f\n" + text(72, 600, "plain words", before="1 g"),
        f"{IMAGE}\n{text(72, 600, 'plain words', before='3 Tr')}",
    ],
    ids=["white on black", "laid over a scan by OCR"],
)
async def test_text_that_is_seen_is_not_flagged(drawn: str, tmp_path: Path) -> None:
    assert [(e.text, e.hidden) for e in await elements(tmp_path, drawn)] == [("plain words", False)]


async def test_what_was_filled_into_a_form_stands_behind_its_label(tmp_path: Path) -> None:
    labels = ("Name:", "I agree", "I object", "Signed in Bern.")
    content = "\n".join(text(72, 700 - 40 * i, label) for i, label in enumerate(labels))
    box = {"AS": name("Yes")}
    writer = form(
        content,
        field("Tx", TextStringObject("Ada Lovelace"), 120, 698),
        field("Btn", name("Yes"), 130, 658, **box),
        field("Btn", name("Off"), 130, 618, AS=name("Off")),
    )
    said = " ".join(element.text for element in (await parse(tmp_path, writer)).elements)
    assert said == "Name: Ada Lovelace I agree [x] I object [ ] Signed in Bern."


async def test_passwords_are_tried_in_turn(tmp_path: Path) -> None:
    writer = document(text(72, 700, "Open at last."))
    writer.encrypt("spring", owner_password="owner", algorithm="AES-256")
    found = await parse(tmp_path, writer, PdfiumParser(passwords=("winter", "spring")))
    assert found.elements[0].text == "Open at last."
    with pytest.raises(ParseError, match="known passwords") as caught:
        await parse(tmp_path, writer, PdfiumParser(passwords=("winter",)))
    assert caught.value.reason is ParseFailure.ENCRYPTED


def read_all(image: Image) -> list[OcrLine]:
    assert image.size == (1700, 2200)  # 200 dpi
    return [OcrLine("Read from the image.", 0.1, 0.2, 0.5, 0.22)]


async def test_pages_that_are_images_are_read_by_ocr(tmp_path: Path) -> None:
    writer = document(text(72, 700, PROSE), IMAGE)
    parsed = await parse(tmp_path, writer, PdfiumParser(read_all))
    assert [(e.text, e.page) for e in parsed.elements] == [(PROSE, 1), ("Read from the image.", 2)]
    assert parsed.elements[1].boxes[0].x0 == pytest.approx(0.1)
    assert "pages_without_text" not in parsed.metadata


async def test_images_that_nothing_read_are_named(tmp_path: Path) -> None:
    parsed = await parse(tmp_path, document(text(72, 700, PROSE), IMAGE, IMAGE, text(72, 700, PROSE), IMAGE))
    assert parsed.metadata["pages_without_text"] == "2-3, 5"


async def test_a_damaged_page_does_not_lose_the_others(tmp_path: Path) -> None:
    writer = document(text(72, 700, "First."), text(72, 700, "Second."), text(72, 700, "Third."))
    stream = io.BytesIO()
    writer.write(stream)
    reader = pypdf.PdfWriter(clone_from=stream)
    reader.root_object["/Pages"]["/Kids"][1] = NumberObject(7)  # type: ignore[index]
    parsed = await parse(tmp_path, reader)
    assert [(element.text, element.page) for element in parsed.elements] == [("First.", 1), ("Third.", 3)]
    assert parsed.metadata["unreadable_pages"] == "2"


async def test_files_that_are_attached_are_members(tmp_path: Path) -> None:
    writer = document(text(72, 700, "See the attachment."))
    writer.add_attachment("../prices.csv", b"item,price\ntea,4\n")
    (member,) = (await parse(tmp_path, writer, scratch=tmp_path / "scratch")).members
    assert member.name == "prices.csv"
    assert member.path is not None
    assert member.path.read_bytes() == b"item,price\ntea,4\n"


async def test_ligatures_and_metadata(tmp_path: Path) -> None:
    writer = document(text(72, 700, "The e\\256ect of the o\\256er", before="0 g"))
    writer.add_metadata({"/Author": "Ada", "/CreationDate": "D:20240131120000Z"})
    parsed = await parse(tmp_path, writer)
    assert (parsed.metadata["author"], parsed.metadata["created"]) == ("Ada", "2024-01-31")


async def test_running_heads_are_dropped_also_where_pages_are_not_full(tmp_path: Path) -> None:
    pages = [
        "\n".join(
            [
                text(72, 600, f"Rule {word} of the house"),
                *(text(72, 580 - 14 * i, f"{PROSE[i:60]} {word}") for i in range(4)),
                text(250, 500 - 20 * number, f"House rules - {number}"),
            ]
        )
        for number, word in enumerate(("one", "two", "three", "four", "five"), 1)
    ]
    said = "\n".join(element.text for element in await elements(tmp_path, *pages))
    assert said.count("House rules") == 1
    assert all(f"Rule {word}" in said for word in ("one", "two", "three", "four", "five"))
