"""What every parser must do: text or a named reason, under the name it was given, in any thread."""

import asyncio
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import docx
import pytest

from contracts import ParsedFile, ParseError, ParseFailure, Parser
from ingestion.csv_parser import CsvParser
from ingestion.media_types import CSV, PDF
from ingestion.parser_router import ParserRouter
from ingestion.pdfium_parser import PdfiumParser
from ingestion.plain_text_parser import PlainTextParser
from ingestion.unstructured_parser import UnstructuredParser

SENTENCE = "The warranty lasts twenty-four months from the day of purchase."


def pdf_bytes(sentence: str) -> bytes:
    """The smallest PDF that pdfium reads: it finds the objects without a cross-reference table."""
    stream = f"BT /F1 12 Tf 72 700 Td ({sentence}) Tj ET" if sentence else ""
    return (
        "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
        "3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R"
        "/Resources<</Font<</F1 5 0 R>>>>>>endobj\n"
        f"4 0 obj<</Length {len(stream)}>>stream\n{stream}\nendstream endobj\n"
        "5 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj\ntrailer<</Root 1 0 R>>\n"
    ).encode()


def docx_bytes(sentence: str) -> bytes:
    document = docx.Document()
    document.add_paragraph(sentence)
    stream = io.BytesIO()
    document.save(stream)
    return stream.getvalue()


def router() -> Parser:
    return ParserRouter({PDF: PdfiumParser(), CSV: CsvParser()}, UnstructuredParser(), max_bytes=1 << 20)


@dataclass(frozen=True)
class Case:
    make: Callable[[], Parser]
    extension: str
    content: Callable[[str], bytes]


CASES = {
    "plain-text": Case(PlainTextParser, "txt", str.encode),
    "csv": Case(CsvParser, "csv", str.encode),
    "pdfium": Case(PdfiumParser, "pdf", pdf_bytes),
    "unstructured-txt": Case(UnstructuredParser, "txt", str.encode),
    "unstructured-docx": Case(UnstructuredParser, "docx", docx_bytes),
    "router-txt": Case(router, "txt", str.encode),
    "router-csv": Case(router, "csv", str.encode),
    "router-docx": Case(router, "docx", docx_bytes),
    "router-pdf": Case(router, "pdf", pdf_bytes),
}


@pytest.fixture(params=CASES.values(), ids=CASES.keys())
def case(request: pytest.FixtureRequest) -> Case:
    found: Case = request.param
    return found


def write(case: Case, path: Path, sentence: str = SENTENCE) -> Path:
    path.write_bytes(case.content(sentence))
    return path


def said(parsed: ParsedFile) -> str:
    return " ".join(element.text for element in parsed.elements)


async def test_the_text_is_found(case: Case, tmp_path: Path) -> None:
    parsed = await case.make().parse(write(case, tmp_path / f"warranty.{case.extension}"))
    assert SENTENCE in said(parsed)
    assert "/" in parsed.media_type


async def test_the_name_given_counts_and_not_the_path(case: Case, tmp_path: Path) -> None:
    path = write(case, tmp_path / "5f2a9c")  # as stored under a hash
    parsed = await case.make().parse(path, f"terms of sale.{case.extension}")
    assert parsed.title == "terms of sale"
    assert SENTENCE in said(parsed)


async def test_pages_and_boxes_are_in_range(case: Case, tmp_path: Path) -> None:
    parsed = await case.make().parse(write(case, tmp_path / f"warranty.{case.extension}"))
    for element in parsed.elements:
        assert element.text.strip()
        assert element.page is None or element.page >= 1
        for box in element.boxes:
            assert box.page == element.page
            assert 0 <= box.x0 < box.x1 <= 1
            assert 0 <= box.y0 < box.y1 <= 1


async def test_a_document_without_text_is_an_error(case: Case, tmp_path: Path) -> None:
    path = write(case, tmp_path / f"blank.{case.extension}", "")
    with pytest.raises(ParseError, match=r"blank\.") as caught:
        await case.make().parse(path)
    assert caught.value.reason is ParseFailure.EMPTY


async def test_a_file_that_is_not_there_is_unreadable(case: Case, tmp_path: Path) -> None:
    with pytest.raises(ParseError, match="gone") as caught:
        await case.make().parse(tmp_path / f"gone.{case.extension}")
    assert caught.value.reason is ParseFailure.UNREADABLE


async def test_many_at_once_read_the_same(case: Case, tmp_path: Path) -> None:
    path = write(case, tmp_path / f"warranty.{case.extension}")
    parser = case.make()
    first, *others = await asyncio.gather(*(parser.parse(path) for _ in range(8)))
    assert all(other == first for other in others)
