"""Paragraphs, headings, lists, columns and boxes of PDFs made here, and the reasons why others cannot be read."""

import io
from collections.abc import Sequence
from pathlib import Path

import pypdf
import pytest

from contracts import ElementKind, ParsedFile, ParseError, ParseFailure
from ingestion.parsing.pdf.pdfium_parser import PdfiumParser

Text = tuple[float, float, float, str, str]  # x, y and size in points from the lower left, font, text


def pdf(*pages: Sequence[Text], rotate: int = 0) -> bytes:
    """Write a PDF of 612 × 792 points a page; fonts are R (regular) and B (bold)."""
    kids = " ".join(f"{5 + 2 * i} 0 R" for i in range(len(pages)))
    objects = [
        "<</Type/Catalog/Pages 2 0 R>>",
        f"<</Type/Pages/Count {len(pages)}/Kids[{kids}]/MediaBox[0 0 612 792]/Rotate {rotate}"
        "/Resources<</Font<</R 3 0 R/B 4 0 R>>>>>>",
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica-Bold>>",
    ]
    for i, texts in enumerate(pages):
        drawn = "\n".join(f"BT /{font} {size} Tf {x} {y} Td ({text}) Tj ET" for x, y, size, font, text in texts)
        objects.append(f"<</Type/Page/Parent 2 0 R/Contents {6 + 2 * i} 0 R>>")
        objects.append(f"<</Length {len(drawn)}>>stream\n{drawn}\nendstream")
    written, offsets = "%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        offsets.append(f"{len(written):010d} 00000 n \n")
        written += f"{number} 0 obj{content}endobj\n"
    table = f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{''.join(offsets)}"
    trailer = f"trailer<</Root 1 0 R/Size {len(objects) + 1}>>\nstartxref\n{len(written)}\n%%EOF\n"
    return (written + table + trailer).encode()


def lines(x: float, top: float, *texts: str, size: float = 10, font: str = "R", step: float = 12) -> list[Text]:
    return [(x, top - i * step, size, font, text) for i, text in enumerate(texts)]


def encrypted(user_password: str) -> bytes:
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(pdf(lines(72, 700, "The secret is out."))))
    writer.encrypt(user_password, owner_password="owner", algorithm="AES-256")
    stream = io.BytesIO()
    writer.write(stream)
    return stream.getvalue()


async def parse(tmp_path: Path, content: bytes) -> ParsedFile:
    path = tmp_path / "file.pdf"
    path.write_bytes(content)
    return await PdfiumParser().parse(path)


async def texts(tmp_path: Path, *pages: Sequence[Text]) -> list[str]:
    return [element.text for element in (await parse(tmp_path, pdf(*pages))).elements]


REPORT = [
    *lines(72, 740, "Annual Report", size=20, font="B"),
    *lines(72, 700, "Outlook", size=14, font="B"),
    *lines(72, 680, "We expect that sales will keep growing in the coming year, since", "two new shops open in March."),
    *lines(72, 640, "Risks", font="B"),
    *lines(72, 620, "Prices of energy may rise again in every market that we sell in.", "They did so last year."),
    *lines(72, 580, "1. Hedge the price of gas", "2. Insulate the shops"),
]


async def test_large_print_at_the_foot_of_the_page_is_no_title(tmp_path: Path) -> None:
    body = [line for i in range(4) for line in lines(72, 700 - 60 * i, f"In year {i} we sold tea,", "cake and soup.")]
    parsed = await parse(tmp_path, pdf([*body, *lines(72, 60, "Made by PrintMaker", size=20, font="B")]))
    assert parsed.elements[-1].kind is ElementKind.TITLE
    assert parsed.title == "file"


async def test_headings_paragraphs_and_lists(tmp_path: Path) -> None:
    parsed = await parse(tmp_path, pdf(REPORT))
    assert parsed.title == "Annual Report"
    assert [(e.kind, e.level if e.kind is ElementKind.TITLE else 0, e.text) for e in parsed.elements] == [
        (ElementKind.TITLE, 1, "Annual Report"),
        (ElementKind.TITLE, 2, "Outlook"),
        (
            ElementKind.TEXT,
            0,
            "We expect that sales will keep growing in the coming year, since two new shops open in March.",
        ),
        (ElementKind.TITLE, 3, "Risks"),
        (
            ElementKind.TEXT,
            0,
            "Prices of energy may rise again in every market that we sell in. They did so last year.",
        ),
        (ElementKind.LIST, 0, "1. Hedge the price of gas"),
        (ElementKind.LIST, 0, "2. Insulate the shops"),
    ]


