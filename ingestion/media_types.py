"""Decides what kind of file something is: by its content first, by its name second."""

from __future__ import annotations

import zipfile
from pathlib import Path, PurePath

from contracts import ParseError, ParseFailure
from ingestion.text_decoding import decode_text, marked_encoding

PDF = "application/pdf"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
PPTX = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
HTML = "text/html"
MARKDOWN = "text/markdown"
TEXT = "text/plain"
CSV = "text/csv"
EMAIL = "message/rfc822"

BY_EXTENSION = {
    ".pdf": PDF,
    ".docx": DOCX,
    ".pptx": PPTX,
    ".xlsx": XLSX,
    ".html": HTML,
    ".htm": HTML,
    ".md": MARKDOWN,
    ".markdown": MARKDOWN,
    ".txt": TEXT,
    ".csv": CSV,
    ".eml": EMAIL,
}
SUPPORTED = "pdf, docx, pptx, xlsx, html, md, txt, csv and eml"
MAX_UNPACKED_BYTES = 1 << 30  # an Office file that unpacks to more is a bomb, or of no use to a reader
MAX_ENTRIES = 50_000

_HEAD = 1 << 16
_BINARY = frozenset({PDF, DOCX, PPTX, XLSX})
_ZIP_FOLDERS = {"word/": DOCX, "ppt/": PPTX, "xl/": XLSX}
_ZIP_MARKS = (b"PK\x03\x04", b"PK\x05\x06")
_OLE_MARK = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_CONTROL = frozenset(range(32)) - {7, 8, 9, 10, 12, 13, 27}
_EMAIL_HEADERS = ("received:", "return-path:", "mime-version:", "message-id:", "from:", "delivered-to:", "date:")


def detect_media_type(path: Path, name: str | None = None) -> str:
    """Return the media type of the file at `path`, called `name` (default: the path's name).

    Raises ParseError: UNSUPPORTED, and for Office files also ENCRYPTED, CORRUPT or TOO_LARGE. Raises OSError when
    the file cannot be read.
    """
    called = name or path.name
    expected = BY_EXTENSION.get(PurePath(called).suffix.lower())
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if b"%PDF-" in head[:1024]:
        return PDF
    if head.startswith(_ZIP_MARKS):
        return _zip_type(path, called, expected)
    if head.startswith(_OLE_MARK):
        raise _ole_error(path, called)
    if not _is_text(head):
        if expected in _BINARY:
            raise ParseError(ParseFailure.CORRUPT, f"{called!r} is damaged: its content is not what its name says.")
        raise _unsupported(called, "its content is not text")
    return _text_type(decode_text(head, markup=True), called, expected)


def _text_type(head: str, called: str, expected: str | None) -> str:
    start = head.lstrip("\ufeff \t\n").lower()
    if start.startswith(("<!doctype html", "<html")):
        return HTML
    if expected in _BINARY:
        raise ParseError(ParseFailure.CORRUPT, f"{called!r} is damaged: it holds plain text, not what its name says.")
    if start.startswith("{\\rtf"):
        raise _unsupported(called, "it is RTF; save it as docx")
    if expected:
        return expected
    lines = start.splitlines()[:20]
    if sum(line.startswith(_EMAIL_HEADERS) for line in lines) >= 3:
        return EMAIL
    if not PurePath(called).suffix:
        return TEXT
    raise _unsupported(called, f"nothing here reads {PurePath(called).suffix} files")


def _zip_type(path: Path, called: str, expected: str | None) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as exc:
        if expected is None:
            raise _unsupported(called, "it is a damaged zip archive") from exc
        raise ParseError(
            ParseFailure.CORRUPT, f"{called!r} is damaged: {exc}. Save it again in its application."
        ) from exc
    names = [entry.filename.lower() for entry in entries]
    kind = next((kind for folder, kind in _ZIP_FOLDERS.items() if any(n.startswith(folder) for n in names)), None)
    if kind is None:
        if expected in _BINARY:
            raise ParseError(ParseFailure.CORRUPT, f"{called!r} is damaged: it is a zip archive without a document.")
        suffix = PurePath(called).suffix.lower()
        zipped = suffix in ("", ".zip")
        raise _unsupported(
            called, "it is a zip archive; unpack it first" if zipped else f"nothing here reads {suffix} files"
        )
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > MAX_UNPACKED_BYTES or len(entries) > MAX_ENTRIES:
        raise ParseError(
            ParseFailure.TOO_LARGE,
            f"{called!r} unpacks to {unpacked >> 20} MiB in {len(entries)} parts; no document needs that much.",
        )
    return kind


def _ole_error(path: Path, called: str) -> ParseError:
    with path.open("rb") as file:
        encrypted = "EncryptedPackage".encode("utf-16-le") in file.read(1 << 24)
    if encrypted:
        return ParseError(
            ParseFailure.ENCRYPTED, f"{called!r} is protected by a password. Save it without one and try again."
        )
    return _unsupported(called, "it is an old Office format; save it as docx, pptx or xlsx")


def _is_text(head: bytes) -> bool:
    if marked_encoding(head):
        return True
    return not head or sum(byte in _CONTROL for byte in head) / len(head) < 0.002


def _unsupported(called: str, why: str) -> ParseError:
    return ParseError(ParseFailure.UNSUPPORTED, f"{called!r} cannot be read: {why}. Supported are {SUPPORTED}.")
