"""Writes files that are found inside another one below a scratch folder, under names that do no harm."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path, PurePath

from contracts import Member, ParseFailure

MAX_MEMBERS = 10_000
MAX_TOTAL_BYTES = 1 << 30
_UNSAFE = re.compile(r"[\x00-\x1f\x7f<>:\"|?*]+")
_LONGEST = 120  # characters; file systems allow 255 bytes


class MemberFiles:
    """The members of one file. Without a `folder` nothing is written and no members are listed."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._taken: set[str] = set()
        self._bytes = 0
        self._members: list[Member] = []
        self._left_out = 0

    @property
    def members(self) -> tuple[Member, ...]:
        """What was added; when there was too much of it, a last member says so."""
        if not self._left_out:
            return tuple(self._members)
        message = (
            f"{self._left_out} more were left out; at most {MAX_MEMBERS} with {MAX_TOTAL_BYTES >> 20} MiB are read."
        )
        return (*self._members, Member("and more", None, ParseFailure.TOO_LARGE, message))

    def add(self, name: str, content: Callable[[], bytes]) -> str:
        """Write the bytes that `content` returns; what it raises becomes the member's reason. Return its safe name."""
        called = self._free_name(name)
        if self._folder is None:
            return called
        if len(self._members) >= MAX_MEMBERS or self._bytes >= MAX_TOTAL_BYTES:
            self._left_out += 1
            return called
        try:
            data = content()
        except Exception as exc:  # a damaged part must not take the rest with it
            message = f"{called!r} could not be taken out: {type(exc).__name__}: {exc}"
            self._members.append(Member(called, None, ParseFailure.CORRUPT, message))
            return called
        self._bytes += len(data)
        if self._bytes > MAX_TOTAL_BYTES:
            self._left_out += 1
            return called
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{len(self._members):05d}"
        path.write_bytes(data)
        self._members.append(Member(called, path))
        return called

    def _free_name(self, name: str) -> str:
        """Return the last part of `name`, without what file systems or pages could take for something else."""
        last = PurePath(name.replace("\\", "/")).name if name.strip(" ./\\") else ""
        pure = PurePath(_UNSAFE.sub("_", last).strip(" .") or "unnamed")
        stem, suffix = pure.stem[:_LONGEST], pure.suffix[:20]
        free, count = f"{stem}{suffix}", 1
        while free.lower() in self._taken:
            count += 1
            free = f"{stem} ({count}){suffix}"
        self._taken.add(free.lower())
        return free
