"""Tells what kind of text a text file holds: by signs that leave no doubt, else by its name, else it is plain text."""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.parsers import expat

from contracts import ParseError, ParseFailure
from ingestion.parsing.media_types import (
    ARCHIVE_TYPES,
    BINARY_TYPES,
    CSV,
    EMAIL,
    HTML,
    IMAGE_TYPES,
    JSON,
    JSONL,
    MBOX,
    PDF,
    SRT,
    TEXT,
    TSV,
    VTT,
    XLS,
    XLSX,
    XML,
)
from ingestion.parsing.parse_errors import unsupported

_BOM_AND_SPACE = "\ufeff \t\r\n"
_HTML_START = re.compile(r"<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE)
_SRT_START = re.compile(r"\d+ *\n\d{1,2}:\d\d:\d\d[,.]\d{1,3} *--> *\d{1,2}:\d\d:\d\d")
_MBOX_START = re.compile(r"From \S+ .*\d\d:\d\d.*\n+>?[A-Za-z][A-Za-z0-9-]*:")
_HEADER = re.compile(r"([A-Za-z][A-Za-z0-9-]*):[ \t]?")
_MAIL_HEADERS = frozenset(
    {"received", "return-path", "mime-version", "message-id", "from", "to", "subject", "date", "reply-to", "cc"}
    | {"delivered-to", "x-mailer"}
)
_SAVED_PAGE = re.compile(r"^(?:From: *<Saved by |Snapshot-Content-Location:)", re.IGNORECASE | re.MULTILINE)  # MHTML
_PDF_PARTS = re.compile(r"\b(?:endobj|endstream|startxref)\b")
_WHOLE_JSON = 1 << 20  # bytes; a longer file is taken for what it begins like


def text_type(path: Path, head: str, called: str, expected: str | None) -> str:
    """Return the media type of the text file at `path` that begins with `head`.

    Raises ParseError: CORRUPT for what is left of a file of another kind, UNSUPPORTED for a page description.
    """
    start = _behind_comments(head)
    if head.startswith("%!PS"):
        raise unsupported(called, "it is PostScript; convert it to PDF")
    certain = _certain_type(path, head.lstrip(_BOM_AND_SPACE), start, expected)
    if certain:
        return certain
    if expected in (XLS, XLSX):  # what programs call Excel files is often a table as text
        first = start.partition("\n")[0]
        return TSV if "\t" in first else CSV if "," in first or ";" in first else TEXT
    leftover = expected in IMAGE_TYPES | ARCHIVE_TYPES or (expected == PDF and _PDF_PARTS.search(head))
    if leftover:
        message = f"{called!r} is damaged: it holds plain text, not what its name says."
        raise ParseError(ParseFailure.CORRUPT, message)
    return TEXT if expected is None or expected in BINARY_TYPES else expected


def _certain_type(path: Path, text: str, start: str, expected: str | None) -> str | None:
    """Return the type that the text shows without doubt; a name that says more is believed."""
    if expected in (EMAIL, MBOX):
        return None
    if _HTML_START.match(start):
        return HTML
    if text.startswith("<?xml") or (expected in (None, TEXT) and start.startswith("<") and _is_xml(path, text)):
        return HTML if expected == HTML else XML
    if expected in (JSON, JSONL) or (expected is None and text.startswith(("{", "["))):
        return _json_type(path, text) or expected
    if text.startswith("WEBVTT"):
        return VTT
    if expected in (None, TEXT):
        if _SRT_START.match(text):
            return SRT
        if _MBOX_START.match(text):
            return MBOX
        if _is_mail(text):
            return HTML if _SAVED_PAGE.search(text[:2000]) else EMAIL
    return None


def _behind_comments(text: str) -> str:
    """Return what follows the XML declaration and the comments on top."""
    while True:
        text = text.lstrip(_BOM_AND_SPACE)
        end = "?>" if text.startswith("<?") else "-->" if text.startswith("<!--") else ""
        if not end:
            return text
        text = text.partition(end)[2]


def _json_type(path: Path, text: str) -> str | None:
    """Return JSON for one value, JSONL for one in each line, None for anything else."""
    lines = [line for line in text.splitlines() if line.strip()]
    whole = path.stat().st_size <= _WHOLE_JSON
    if whole and _is_json(path.read_text(encoding="utf-8-sig", errors="replace")):
        return JSON
    if len(lines) > 1 and all(line.lstrip().startswith(("{", "[")) and _is_json(line) for line in lines[:2]):
        return JSONL
    return None if whole or not text.startswith(('{"', "{\n", "[{", "[\n", '["')) else JSON


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _is_xml(path: Path, text: str) -> bool:
    """Tell whether the text is XML without a fault, as far as it goes."""
    data = text.encode("utf-8", errors="replace")
    parser = expat.ParserCreate("utf-8")
    try:
        parser.Parse(data, path.stat().st_size <= len(data))
    except expat.ExpatError:
        return False
    return True


def _is_mail(text: str) -> bool:
    """Tell whether the text begins with at least three headers that mails have, and headers only."""
    found = set()
    for line in text.splitlines()[:60]:
        if not line.strip():
            break
        header = _HEADER.match(line)
        if header:
            found.add(header[1].lower())
        elif not line.startswith((" ", "\t")):
            return False
    return len(found & _MAIL_HEADERS) >= 3 and bool(found & {"from", "received", "return-path", "message-id"})
