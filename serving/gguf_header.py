"""The header of a GGUF file, read without its weights: versions 2 and 3 of docs/gguf.md in github.com/ggml-org/ggml."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from contracts import ConfigurationError

_MAGIC = b"GGUF"
_NUMBERS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}
_STRING, _ARRAY = 8, 9
_MOST = 1 << 24  # entries and characters; more than any model has

Value = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class GgufHeader:
    """The metadata, without its lists (None), and the number of weights of each tensor by name."""

    metadata: dict[str, Value]
    tensors: dict[str, int]


def read_gguf_header(file: Path) -> GgufHeader:
    """Return the header of `file`. Raises ConfigurationError when it is no GGUF file, or a part of one."""
    try:
        with file.open("rb") as stream:
            return _read(stream)
    except (OSError, ValueError, KeyError, struct.error) as exc:
        raise ConfigurationError(f"{str(file)!r} is no GGUF file that can be read: {exc}") from exc


def _read(stream: IO[bytes]) -> GgufHeader:
    if stream.read(4) != _MAGIC:
        raise ValueError("it does not begin as one")
    version, tensors, entries = struct.unpack("<IQQ", _bytes(stream, 20))
    if version not in (2, 3):
        raise ValueError(f"its version is {version}")
    if max(tensors, entries) > _MOST:
        raise ValueError("its header is damaged")
    metadata = {_text(stream): _value(stream, _number(stream, 4)) for _ in range(entries)}
    return GgufHeader(metadata, dict(_tensor(stream) for _ in range(tensors)))


def _tensor(stream: IO[bytes]) -> tuple[str, int]:
    name = _text(stream)
    dimensions = _number(stream, 4)
    if dimensions > 8:
        raise ValueError("its header is damaged")
    weights = math.prod(_number(stream, 10) for _ in range(dimensions))
    _bytes(stream, 12)  # type and offset
    return name, weights


def _value(stream: IO[bytes], kind: int) -> Value:
    if kind == _STRING:
        return _text(stream)
    if kind != _ARRAY:
        found = struct.unpack(_NUMBERS[kind], _bytes(stream, struct.calcsize(_NUMBERS[kind])))[0]
        assert isinstance(found, int | float)
        return found
    of, length = _number(stream, 4), _number(stream, 10)
    if of in _NUMBERS:
        stream.seek(struct.calcsize(_NUMBERS[of]) * length, 1)
        return None
    for _ in range(length):
        _value(stream, of)
    return None


def _text(stream: IO[bytes]) -> str:
    length = _number(stream, 10)
    if length > _MOST:
        raise ValueError("its header is damaged")
    return _bytes(stream, length).decode()


def _number(stream: IO[bytes], kind: int) -> int:
    return int(struct.unpack(_NUMBERS[kind], _bytes(stream, struct.calcsize(_NUMBERS[kind])))[0])


def _bytes(stream: IO[bytes], count: int) -> bytes:
    found = stream.read(count)
    if len(found) != count:
        raise ValueError("it ends too early")
    return found
