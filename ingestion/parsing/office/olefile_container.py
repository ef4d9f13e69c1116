"""Looks into OLE compound files, the containers of Office 97 to 2003."""

from __future__ import annotations

import io
from typing import Any

from ingestion.parsing.media_types import DOC, MSG, PPT, XLS

_STREAMS = {
    "WordDocument": DOC,
    "PowerPoint Document": PPT,
    "Workbook": XLS,
    "Book": XLS,
    "__properties_version1.0": MSG,
}
_PROPERTIES = {
    "title": "title",
    "subject": "subject",
    "author": "author",
    "keywords": "keywords",
    "comments": "description",
    "last_saved_by": "modified_by",
    "create_time": "created",
    "last_saved_time": "modified",
}


def ole_type(data: bytes) -> str | None:
    """Return the media type of the compound file, None for one of another kind. Raises OSError when it is damaged."""
    import olefile

    with olefile.OleFileIO(io.BytesIO(data)) as container:
        return next((kind for stream, kind in _STREAMS.items() if container.exists(stream)), None)


def ole_properties(data: bytes) -> dict[str, str]:
    """Return the properties that are set, by name."""
    import olefile

    with olefile.OleFileIO(io.BytesIO(data)) as container:
        stored = container.get_metadata()
        encoding = f"cp{stored.codepage}" if stored.codepage and stored.codepage > 0 else "cp1252"
        if stored.codepage in (-535, 65001):
            encoding = "utf-8"
        shown = {name: _shown(getattr(stored, key), encoding) for key, name in _PROPERTIES.items()}
    return {name: text for name, text in shown.items() if text}


def _shown(value: Any, encoding: str) -> str:
    if isinstance(value, bytes):
        stored = value.partition(b"\0")[0]
        try:
            return stored.decode(encoding).strip()
        except (UnicodeDecodeError, LookupError):
            return stored.decode("latin-1").strip()
    if hasattr(value, "isoformat"):
        return value.isoformat() if value.year > 1601 else ""
    return str(value or "").strip()
