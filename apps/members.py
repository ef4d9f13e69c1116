"""The files inside another file: how much may be taken out of one, and what each is as a source."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from apps.sources import INSIDE, Source
from contracts import Member, ParseError, ParseFailure

_DEEPEST = 5  # archives in archives


@dataclass(slots=True)
class Allowance:
    """How much may still be taken out of one file, at any depth: files, and bytes in all."""

    files: int
    size: int

    def take(self, member: Member) -> Member:
        """Return the member, or what says that it is too much."""
        self.files -= 1
        self.size -= member.path.stat().st_size if member.path else 0
        if self.files >= 0 and self.size >= 0:
            return member
        message = f"{member.name!r} was left out: the outermost archive holds more than may be unpacked."
        return Member(member.name, None, ParseFailure.TOO_LARGE, message)


def member_source(source: Source, member: Member, depth: int) -> Source:
    """Return the source of a member, which lies in `depth` files; its fetch raises ParseError when it is not there or
    lies too deep."""

    async def fetch(scratch: Path) -> Path:
        if depth > _DEEPEST:
            raise ParseError(
                ParseFailure.TOO_LARGE, f"{name!r} lies in more than {_DEEPEST} archives: unpack the outer ones."
            )
        if member.path is None:
            raise ParseError(member.reason or ParseFailure.CORRUPT, member.message or f"{name!r} cannot be taken out.")
        return member.path

    name = f"{source.name}{INSIDE}{member.name}"
    said = {key: value for key, value in source.metadata.items() if key != "title"}  # that is the outer file's
    return replace(source, name=name, fetch=fetch, metadata=said, fingerprint="", container=source.name)
