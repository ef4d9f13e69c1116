"""Vectors as they are kept: float32, little endian; one by one with length and checksum, under a hash of their text."""

from __future__ import annotations

import hashlib
import struct
import zlib

import numpy as np
from numpy.typing import NDArray

_HEAD = struct.Struct("<II")  # dimension, CRC-32 of what follows
_FLOAT = np.dtype("<f4")


def raw(vector: NDArray[np.float32]) -> bytes:
    """Return the numbers alone."""
    return vector.astype(_FLOAT, copy=False).tobytes()


def pack(vector: NDArray[np.float32]) -> bytes:
    """Return the vector, shape (dimension,), as bytes that `unpack` can tell from damaged ones."""
    body = raw(vector)
    return _HEAD.pack(vector.size, zlib.crc32(body)) + body


def unpack(packed: bytes) -> NDArray[np.float32]:
    """Return the vector, read-only. Raises ValueError when the bytes are not what `pack` returned."""
    body = packed[_HEAD.size :]
    if len(packed) <= _HEAD.size or _HEAD.unpack_from(packed) != (len(body) // _FLOAT.itemsize, zlib.crc32(body)):
        raise ValueError(f"{len(packed)} bytes that are no vector")
    return np.frombuffer(body, _FLOAT).astype(np.float32, copy=False)


def vector_name(embedder: str, text: str) -> str:
    """Return the name of a text's vector, 64 hexadecimal digits."""
    embedder_digest = hashlib.sha256(embedder.encode()).digest()
    return hashlib.sha256(embedder_digest + text.encode("utf-8", "surrogatepass")).hexdigest()
