"""Tells images, and what nothing here reads, by the marks that files of a kind begin with."""

from __future__ import annotations

from ingestion.parsing.media_types import BMP, HEIC

_SAME = {"image/x-ms-bmp": BMP, "image/heif": HEIC, "image/heif-sequence": HEIC, "image/heic-sequence": HEIC}


def magic_type(head: bytes) -> str | None:
    """Return the media type of the file that begins with `head`, None when its mark is not known."""
    import filetype

    kind = filetype.guess(head)
    return _SAME.get(kind.mime, kind.mime) if kind else None
