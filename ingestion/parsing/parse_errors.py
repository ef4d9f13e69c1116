"""Turns whatever a parsing library raises into a ParseError that names the file and the reason."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from contracts import ParseError, ParseFailure
from ingestion.parsing.media_types import SUPPORTED

# What a library raises when it, or how it is called, is wrong, rather than the file.
_OURS = (ImportError, NotImplementedError, AssertionError, AttributeError, NameError, TypeError)


@contextmanager
def reading(name: str) -> Iterator[None]:
    """Let ParseError through and turn everything else that the block raises into one about the file `name`."""
    try:
        yield
    except ParseError:
        raise
    except MemoryError as exc:
        message = f"{name!r} needs more memory than there is. Split it into smaller files."
        raise ParseError(ParseFailure.TOO_LARGE, message) from exc
    except OSError as exc:
        if exc.errno in (None, errno.EINVAL):  # how zipfile and others speak of a damaged file
            raise _corrupt(name, exc) from exc
        if exc.errno in (errno.ENOSPC, errno.EDQUOT):
            message = f"{name!r} cannot be unpacked: no space is left on the disk. Make room and try again."
            raise ParseError(ParseFailure.UNREADABLE, message) from exc
        message = f"{name!r} cannot be read: {exc.strerror or exc}. Check that it exists and may be read."
        raise ParseError(ParseFailure.UNREADABLE, message) from exc
    except _OURS as exc:
        message = f"{name!r} could not be read because of a fault in Footnote or a library: {_said(exc)}"
        raise ParseError(ParseFailure.INTERNAL, message) from exc
    except Exception as exc:
        raise _corrupt(name, exc) from exc


def empty(name: str, why: str = "it holds no text") -> ParseError:
    """Return the error for a file that was read but gave no text."""
    return ParseError(ParseFailure.EMPTY, f"{name!r} is empty: {why}.")


def unsupported(name: str, why: str) -> ParseError:
    """Return the error for a file of a kind that nothing here reads."""
    return ParseError(ParseFailure.UNSUPPORTED, f"{name!r} cannot be read: {why}. Supported are {SUPPORTED}.")


def _corrupt(name: str, exc: Exception) -> ParseError:
    message = (
        f"{name!r} is damaged or not what its name says: {_said(exc).rstrip('.')}. Save it again where it was made."
    )
    return ParseError(ParseFailure.CORRUPT, message)


def _said(exc: Exception) -> str:
    first = (str(exc).strip().splitlines() or [""])[0][:200]
    return f"{type(exc).__name__}: {first}" if first else type(exc).__name__
