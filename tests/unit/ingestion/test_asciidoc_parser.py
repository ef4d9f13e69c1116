"""AsciiDoc keeps headings, lists, tables and code; marks go, words stay."""

from pathlib import Path

import pytest

from contracts import ParsedFile, ParseError, ParseFailure
from ingestion.parsing.markup.asciidoc_parser import AsciidocParser


async def parse(tmp_path: Path, text: str) -> ParsedFile:
    (tmp_path / "a.adoc").write_text(text, encoding="utf-8")
    return await AsciidocParser().parse(tmp_path / "a.adoc")


async def blocks(tmp_path: Path, text: str) -> list[tuple[str, str]]:
    return [(element.kind.value, element.text) for element in (await parse(tmp_path, text)).elements]


async def test_headings_author_and_attributes(tmp_path: Path) -> None:
    text = "= Manual\nAnna Berg <a@b.org>\nv1.2, 2024-05-01\n:product: Hut\n\n== Use of {product}\n\nOne +\ntwo.\n"
    parsed = await parse(tmp_path, text)
    assert parsed.title == "Manual"
    assert parsed.metadata == {"author": "Anna Berg", "revision": "v1.2, 2024-05-01"}
    assert [(e.text, e.level) for e in parsed.elements] == [("Manual", 1), ("Use of Hut", 2), ("One + two.", 1)]


async def test_lists(tmp_path: Path) -> None:
    text = "* one\n** inner\ngoes on\n. first\n. second\n* two\n\nTerm:: Meaning\n"
    assert await blocks(tmp_path, text) == [
        ("list", "- one"),
        ("list", "  - inner goes on"),
        ("list", "    1. first"),
        ("list", "    2. second"),
        ("list", "- two"),
        ("list", "- Term"),
        ("list", "  - Meaning"),
    ]


async def test_tables_code_and_blocks(tmp_path: Path) -> None:
    text = """.Prices
[cols="1,1"]
|===
|Item |Price

|Lamp
|10 \\| 12
|===

[source,python]
----
x = 1

y = 2
----

NOTE: Mind the *gap* and `x_y_z`, see https://x.org[the page].

====
Inside.
====

////
not shown
////

include::secret.txt[]

image::a.png[A diagram]
"""
    assert await blocks(tmp_path, text) == [
        ("text", "Prices"),
        ("table", "| Item | Price |\n| --- | --- |\n| Lamp | 10 \\| 12 |"),
        ("code", "x = 1\n\ny = 2"),
        ("text", "NOTE: Mind the gap and x_y_z, see the page."),
        ("text", "Inside."),
        ("image", "A diagram"),
    ]


async def test_nothing_but_comments_is_empty(tmp_path: Path) -> None:
    with pytest.raises(ParseError) as caught:
        await parse(tmp_path, "// a comment\n")
    assert caught.value.reason is ParseFailure.EMPTY
