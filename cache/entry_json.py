"""Cached answers as JSON: what is read back is data of the expected shape, or an error; never code."""

from __future__ import annotations

from functools import cache

from pydantic import TypeAdapter, ValidationError

from contracts import CachedAnswer


@cache
def _entries() -> TypeAdapter[CachedAnswer]:
    return TypeAdapter(CachedAnswer)


def encode(entry: CachedAnswer) -> bytes:
    """Return the entry as UTF-8 JSON."""
    return _entries().dump_json(entry)


def decode(raw: bytes | str) -> CachedAnswer:
    """Return the entry. Raises ValueError when the bytes are not one."""
    try:
        return _entries().validate_json(raw, strict=True)
    except ValidationError as exc:  # which quotes the entry
        first = exc.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ValueError(f"{exc.error_count()} errors, the first at {where!r}: {first['type']}") from None
