"""Opens files compressed by gzip, bzip2, xz, lzma, zstandard or zlib as streams of what is in them."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO, cast

from ingestion.parsing.zstandard_stream import ZSTANDARD_MARK, open_zstandard

_OPENERS: dict[bytes, Callable[[Path], object]] = {
    b"\x1f\x8b\x08": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ\x00": lzma.open,
    b"\x5d\x00\x00": lzma.open,
    ZSTANDARD_MARK: open_zstandard,
}
_ZLIB_MARKS = (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")


def is_compressed(head: bytes) -> bool:
    """Return whether the file that begins with `head` can be opened by `open_compressed`."""
    if head.startswith(tuple(_OPENERS)):
        return True
    try:
        return head.startswith(_ZLIB_MARKS) and bool(zlib.decompressobj().decompress(head, 1 << 10))
    except zlib.error:
        return False


def open_compressed(path: Path) -> IO[bytes]:
    """Return a stream of the uncompressed bytes. Of a damaged file it raises what the library for it raises."""
    with path.open("rb") as file:
        head = file.read(8)
    for mark, opener in _OPENERS.items():
        if head.startswith(mark):
            return cast(IO[bytes], opener(path))
    return cast(IO[bytes], io.BufferedReader(_ZlibStream(path)))


class _ZlibStream(io.RawIOBase):
    """A zlib stream without a container, as some programs write it."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        self._decompressor = zlib.decompressobj()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        while not self._decompressor.eof:
            data = self._decompressor.unconsumed_tail or self._file.read(1 << 16)
            if not data:
                raise EOFError("the compressed data ends too early")
            found = self._decompressor.decompress(data, len(buffer))
            if found:
                buffer[: len(found)] = found
                return len(found)
        return 0

    def close(self) -> None:
        self._file.close()
        super().close()
