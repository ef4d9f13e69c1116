"""Which parser reads which kind of file: wired in a module of its own, since the worker processes import it."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from apps.settings import IngestionSettings
from contracts import Parser

if TYPE_CHECKING:
    from ingestion.parsing.pebble_sandbox import SandboxedParser

PARSING_EDITION = "parsing-2"  # part of every recipe: a new one has every file read again at the next sync


@dataclass(frozen=True, slots=True)
class ParseOptions:
    """What parsers need to know of the settings; sizes are in bytes."""

    passwords: tuple[str, ...] = field(default=(), repr=False)
    max_file_bytes: int = 100 << 20
    max_unpacked_bytes: int = 2 << 30
    max_members: int = 20_000


def build_parser(options: ParseOptions) -> Parser:
    """Return the parser of every kind of file. Worker processes call it; libraries are loaded at their first use."""
    from ingestion.parsing import media_types as kinds
    from ingestion.parsing.archives.archive_parser import ArchiveParser
    from ingestion.parsing.archives.embedded_files_parser import EmbeddedFilesParser
    from ingestion.parsing.images.pillow_image_parser import PillowImageParser
    from ingestion.parsing.images.rapidocr_recogniser import RapidOcrRecogniser
    from ingestion.parsing.mail.mailbox_mbox_parser import MailboxMboxParser
    from ingestion.parsing.mail.mime_email_parser import MimeEmailParser
    from ingestion.parsing.mail.oxmsg_parser import OxmsgParser
    from ingestion.parsing.markup.asciidoc_parser import AsciidocParser
    from ingestion.parsing.markup.csv_parser import CsvParser
    from ingestion.parsing.markup.docutils_rst_parser import DocutilsRstParser
    from ingestion.parsing.markup.json_parser import JsonParser
    from ingestion.parsing.markup.lxml_xml_parser import LxmlXmlParser
    from ingestion.parsing.markup.markdown_it_parser import MarkdownItParser
    from ingestion.parsing.markup.plain_text_parser import PlainTextParser
    from ingestion.parsing.markup.subtitles_parser import SubtitlesParser
    from ingestion.parsing.markup.trafilatura_html_parser import TrafilaturaHtmlParser
    from ingestion.parsing.markup.unstructured_parser import MARKUPS, UnstructuredParser
    from ingestion.parsing.office.office_parser import OfficeParser
    from ingestion.parsing.parser_router import ParserRouter
    from ingestion.parsing.pdf.pdfium_parser import PdfiumParser

    ocr = RapidOcrRecogniser()
    archives = ArchiveParser(
        options.passwords,
        max_members=options.max_members,
        max_bytes=options.max_unpacked_bytes,
        max_member_bytes=options.max_file_bytes,
    )
    parsers: dict[str, Parser] = {
        kinds.PDF: PdfiumParser(ocr, passwords=options.passwords),
        kinds.HTML: TrafilaturaHtmlParser(),
        kinds.MARKDOWN: MarkdownItParser(),
        kinds.RST: DocutilsRstParser(),
        kinds.ASCIIDOC: AsciidocParser(),
        **{kind: UnstructuredParser(kind) for kind in MARKUPS},
        kinds.TEXT: PlainTextParser(),
        **{kind: CsvParser(kind) for kind in (kinds.CSV, kinds.TSV)},
        **{kind: JsonParser(kind) for kind in (kinds.JSON, kinds.JSONL)},
        kinds.XML: LxmlXmlParser(),
        **{kind: SubtitlesParser(kind) for kind in (kinds.VTT, kinds.SRT)},
        kinds.EMAIL: MimeEmailParser(),
        kinds.MSG: OxmsgParser(),
        kinds.MBOX: MailboxMboxParser(),
        **dict.fromkeys(kinds.OFFICE_TYPES | {kinds.EPUB}, EmbeddedFilesParser(OfficeParser(options.passwords))),
        **dict.fromkeys(kinds.IMAGE_TYPES, PillowImageParser(ocr)),
        **dict.fromkeys(kinds.ARCHIVE_TYPES, archives),
    }
    return ParserRouter(parsers, max_bytes=options.max_file_bytes)


def open_parser(ingestion: IngestionSettings) -> SandboxedParser:
    """Return the parser of every kind of file, run in worker processes that start at the first file."""
    from ingestion.parsing.pebble_sandbox import SandboxedParser
    from ingestion.parsing.psutil_memory_limit import workers_within

    options = ParseOptions(
        passwords=tuple(password.get_secret_value() for password in ingestion.passwords),
        max_file_bytes=ingestion.max_file_mb << 20,
        max_unpacked_bytes=ingestion.max_unpacked_mb << 20,
        max_members=ingestion.max_members,
    )
    return SandboxedParser(
        functools.partial(build_parser, options),
        workers=ingestion.parse_workers or workers_within(ingestion.parse_memory_mb),
        seconds=ingestion.parse_seconds,
        memory_mb=ingestion.parse_memory_mb,
    )
