"""What people write by hand for pandoc."""

from pathlib import Path

import pytest

from contracts import ElementKind, ParseError
from ingestion.parsing.markup.unstructured_parser import UnstructuredParser
from ingestion.parsing.media_types import LATEX, MEDIAWIKI, ORG, TEXTILE

TEXTS = {
    ORG: "#+TITLE: Hut notes\n* Opening\nThe hut opens in May.\n- one\n| bed | 30 |\n| tent | 10 |\n",
    LATEX: r"""\documentclass{article}\title{Hut notes}\begin{document}\maketitle
\section{Opening}The hut opens in May.
\begin{itemize}\item one\end{itemize}
\begin{tabular}{lr}bed & 30 \\ tent & 10\end{tabular}
\end{document}""",
    MEDIAWIKI: "= Opening =\nThe hut opens in May.\n* one\n{|\n| bed || 30\n|-\n| tent || 10\n|}\n",
    TEXTILE: "h1. Opening\n\nThe hut opens in May.\n\n* one\n\n|bed|30|\n|tent|10|\n",
}


@pytest.mark.parametrize("media_type", TEXTS)
async def test_headings_paragraphs_items_and_tables_are_told_apart(media_type: str, tmp_path: Path) -> None:
    path = tmp_path / "notes"
    path.write_text(TEXTS[media_type])
    parsed = await UnstructuredParser(media_type).parse(path, "notes.x")
    kinds = {element.kind: element.text for element in parsed.elements}
    assert parsed.title == ("Hut notes" if media_type in (ORG, LATEX) else "Opening")
    assert kinds[ElementKind.TITLE] == "Opening"
    assert kinds[ElementKind.TEXT] == "The hut opens in May."
    assert kinds[ElementKind.LIST] == "- one"
    assert "| bed | 30 |" in kinds[ElementKind.TABLE] and "| tent | 10 |" in kinds[ElementKind.TABLE]


async def test_nothing_else_is_read(tmp_path: Path) -> None:
    (tmp_path / "secret.tex").write_text("The secret.")
    path = tmp_path / "notes.tex"
    path.write_text(rf"The hut opens in May. \input{{{tmp_path}/secret.tex}} \include{{secret}}")
    parsed = await UnstructuredParser(LATEX).parse(path)
    assert "secret" not in " ".join(element.text for element in parsed.elements).lower().replace("secret.tex", "")


async def test_what_holds_nothing_is_empty(tmp_path: Path) -> None:
    path = tmp_path / "notes.org"
    path.write_text("#+TITLE: Nothing\n# only a comment\n")
    with pytest.raises(ParseError, match=r"notes\.org") as failure:
        await UnstructuredParser(ORG).parse(path)
    assert failure.value.reason == "empty"
