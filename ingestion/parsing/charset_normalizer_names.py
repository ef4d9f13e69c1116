"""Guesses the encoding of file names, which are short: statistics over all names of an archive together."""

from __future__ import annotations


def guessed_encoding(names: bytes) -> str | None:
    """Return the likeliest encoding of the names, joined by newlines; None when there is no likely one."""
    from charset_normalizer import from_bytes

    best = from_bytes(names).best()
    return best.encoding if best else None
