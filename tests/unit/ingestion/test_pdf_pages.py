"""What a PDF page holds besides lines of text: form fields, text that no one sees, images for OCR; what is broken."""

import io
from pathlib import Path

import pypdf
import pytest
from PIL.Image import Image
from pypdf.generic import NumberObject, TextStringObject

from contracts import Box, ParseError, ParseFailure
from ingestion.parsing.images.ocr_lines import OcrLine, shown
from ingestion.parsing.pdf.pdfium_parser import PdfiumParser
from tests.pdf_drawing import IMAGE, PROSE, document, elements, field, form, name, parse, text


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


@pytest.mark.parametrize("turned", range(4))
async def test_what_ocr_reads_on_a_turned_page_lies_where_it_is_shown(turned: int, tmp_path: Path) -> None:
    upright = [Box(1, 0.1, 0.2, 0.5, 0.22), Box(1, 0.1, 0.225, 0.5, 0.245)]

    def read(image: Image) -> list[OcrLine]:
        said = ("Read from", "the image.")
        return [OcrLine(t, b.x0, b.y0, b.x1, b.y1, turned=turned) for t, b in zip(said, upright, strict=True)]

    writer = document(f"{IMAGE}\n{text(72, 700, 'Received.')}")
    parsed = await parse(tmp_path, writer, PdfiumParser(read))
    assert " ".join(element.text for element in parsed.elements) == "Received. Read from the image."
    stamp, *found = (box for element in parsed.elements for box in element.boxes)
    assert stamp.x0 == pytest.approx(72 / 612, abs=0.01)
    assert stamp.y0 < 1 - 700 / 792 < stamp.y1
    for box, where in zip(found, upright, strict=True):
        assert edges(box) == pytest.approx(edges(shown(where, turned)))


def edges(box: Box) -> tuple[float, float, float, float]:
    return box.x0, box.y0, box.x1, box.y1


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


@pytest.mark.parametrize("size", [(200_000, 100), (14_400, 14_400)])
async def test_the_image_of_a_gigantic_page_is_bounded(size: tuple[int, int], tmp_path: Path) -> None:
    sizes: list[tuple[int, int]] = []

    def read(image: Image) -> list[OcrLine]:
        sizes.append(image.size)
        return [OcrLine("Found.", 0.1, 0.2, 0.5, 0.22)]

    writer = document(IMAGE)
    writer.pages[0].mediabox.upper_right = size
    await parse(tmp_path, writer, PdfiumParser(read))
    ((width, height),) = sizes
    assert 100 < max(width, height) <= 6_001
    assert width * height <= 12_100_000
