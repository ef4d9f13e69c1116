"""The models that come with the package read what is drawn here, with no network and whichever way up it lies."""

from pathlib import Path

import matplotlib
import pytest
from PIL import Image, ImageDraw, ImageFont

from ingestion.parsing.images.ocr_layout import page_elements
from ingestion.parsing.images.rapidocr_recogniser import RapidOcrRecogniser

SENTENCES = [
    "The warranty lasts twenty-four months from the day of purchase,",
    "and covers $1,234.56 of parts (approx. 10%) per unit sold.",
    "Die Übertragung erfolgt täglich, außer an Feiertagen, über Köln.",
    "L'été dernier, le garçon a reçu des œufs à la crème brûlée.",
    "¿Qué pasó mañana? El niño comió piñas en el jardín.",
]
recogniser = RapidOcrRecogniser()


def drawn(lines: list[str], size: int = 24, width: int = 1_000) -> Image.Image:
    font = ImageFont.truetype(Path(matplotlib.get_data_path()) / "fonts/ttf/DejaVuSans.ttf", size)
    image = Image.new("RGB", (width, 2 * size * (len(lines) + 1)), "white")
    for i, text in enumerate(lines):
        ImageDraw.Draw(image).text((2 * size, size + 2 * size * i), text, font=font, fill="black")
    return image


def test_words_and_accents_are_read_with_the_spaces_between_them() -> None:
    assert [line.text for line in recogniser(drawn(SENTENCES))] == SENTENCES


def test_boxes_hold_the_ink() -> None:
    (line,) = recogniser(drawn(["Opening hours"], size=40, width=800))
    assert line.x0 == pytest.approx(80 / 800, abs=0.02) and line.y0 < 0.45 < line.y1 and line.score > 0.9


@pytest.mark.parametrize(
    ("lies", "turned", "first_line"),
    [
        (Image.Transpose.ROTATE_90, 1, (0.0, 0.0, 0.3, 1.0)),
        (Image.Transpose.ROTATE_180, 2, (0.0, 0.7, 1.0, 1.0)),
        (Image.Transpose.ROTATE_270, 3, (0.7, 0.0, 1.0, 1.0)),
    ],
)
def test_a_page_that_was_scanned_the_wrong_way_up_is_turned(
    lies: Image.Transpose, turned: int, first_line: tuple[float, float, float, float]
) -> None:
    found = recogniser(drawn(SENTENCES).transpose(lies))
    assert [line.text for line in found] == SENTENCES
    assert {line.turned for line in found} == {turned}
    box = page_elements([found])[0].boxes[0]
    x0, y0, x1, y1 = first_line
    assert x0 <= box.x0 < box.x1 <= x1 and y0 <= box.y0 < box.y1 <= y1


@pytest.mark.parametrize("size", [9, 16, 40, 120])
def test_words_of_a_line_stay_together_at_every_size(size: int) -> None:
    found = recogniser(drawn(["Opening hours 9 to 17"], size=size, width=15 * size))
    assert [line.text for line in found] == ["Opening hours 9 to 17"]


def test_a_blank_image_has_no_lines() -> None:
    assert recogniser(Image.new("RGB", (400, 300), "white")) == []


@pytest.mark.parametrize(
    "lines",
    [
        ["Съешь ещё этих мягких французских булок, да выпей чаю.", "Договор вступает в силу."],
        ["ההסכם ייכנס לתוקף ביום", "החתימה עליו"],
    ],
    ids=["cyrillic", "hebrew"],
)
def test_a_script_that_the_models_do_not_know_gives_no_made_up_text(lines: list[str]) -> None:
    assert recogniser(drawn(lines)) == []


def test_small_letters_of_a_long_screenshot_are_read() -> None:
    lines = [f"Entry {i} of the log was written on day {i}" for i in range(60)]
    found = [line.text for line in recogniser(drawn(lines, size=16, width=500))]
    assert len(set(found) & set(lines)) >= 57
