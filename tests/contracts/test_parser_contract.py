"""What every parser must do: text or a named reason, under the name it was given, in any thread."""

import asyncio
import io
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import docx
import pytest
from PIL import Image, ImageDraw, ImageFont

from apps.parsing import ParseOptions, build_parser
from contracts import ParsedFile, ParseError, ParseFailure, Parser
from ingestion.parsing.images.pillow_image_parser import PillowImageParser
from ingestion.parsing.images.rapidocr_recogniser import RapidOcrRecogniser
from ingestion.parsing.mail.mime_email_parser import MimeEmailParser
from ingestion.parsing.markup.csv_parser import CsvParser
from ingestion.parsing.markup.json_parser import JsonParser
from ingestion.parsing.markup.lxml_xml_parser import LxmlXmlParser
from ingestion.parsing.markup.markdown_it_parser import MarkdownItParser
from ingestion.parsing.markup.plain_text_parser import PlainTextParser
from ingestion.parsing.markup.subtitles_parser import SubtitlesParser
from ingestion.parsing.markup.trafilatura_html_parser import TrafilaturaHtmlParser
from ingestion.parsing.office.office_parser import OfficeParser
from ingestion.parsing.pdf.pdfium_parser import PdfiumParser
from ingestion.parsing.pebble_sandbox import SandboxedParser

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


def html_bytes(sentence: str) -> bytes:
    return f"<html><body><p>{sentence}</p></body></html>".encode()


def mail_bytes(sentence: str) -> bytes:
    return f"MIME-Version: 1.0\nContent-Type: text/plain\n\n{sentence}\n".encode()


def vtt_bytes(sentence: str) -> bytes:
    return f"WEBVTT\n\n00:00.000 --> 00:04.000\n{sentence}\n".encode()


def png_bytes(sentence: str) -> bytes:
    image = Image.new("RGB", (1_200, 100), "white")
    ImageDraw.Draw(image).text((20, 30), sentence, font=ImageFont.load_default(size=28), fill="black")
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


def images() -> Parser:
    return PillowImageParser(RapidOcrRecogniser())


def everything() -> Parser:
    return build_parser(ParseOptions(max_file_bytes=1 << 20))


def sandboxed() -> Parser:
    return SandboxedParser(everything, workers=1, seconds=60, memory_mb=2048)


@dataclass(frozen=True)
class Case:
    make: Callable[[], Parser]
    extension: str
    content: Callable[[str], bytes]


CASES = {
    "plain-text": Case(PlainTextParser, "txt", str.encode),
    "csv": Case(CsvParser, "csv", str.encode),
    "json": Case(JsonParser, "json", lambda sentence: json.dumps([sentence] if sentence else []).encode()),
    "xml": Case(LxmlXmlParser, "xml", lambda sentence: f"<a>{sentence}</a>".encode()),
    "subtitles": Case(SubtitlesParser, "vtt", vtt_bytes),
    "markdown": Case(MarkdownItParser, "md", str.encode),
    "html": Case(TrafilaturaHtmlParser, "html", html_bytes),
    "mail": Case(MimeEmailParser, "eml", mail_bytes),
    "image": Case(images, "png", png_bytes),
    "pdfium": Case(PdfiumParser, "pdf", pdf_bytes),
    "office-docx": Case(OfficeParser, "docx", docx_bytes),
    "router-txt": Case(everything, "txt", str.encode),
    "router-csv": Case(everything, "csv", str.encode),
    "router-docx": Case(everything, "docx", docx_bytes),
    "router-pdf": Case(everything, "pdf", pdf_bytes),
    "sandboxed-txt": Case(sandboxed, "txt", str.encode),
    "sandboxed-pdf": Case(sandboxed, "pdf", pdf_bytes),
}


@pytest.fixture(params=CASES.values(), ids=CASES.keys())
def case(request: pytest.FixtureRequest) -> Case:
    found: Case = request.param
    return found


@pytest.fixture
async def parser(case: Case) -> AsyncIterator[Parser]:
    made = case.make()
    yield made
    if isinstance(made, SandboxedParser):
        await made.close()


def write(case: Case, path: Path, sentence: str = SENTENCE) -> Path:
    path.write_bytes(case.content(sentence))
    return path


def said(parsed: ParsedFile) -> str:
    return " ".join(element.text for element in parsed.elements)


async def test_the_text_is_found(case: Case, parser: Parser, tmp_path: Path) -> None:
    parsed = await parser.parse(write(case, tmp_path / f"warranty.{case.extension}"))
    assert SENTENCE in said(parsed)
    assert "/" in parsed.media_type


async def test_the_name_given_counts_and_not_the_path(case: Case, parser: Parser, tmp_path: Path) -> None:
    path = write(case, tmp_path / "5f2a9c")  # as stored under a hash
    parsed = await parser.parse(path, f"terms of sale.{case.extension}")
    assert parsed.title == "terms of sale"
    assert SENTENCE in said(parsed)


async def test_pages_and_boxes_are_in_range(case: Case, parser: Parser, tmp_path: Path) -> None:
    parsed = await parser.parse(write(case, tmp_path / f"warranty.{case.extension}"))
    for element in parsed.elements:
        assert element.text.strip()
        assert element.page is None or element.page >= 1
        for box in element.boxes:
            assert box.page == element.page
            assert 0 <= box.x0 < box.x1 <= 1
            assert 0 <= box.y0 < box.y1 <= 1


async def test_a_document_without_text_is_an_error(case: Case, parser: Parser, tmp_path: Path) -> None:
    path = write(case, tmp_path / f"blank.{case.extension}", "")
    with pytest.raises(ParseError, match=r"blank\.") as caught:
        await parser.parse(path)
    assert caught.value.reason is ParseFailure.EMPTY


async def test_a_file_that_is_not_there_is_unreadable(case: Case, parser: Parser, tmp_path: Path) -> None:
    with pytest.raises(ParseError, match="gone") as caught:
        await parser.parse(tmp_path / f"gone.{case.extension}")
    assert caught.value.reason is ParseFailure.UNREADABLE


async def test_many_at_once_read_the_same(case: Case, parser: Parser, tmp_path: Path) -> None:
    path = write(case, tmp_path / f"warranty.{case.extension}")
    first, *others = await asyncio.gather(*(parser.parse(path) for _ in range(8)))
    assert all(other == first for other in others)
