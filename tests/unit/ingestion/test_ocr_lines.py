"""Lines of OCR come out in the order of reading, as paragraphs and headings, and with boxes where they are seen."""

import numpy as np
import pytest
from PIL import Image

from contracts import Box, ElementKind
from ingestion.parsing.images.ocr_bands import bands
from ingestion.parsing.images.ocr_layout import page_elements
from ingestion.parsing.images.ocr_lines import OcrLine, shown, with_even_heights
from ingestion.parsing.images.ocr_reading_order import in_reading_order

PROSE = "words of a column of prose"


def line(text: str, x0: float, y0: float, x1: float, height: float = 0.014, turned: int = 0) -> OcrLine:
    return OcrLine(text, x0, y0, x1, y0 + height, turned=turned)


def column(name: str, x0: float, x1: float, top: float = 0.2, rows: int = 6) -> list[OcrLine]:
    return [line(f"{name}{i} {PROSE}", x0, top + 0.02 * i, x1) for i in range(rows)]


def names(lines: list[OcrLine]) -> list[str]:
    return [each.text.split()[0] for each in lines]


@pytest.mark.parametrize("columns", [2, 3])
def test_columns_of_prose_are_read_one_after_another_below_their_heading(columns: int) -> None:
    width = 0.9 / columns
    parts = [column("abc"[i], 0.05 + i * width, 0.03 + (i + 1) * width) for i in range(columns)]
    heading = line("heading over all the columns", 0.05, 0.1, 0.95)
    mixed = sorted((heading, *(each for part in parts for each in part)), key=lambda each: (each.y0, each.x0))
    assert names(in_reading_order(mixed)) == [
        "heading",
        *(f"{'abc'[i]}{row}" for i in range(columns) for row in range(6)),
    ]


def test_a_line_across_parts_columns_into_bands() -> None:
    above = [*column("a", 0.05, 0.45), *column("b", 0.5, 0.95)]
    below = [*column("c", 0.05, 0.45, top=0.5), *column("d", 0.5, 0.95, top=0.5)]
    read = names(in_reading_order([*above, line("across the whole page", 0.05, 0.4, 0.95), *below]))
    assert "".join(name[0] for name in read) == "a" * 6 + "b" * 6 + "a" + "c" * 6 + "d" * 6


def test_a_table_is_read_row_by_row_even_when_the_scan_is_a_little_askew() -> None:
    cells = [
        line(f"{c}{r}", x, 0.2 + 0.02 * r + tilt, x + 0.1)
        for r in range(5)
        for c, x, tilt in (("a", 0.1, 0.0), ("b", 0.4, 0.002), ("c", 0.7, 0.004))
    ]
    assert names(in_reading_order(cells[::-1])) == [f"{c}{r}" for r in range(5) for c in "abc"]


def test_columns_of_chinese_need_no_spaces_to_be_prose() -> None:
    left = [line(f"左{i}这是一个关于合同条款的长句子", 0.05, 0.2 + 0.02 * i, 0.45) for i in range(4)]
    right = [line(f"右{i}这是一个关于合同条款的长句子", 0.5, 0.2 + 0.02 * i, 0.95) for i in range(4)]
    read = in_reading_order([each for pair in zip(left, right, strict=True) for each in pair])
    assert "".join(each.text[0] for each in read) == "左左左左右右右右"


def test_lines_of_one_size_get_one_height_and_headings_keep_theirs() -> None:
    lines = [
        line("no descenders here", 0.1, 0.1, 0.9, 0.010),
        line("a typography page", 0.1, 0.2, 0.9, 0.0115),
        line("some more of the same", 0.1, 0.3, 0.9, 0.0105),
        line("Heading", 0.1, 0.4, 0.5, 0.025),
    ]
    heights = [round(each.y1 - each.y0, 4) for each in with_even_heights(lines)]
    assert heights == [0.0105, 0.0105, 0.0105, 0.025]


def test_paragraphs_join_their_lines_and_larger_letters_are_a_title() -> None:
    heading = line("Terms of delivery", 0.1, 0.1, 0.5, height=0.03)
    first, second = column("a", 0.1, 0.9, top=0.2, rows=4), column("b", 0.1, 0.9, top=0.4, rows=4)
    elements = page_elements([[heading, *first, *second]])
    assert [element.kind for element in elements] == [ElementKind.TITLE, ElementKind.TEXT, ElementKind.TEXT]
    assert elements[1].text == " ".join(each.text for each in first)
    assert len(elements[1].boxes) == 4 and elements[1].boxes[3].y1 == pytest.approx(first[3].y1)


def test_a_clipping_with_large_lines_is_a_paragraph_too() -> None:
    lines = [line(f"row {i} of a clipping with {PROSE}", 0.05, 0.05 + 0.15 * i, 0.95, 0.1) for i in range(5)]
    (element,) = page_elements([lines])
    assert element.text.startswith("row 0") and element.text.count("row") == 5
    assert [box.y0 for box in element.boxes] == pytest.approx([each.y0 for each in lines])


def test_a_few_words_are_one_picture_and_blank_pages_are_skipped() -> None:
    elements = page_elements([[], [line("Exit", 0.4, 0.4, 0.6, 0.1), line("Emergency only", 0.3, 0.6, 0.7, 0.1)]])
    assert [(element.text, element.kind, element.page) for element in elements] == [
        ("Exit\nEmergency only", ElementKind.IMAGE, 2)
    ]


@pytest.mark.parametrize("turned", [0, 1, 2, 3])
def test_a_box_is_shown_where_the_text_is_in_the_image_as_it_lies(turned: int) -> None:
    image = Image.new("L", (100, 60))
    image.paste(255, (10, 5, 40, 15))
    upright = np.rot90(np.asarray(image), -turned)
    rows, columns = np.nonzero(upright)
    height, width = upright.shape
    found = Box(1, columns.min() / width, rows.min() / height, (columns.max() + 1) / width, (rows.max() + 1) / height)
    box = shown(found, turned)
    assert (box.x0, box.y0, box.x1, box.y1) == pytest.approx((0.1, 5 / 60, 0.4, 0.25))


def test_a_long_image_is_cut_between_its_lines_of_text_and_nothing_is_lost() -> None:
    pixels = np.full((9_000, 800, 3), 255, np.uint8)
    pixels[(np.arange(9_000) % 30) < 20] = 0  # lines of text, 20 high, 10 apart
    pixels[:, ::2] = 255
    parts = list(bands(pixels))
    assert len(parts) > 6 and max(len(part) for _, part in parts) <= 1_120
    assert np.array_equal(np.concatenate([part for _, part in parts]), pixels)
    assert all(top % 30 >= 20 or top % 30 == 0 for top, _ in parts)


def test_a_page_is_not_cut() -> None:
    pixels = np.zeros((3_508, 2_480, 3), np.uint8)
    assert [(top, part.shape) for top, part in bands(pixels)] == [(0, pixels.shape)]
