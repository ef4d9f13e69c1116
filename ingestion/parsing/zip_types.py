"""Tells what a zip file is (new Office files, OpenDocument, EPUB, or just an archive) by the parts in it."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path, PurePath

from contracts import ParseError, ParseFailure
from ingestion.parsing.media_types import BINARY_TYPES, DOCX, EPUB, ODP, ODS, ODT, PPTX, XLSX, ZIP
from ingestion.parsing.parse_errors import unsupported

ZIP_MARKS = (b"PK\x03\x04", b"PK\x05\x06", b"PK00PK\x03\x04", b"PK\x07\x08PK\x03\x04")
MAX_UNPACKED_BYTES = 1 << 30  # an Office file that unpacks to more is a bomb, or of no use to a reader
MAX_ENTRIES = 50_000

_CONTENT_TYPES = "[content_types].xml"
_MAIN_PARTS = (
    (re.compile(r"word/document\d*\.xml"), DOCX),
    (re.compile(r"ppt/presentation\d*\.xml"), PPTX),
    (re.compile(r"xl/workbook\d*\.(xml|bin)"), XLSX),
)
_FOLDERS = {"word/": DOCX, "ppt/": PPTX, "xl/": XLSX}
_OPEN_DOCUMENT = "application/vnd.oasis.opendocument."
_MIMETYPES = {
    EPUB: EPUB,
    **{ODT + ending: ODT for ending in ("", "-template", "-master", "-web")},
    **{ODS + ending: ODS for ending in ("", "-template")},
    **{ODP + ending: ODP for ending in ("", "-template")},
}
_UNREAD = {
    "index/document.iwa": "it is a document of Pages, Numbers or Keynote; export it as PDF or as an Office file",
    "index.apxl": "it is a document of Keynote; export it as PDF or as pptx",
    "androidmanifest.xml": "it is a program",
}


def zip_type(path: Path, called: str, expected: str | None) -> str:
    """Return the media type of the zip file at `path`. Raises ParseError: CORRUPT, UNSUPPORTED, TOO_LARGE."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            mimetype = _mimetype(archive)
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OverflowError, EOFError) as exc:
        message = f"{called!r} is damaged: {exc}. Save it again in its application."
        raise ParseError(ParseFailure.CORRUPT, message) from exc
    names = {entry.filename.replace("\\", "/").lower() for entry in entries}
    kind = _MIMETYPES.get(mimetype) or _kind(names)
    if kind is None:
        _refuse_other_documents(called, expected, mimetype, names)
        return ZIP  # its own limits are kept while it is unpacked
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > MAX_UNPACKED_BYTES or len(entries) > MAX_ENTRIES:
        raise ParseError(
            ParseFailure.TOO_LARGE,
            f"{called!r} unpacks to {unpacked >> 20} MiB in {len(entries)} parts; no document needs that much.",
        )
    return kind


def _mimetype(archive: zipfile.ZipFile) -> str:
    try:
        with archive.open("mimetype") as part:
            return part.read(200).decode("ascii", "replace").strip().lower()
    except (KeyError, RuntimeError, NotImplementedError, zipfile.BadZipFile, OSError):
        return ""


def _kind(names: set[str]) -> str | None:
    if "meta-inf/container.xml" in names and any(name.endswith(".opf") for name in names):
        return EPUB
    for pattern, kind in _MAIN_PARTS:
        if any(pattern.fullmatch(name) for name in names):
            return kind
    if _CONTENT_TYPES in names and not names & _UNREAD.keys():
        return next((kind for folder, kind in _FOLDERS.items() if any(name.startswith(folder) for name in names)), None)
    return None


def _refuse_other_documents(called: str, expected: str | None, mimetype: str, names: set[str]) -> None:
    """Raise ParseError for a zip file that is one document, of a kind that nothing here reads."""
    unread = next((why for name, why in _UNREAD.items() if name in names), None)
    if unread:
        raise unsupported(called, unread)
    if expected in BINARY_TYPES and expected != ZIP:
        message = f"{called!r} is damaged: it is a zip archive without a document."
        raise ParseError(ParseFailure.CORRUPT, message)
    if _CONTENT_TYPES in names or mimetype.startswith(_OPEN_DOCUMENT):
        suffix = PurePath(called).suffix.lower() or "such"
        raise unsupported(called, f"nothing here reads {suffix} files; export it as PDF")
