"""Plain text: paragraphs, items, and what looks like a heading."""

from pathlib import Path

import pytest

from contracts import ElementKind
from ingestion.parsing.markup.plain_text_parser import PlainTextParser, text_elements


def titles(text: str) -> list[tuple[str, int]]:
    return [(element.text, element.level) for element in text_elements(text) if element.kind is ElementKind.TITLE]


async def test_prose_is_told_from_headings_and_items(tmp_path: Path) -> None:
    text = "WARRANTY TERMS\n\nThe cat sat on the mat.\n\nReturns And Refunds\n\nDear all,\n\n"
    text += "- first\n- second\n  goes on\n"
    (tmp_path / "a.txt").write_text(text)
    parsed = await PlainTextParser().parse(tmp_path / "a.txt")
    assert parsed.title == "WARRANTY TERMS"
    assert [(element.kind.value, element.text) for element in parsed.elements] == [
        ("title", "WARRANTY TERMS"),
        ("text", "The cat sat on the mat."),
        ("title", "Returns And Refunds"),
        ("text", "Dear all,"),
        ("list", "- first"),
        ("list", "- second\n  goes on"),
    ]


def test_headings_have_levels() -> None:
    text = (
        "House Rules\n\n1 Scope\n\ntext here.\n\n1.2 Of the House\n\ntext here.\n\nnoise at night\n=====\n\nend of it."
    )
    assert titles(text) == [("House Rules", 1), ("1 Scope", 2), ("1.2 Of the House", 3), ("noise at night", 2)]


@pytest.mark.parametrize("line", ["John went home", "The End.", "x" * 200, "12", "=====", "Price:"])
def test_what_is_no_heading(line: str) -> None:
    assert titles(f"{line}\n\nMore text follows here.") == []


def test_a_last_line_heads_nothing() -> None:
    assert titles("Yours sincerely,\n\nJohn Smith") == []


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
async def test_other_encodings(encoding: str, tmp_path: Path) -> None:
    sentence = "Die Gebühr für größere Mengen beträgt zwölf Euro."
    (tmp_path / "a.txt").write_bytes(sentence.encode(encoding))
    assert (await PlainTextParser().parse(tmp_path / "a.txt")).elements[0].text == sentence
