"""reStructuredText keeps its structure, also what Sphinx adds to it, and reads no other file."""

from pathlib import Path

import pytest

from contracts import ParseError, ParseFailure
from ingestion.parsing.markup.docutils_rst_parser import DocutilsRstParser


async def blocks(tmp_path: Path, text: str) -> list[tuple[str, int, str]]:
    (tmp_path / "a.rst").write_text(text, encoding="utf-8")
    parsed = await DocutilsRstParser().parse(tmp_path / "a.rst")
    return [(element.kind.value, element.level, element.text) for element in parsed.elements]


async def test_structure(tmp_path: Path) -> None:
    text = """
Title
=====

:Author: Anna

Part
----

Words with ``code`` and `a link <http://x>`_.

- one

  1. inner

::

   x = 1

+-----+-----+
| A   | B   |
+=====+=====+
| both      |
+-----+-----+

Deeper
~~~~~~

term
  meaning

Part 2
------

end
"""
    assert await blocks(tmp_path, text) == [
        ("title", 1, "Title"),
        ("title", 2, "Part"),
        ("text", 1, "Words with code and a link."),
        ("list", 1, "- one"),
        ("list", 1, "  1. inner"),
        ("code", 1, "x = 1"),
        ("table", 1, "| A | B |\n| --- | --- |\n| both | both |"),
        ("title", 3, "Deeper"),
        ("list", 1, "- term"),
        ("list", 1, "  - meaning"),
        ("title", 2, "Part 2"),
        ("text", 1, "end"),
    ]


async def test_what_sphinx_adds_is_read(tmp_path: Path) -> None:
    text = "See :ref:`the guide <guide>` and :class:`Hut`.\n\n.. versionadded:: 2.0\n   With beds.\n\n"
    text += ".. toctree::\n\n   a\n"
    assert [said for _, _, said in await blocks(tmp_path, text)] == ["See the guide and Hut.", "2.0\nWith beds."]


@pytest.mark.parametrize(
    "directive", ["include:: {}", "literalinclude:: {}", "raw:: html\n   :file: {}", "csv-table::\n   :file: {}"]
)
async def test_no_other_file_is_read(directive: str, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("secret,words")
    found = await blocks(tmp_path, f"Text.\n\n.. {directive.format(tmp_path / 'secret.txt')}\n\nMore.\n")
    assert "secret,words" not in str(found)
    assert {said for _, _, said in found} >= {"Text.", "More."}


async def test_only_comments_are_empty(tmp_path: Path) -> None:
    with pytest.raises(ParseError) as caught:
        await blocks(tmp_path, ".. a comment\n")
    assert caught.value.reason is ParseFailure.EMPTY
