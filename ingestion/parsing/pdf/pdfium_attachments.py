"""Takes the files out that are attached to a PDF."""

from __future__ import annotations

import functools
import io
import tempfile
from pathlib import Path
from typing import Any

from contracts import Member, ParseFailure
from ingestion.parsing.archives.archive_unpacking import Unpacking, clean_name

_MAX_ATTACHMENTS = 1_000
_MAX_BYTES = 256 << 20


def attachments_of(document: Any, scratch: Path | None, size: int) -> tuple[Member, ...]:
    """Write the files attached to the document, which is `size` bytes, below `scratch`; without it, none."""
    import pypdfium2 as pdfium

    if scratch is None or not document.count_attachments():
        return ()
    scratch.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=scratch))  # the caller may have files of its own there
    unpacking = Unpacking(folder, size, max_bytes=_MAX_BYTES, max_member_bytes=_MAX_BYTES)
    for i in range(min(document.count_attachments(), _MAX_ATTACHMENTS)):
        name = f"attachment {i + 1}"
        try:
            attachment = document.get_attachment(i)
            name = clean_name(attachment.get_name()) or name
            data = bytes(attachment.get_data())
        except (pdfium.PdfiumError, UnicodeDecodeError) as exc:
            unpacking.refuse(name, ParseFailure.CORRUPT, f"is damaged: {exc}")
        else:
            unpacking.take(name, functools.partial(io.BytesIO, data))
    return unpacking.members