async def test_each_line_has_a_box_where_it_stands_on_the_page(tmp_path: Path) -> None:
    parsed = await parse(tmp_path, pdf(REPORT))
    first, second = parsed.elements[2].boxes
    assert first.page == 1
    assert first.x0 == pytest.approx(72 / 612, abs=0.003)
    assert first.y1 == pytest.approx(1 - 680 / 792, abs=0.005)  # its baseline, from the top
    assert second.y0 > first.y1
    assert second.x1 < first.x1


async def test_boxes_on_a_rotated_page_are_where_the_reader_sees_them(tmp_path: Path) -> None:
    parsed = await parse(tmp_path, pdf(lines(72, 700, "Turned by ninety degrees."), rotate=90))
    (box,) = parsed.elements[0].boxes
    # Clockwise: what was near the top is now near the right edge, and reads downwards from the former left.
    assert box.x1 == pytest.approx(708 / 792, abs=0.01)
    assert box.y0 == pytest.approx(72 / 612, abs=0.01)
    assert box.y1 - box.y0 > box.x1 - box.x0


async def test_words_broken_at_a_line_end_are_joined(tmp_path: Path) -> None:
    found = await texts(tmp_path, lines(72, 700, "The measure-", "ment was done twice."))
    assert found == ["The measurement was done twice."]


@pytest.mark.parametrize("shift", [0, 5])
async def test_two_columns_drawn_in_turns_are_read_column_by_column(shift: float, tmp_path: Path) -> None:
    left = lines(60, 650, *(f"left column speaks in line {i}" for i in range(8)))
    right = lines(330, 650 - shift, *(f"right column speaks in line {i}" for i in range(8)))
    turns = [text for pair in zip(left, right, strict=True) for text in pair]
    heading = lines(60, 700, "A heading that runs across the whole of both columns, which makes it long")
    found = " ".join(await texts(tmp_path, [*heading, *turns]))
    assert found.index("left column speaks in line 7") < found.index("right column speaks in line 0")
    assert found.startswith("A heading")


async def test_running_heads_are_kept_once_and_page_numbers_never(tmp_path: Path) -> None:
    pages = [
        [*lines(72, 770, "ACME Handbook"), *lines(72, 600, f"Rule {word} is written here."), *lines(300, 20, str(i))]
        for i, word in enumerate(["one", "two", "three", "four"], 1)
    ]
    assert await texts(tmp_path, *pages) == [
        "ACME Handbook",
        "Rule one is written here.",
        "Rule two is written here.",
        "Rule three is written here.",
        "Rule four is written here.",
    ]


async def test_rows_of_figures_keep_their_lines(tmp_path: Path) -> None:
    found = await texts(tmp_path, lines(72, 700, "Sales 1,200 1,100", "Costs 900 850", "Profit 300 250"))
    assert found == ["Sales 1,200 1,100\nCosts 900 850\nProfit 300 250"]


async def test_pages_are_counted_from_one(tmp_path: Path) -> None:
    parsed = await parse(tmp_path, pdf(lines(72, 700, "First page."), [], lines(72, 700, "Third page.")))
    assert [(e.text, e.page, e.boxes[0].page) for e in parsed.elements] == [
        ("First page.", 1, 1),
        ("Third page.", 3, 3),
    ]
    assert parsed.metadata["pages"] == "3"


async def test_encrypted_with_an_empty_password_is_read(tmp_path: Path) -> None:
    assert (await parse(tmp_path, encrypted(""))).elements[0].text == "The secret is out."


async def test_bullets_stay_with_their_text(tmp_path: Path) -> None:
    drawn = [*lines(72, 700, "*", "*"), *lines(100, 700, "open the window at noon", "close the window at night")]
    parsed = await parse(tmp_path, pdf([drawn[0], drawn[2], drawn[1], drawn[3]]))
    assert [(e.kind, e.text) for e in parsed.elements] == [
        (ElementKind.LIST, "* open the window at noon"),
        (ElementKind.LIST, "* close the window at night"),
    ]


@pytest.mark.parametrize(
    ("content", "reason", "says"),
    [
        (encrypted("unknown"), ParseFailure.ENCRYPTED, "password"),
        (b"%PDF-1.4\nnothing of a PDF follows", ParseFailure.CORRUPT, "damaged"),
        (pdf(lines(72, 700, "x" * 400))[:180], ParseFailure.CORRUPT, "damaged"),
        (pdf([], []), ParseFailure.EMPTY, "2 pages has a text layer.*OCR"),
        (b"", ParseFailure.CORRUPT, "damaged"),
    ],
    ids=["encrypted", "corrupt", "truncated", "scanned", "no bytes"],
)
async def test_what_cannot_be_read_has_a_reason(
    content: bytes, reason: ParseFailure, says: str, tmp_path: Path
) -> None:
    with pytest.raises(ParseError, match=says) as caught:
        await parse(tmp_path, content)
    assert caught.value.reason is reason
    assert "'file.pdf'" in str(caught.value)
