"""Takes the file out of an OLE object, as Office documents hold what was inserted into them."""

from __future__ import annotations

import io
import struct
from pathlib import PureWindowsPath

_WHOLE_DOCUMENTS = ("WordDocument", "Workbook", "Book", "PowerPoint Document")  # the object is itself an Office file


def packaged_file(data: bytes, name: str) -> tuple[str, bytes] | None:
    """Return name and bytes of the file in the OLE object `data` called `name`, None when it holds no file.

    Raises OSError or struct.error for a damaged object.
    """
    import olefile

    with olefile.OleFileIO(io.BytesIO(data)) as ole:
        if ole.exists("\x01Ole10Native"):
            return _native(ole.openstream("\x01Ole10Native").read(), name)
        for stream in ("Package", "CONTENTS"):
            if ole.exists(stream):
                content = ole.openstream(stream).read()
                return (f"{name}.pdf" if content.startswith(b"%PDF-") else name), content
        return (name, data) if any(ole.exists(stream) for stream in _WHOLE_DOCUMENTS) else None


def _native(stream: bytes, name: str) -> tuple[str, bytes] | None:
    """Read what the Object Packager writes: sizes, label and paths, then the file ([MS-OLEDS] 2.3.6)."""
    reader = io.BytesIO(stream[6:])  # total size, type
    label = _text(reader)
    path = _text(reader)
    reader.read(4)  # reserved
    (temporary,) = struct.unpack("<I", reader.read(4))
    reader.read(temporary)
    (size,) = struct.unpack("<I", reader.read(4))
    content = reader.read(size)
    called = PureWindowsPath(label or path).name or name
    return (called, content) if content else None


def _text(reader: io.BytesIO) -> str:
    found = bytearray()
    while (byte := reader.read(1)) not in (b"", b"\0"):
        found += byte
    return found.decode("cp1252", errors="replace")
