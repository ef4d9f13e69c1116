"""Reads Office files of every age, OpenDocument, RTF and EPUB: each kind by the library that reads it best."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from contracts import Element, ElementKind, ParsedFile, ParseError, ParseFailure
from ingestion.parsing import media_types as kinds
from ingestion.parsing.markup.pypandoc_html import to_html
from ingestion.parsing.markup.unstructured_html import elements_of_html
from ingestion.parsing.office.calamine_sheets import read_with_calamine
from ingestion.parsing.office.docling_office_reader import read_with_docling
from ingestion.parsing.office.epub_spine import without_navigation
from ingestion.parsing.office.msoffcrypto_decryption import decrypted
from ingestion.parsing.office.office_properties import package_properties
from ingestion.parsing.office.olefile_container import ole_properties, ole_type
from ingestion.parsing.office.olefile_doc import read_doc
from ingestion.parsing.office.olefile_ppt import read_ppt
from ingestion.parsing.office.ooxml_completion import completed
from ingestion.parsing.office.ooxml_package import (
    is_binary_workbook,
    is_encrypted,
    package_type,
    plain_package,
    unpacked_size,
)
from ingestion.parsing.office.ooxml_paragraphs import package_paragraphs
from ingestion.parsing.office.rtf_characters import rtf_properties, unicode_rtf
from ingestion.parsing.office.xlrd_sheets import read_with_xlrd
from ingestion.parsing.parse_errors import empty, reading

_SHEETS = frozenset({kinds.XLSX, kinds.XLS, kinds.ODS})
_LARGE_SHEETS = 2 << 20  # bytes of cells when unpacked: some 50,000 of them, two seconds of Docling
_ZIP = b"PK\x03\x04"
_NO_TITLE = re.compile(  # what programs fill in
    r"(?i)microsoft (word|powerpoint|excel) - |(powerpoint[- ]pr\w+|untitled|.*\.(docx?|pptx?|rtf|odt))\Z"
)
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_BIFF = (b"\x09\x00", b"\x09\x02", b"\x09\x04", b"\x09\x08")  # Excel 2 to 5 before there were containers


@dataclass(frozen=True, slots=True)
class _Content:
    media_type: str
    elements: tuple[Element, ...]
    metadata: Mapping[str, str] = field(default_factory=dict)


class OfficeParser:
    """Reads docx, doc, pptx, ppt, xlsx, xls, odt, ods, odp, rtf and epub files, their templates and those with macros.

    `passwords` are tried in order on files that are protected.
    """

    def __init__(self, passwords: Sequence[str] = ()) -> None:
        self._passwords = tuple(passwords)

    async def parse(self, path: Path, name: str | None = None, *, scratch: Path | None = None) -> ParsedFile:
        """Return the text of the file. Pages are slides and sheets.

        Raises ParseError: UNSUPPORTED, ENCRYPTED, CORRUPT, EMPTY, TOO_LARGE, UNREADABLE, INTERNAL.
        """
        return await asyncio.to_thread(self._read, path, name or path.name)

    def _read(self, path: Path, called: str) -> ParsedFile:
        with reading(called):
            try:
                content = self._content(path.read_bytes(), called)
            except (AttributeError, TypeError, AssertionError) as exc:
                # How the libraries stumble over a part that is missing, or other than the format demands.
                raise ValueError(f"{type(exc).__name__}: {exc}") from exc
            if not any(element.kind is not ElementKind.TITLE for element in content.elements) and (
                content.media_type in _SHEETS or not content.elements
            ):
                raise empty(called)
        return ParsedFile(
            title=_title(content) or PurePath(called).stem,
            media_type=content.media_type,
            elements=content.elements,
            metadata=content.metadata,
        )

    def _content(self, data: bytes, called: str) -> _Content:
        if data.startswith((_OLE, *_BIFF)):
            data = decrypted(data, called, self._passwords)
        if data.startswith(_ZIP):
            return _package(data, called)
        if data.startswith(_OLE):
            return _compound_file(data, called)
        if data.startswith(_BIFF):
            return _Content(kinds.XLS, read_with_xlrd(data))
        if data[:64].lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"{\\rtf"):
            return _Content(kinds.RTF, elements_of_html(to_html(unicode_rtf(data), "rtf")), rtf_properties(data))
        raise ParseError(ParseFailure.CORRUPT, f"{called!r} is damaged: its content is not what its name says.")


def _package(data: bytes, called: str) -> _Content:
    kind = package_type(data, called)
    if is_encrypted(data, kind):
        message = f"{called!r} is protected by a password. Save it without one and try again."
        raise ParseError(ParseFailure.ENCRYPTED, message)
    cells = unpacked_size(data, "xl/worksheets/" if kind == kinds.XLSX else "content.xml")
    if kind in (kinds.XLSX, kinds.ODS) and (cells > _LARGE_SHEETS or is_binary_workbook(data)):
        return _Content(kind, read_with_calamine(data), package_properties(data))
    plain = without_navigation(data) if kind == kinds.EPUB else plain_package(data)
    elements = read_with_docling(plain, kind)
    if kind in (kinds.DOCX, kinds.PPTX, kinds.XLSX):
        elements = completed(elements, package_paragraphs(plain, kind))
    return _Content(kind, elements, package_properties(data))


def _compound_file(data: bytes, called: str) -> _Content:
    kind = ole_type(data)
    readers = {kinds.DOC: read_doc, kinds.PPT: read_ppt, kinds.XLS: read_with_xlrd}
    if kind not in readers:
        message = f"{called!r} is damaged: it holds no document, workbook or presentation."
        raise ParseError(ParseFailure.CORRUPT, message)
    return _Content(kind, readers[kind](data), ole_properties(data))


def _title(content: _Content) -> str:
    """Return what the document is called. A workbook's headings are the names of its sheets: its own name says more;
    a book's first heading is that of a chapter."""
    if content.media_type in _SHEETS:
        return ""
    titles = [element for element in content.elements if element.kind is ElementKind.TITLE and not element.hidden]
    outermost = next((element.text for element in titles if element.level == 1), "")
    named = content.metadata.get("title", "")
    named = "" if _NO_TITLE.match(named) else named
    first, second = (named, outermost) if content.media_type == kinds.EPUB else (outermost, named)
    return first or second or (titles[0].text if titles else "")
