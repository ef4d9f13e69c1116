"""Tells what an OLE file is (old Office files, Outlook messages, encrypted new Office files) by its streams."""

from __future__ import annotations

from pathlib import Path

from contracts import ParseError, ParseFailure
from ingestion.parsing.media_types import DOC, DOCX, MSG, OFFICE_TYPES, PPT, PPTX, XLS, XLSX
from ingestion.parsing.parse_errors import unsupported

OLE_MARK = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

_BY_STREAM = {
    "__properties_version1.0": MSG,  # before those that an attachment could bring along
    "worddocument": DOC,
    "powerpoint document": PPT,
    "workbook": XLS,
    "book": XLS,
}
_ENCRYPTED_STREAM = "encryptedpackage"
_NEW = {DOC: DOCX, XLS: XLSX, PPT: PPTX}


def ole_type(path: Path, called: str, expected: str | None) -> str:
    """Return the media type of the OLE file at `path`. What an encrypted file holds only its name can tell.

    Raises ParseError: CORRUPT, UNSUPPORTED.
    """
    import olefile

    try:
        with olefile.OleFileIO(path) as ole:
            streams = {"/".join(parts).lower() for parts in ole.listdir()}
    except (OSError, ValueError, IndexError, TypeError, RecursionError) as exc:
        raise ParseError(ParseFailure.CORRUPT, f"{called!r} is damaged: {exc}. Save it again.") from exc
    if _ENCRYPTED_STREAM in streams:
        return _NEW.get(expected, expected) if expected in OFFICE_TYPES else DOCX
    kind = next((kind for stream, kind in _BY_STREAM.items() if stream in streams), None)
    if kind:
        return kind
    if expected in OFFICE_TYPES or expected == MSG:
        raise ParseError(ParseFailure.CORRUPT, f"{called!r} is damaged: the part with its content is missing.")
    raise unsupported(called, "it is an OLE file of another application than Word, Excel, PowerPoint and Outlook")
