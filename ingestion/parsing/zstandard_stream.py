"""Opens files compressed by zstandard."""

from __future__ import annotations

from pathlib import Path
from typing import IO, cast

ZSTANDARD_MARK = b"\x28\xb5\x2f\xfd"


def open_zstandard(path: Path) -> IO[bytes]:
    """Return a stream of the uncompressed bytes. Of a damaged file it raises zstandard's own errors."""
    import zstandard

    return cast(IO[bytes], zstandard.open(path, "rb"))
