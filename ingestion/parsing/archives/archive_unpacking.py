"""Takes files out of an archive without believing anything that the archive says of them."""

from __future__ import annotations

import errno
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path, PurePosixPath
from typing import IO

from contracts import Member, ParseError, ParseFailure
from ingestion.parsing.parse_errors import reading

_PIECE = 1 << 20
_MOST_EXPANSION = 200  # times the size of the archive; text shrinks to a tenth, logs to a fiftieth
_ALWAYS_ALLOWED = 64 << 20  # bytes, whatever the size of the archive
_LONGEST_NAME = 1_000
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_LITTER = frozenset({".ds_store", "thumbs.db", "desktop.ini", "__macosx"})


class Unpacking:
    """The members of one archive as they are written into the empty `folder`, under numbers: names come from strangers.

    `max_bytes` bounds what is written in all, `max_member_bytes` what one member may have.
    """

    def __init__(self, folder: Path, archive_size: int, *, max_bytes: int, max_member_bytes: int) -> None:
        self._folder = folder
        self._left = min(max_bytes, max(_ALWAYS_ALLOWED, _MOST_EXPANSION * archive_size))
        self._max_member = max_member_bytes
        self._members: dict[str, Member] = {}

    @property
    def members(self) -> tuple[Member, ...]:
        """What was found so far, in the archive's order."""
        return tuple(self._members.values())

    def take(self, name: str, opened: Callable[[], AbstractContextManager[IO[bytes]]]) -> None:
        """Write the member that `opened` gives, or note why it cannot be had."""
        called = self._unused(name)
        target = self._folder / f"{len(self._members):06d}"
        try:
            with reading(called), opened() as source:
                self._write(source, target, called)
        except ParseError as exc:
            target.unlink(missing_ok=True)
            if isinstance(exc.__cause__, OSError) and exc.__cause__.errno in (errno.ENOSPC, errno.EDQUOT):
                raise
            self._members[called] = Member(called, None, exc.reason, str(exc))
        else:
            self._members[called] = Member(called, target)

    def refuse(self, name: str, reason: ParseFailure, why: str) -> None:
        """Note that a member is not taken out."""
        called = self._unused(name)
        self._members[called] = Member(called, None, reason, f"{called!r} {why}.")

    def _write(self, source: IO[bytes], target: Path, called: str) -> None:
        written = 0
        with target.open("xb") as file:
            while piece := source.read(_PIECE):
                written += len(piece)
                if written > self._max_member:
                    limit = f"has more than {self._max_member >> 20} MiB, the limit for a file"
                    raise ParseError(ParseFailure.TOO_LARGE, f"{called!r} {limit}.")
                if written > self._left:
                    message = f"{called!r} was left out: its archive unpacks to more than is allowed. Unpack it first."
                    raise ParseError(ParseFailure.TOO_LARGE, message)
                file.write(piece)
        self._left -= written

    def _unused(self, name: str) -> str:
        """Return the name, or one with a number where an earlier member has it."""
        called, number = name, 1
        while called in self._members:
            number += 1
            path = PurePosixPath(name)
            called = str(path.with_name(f"{path.stem} ({number}){path.suffix}"))
        return called


def clean_name(name: str) -> str:
    """Return a member's name as a relative path with slashes, that leads out of nowhere; empty when nothing is left.

    >>> clean_name("..\\\\..\\\\C:\\\\etc/./passwd")
    'etc/passwd'
    """
    parts = _UNPRINTABLE.sub("_", name).replace("\\", "/").split("/")
    kept = [part for part in parts if part not in ("", ".", "..") and not re.fullmatch("[A-Za-z]:", part)]
    return "/".join(kept)[-_LONGEST_NAME:].lstrip("/")


def is_litter(name: str) -> bool:
    """Return whether the member is what file managers leave behind, and no document.

    >>> is_litter("__MACOSX/report/._a.docx"), is_litter("report/a.docx")
    (True, False)
    """
    parts = name.lower().split("/")
    return not _LITTER.isdisjoint(parts) or parts[-1].startswith("._")


def too_many(called: str, limit: int) -> ParseError:
    """Return the error for an archive with more members than the limit."""
    message = f"{called!r} holds more than {limit} files. Unpack it first, or raise the limit."
    return ParseError(ParseFailure.TOO_LARGE, message)
