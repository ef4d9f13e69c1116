"""The files that are indexed: where each comes from, what is known of it, and what became of it."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from contracts import SourceState

INSIDE = "!/"  # between the name of an archive and that of a file in it

Fetch = Callable[[Path], Awaitable[Path]]


class Outcome(StrEnum):
    """What became of a file."""

    ADDED = "added"
    UPDATED = "updated"
    MOVED = "moved"
    DELETED = "deleted"
    UNCHANGED = "unchanged"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Indexed:
    """One file's outcome, and those of the files inside it. `flagged` of its `chunks` broke a rule when they were
    checked. `reason` and `message` are set when it failed."""

    source: str
    outcome: Outcome
    document_id: str | None = None
    chunks: int = 0
    seconds: float = 0.0
    reason: str | None = None
    message: str | None = None
    members: tuple[Indexed, ...] = ()
    flagged: int = 0

    def every(self) -> Iterator[Indexed]:
        """Yield this one and all inside it."""
        yield self
        for member in self.members:
            yield from member.every()


@dataclass(frozen=True, slots=True)
class Source:
    """A file to index. `fetch` brings its bytes to this machine: given a folder to write to, it returns where they are.

    `readers` and `metadata` win over what the file itself says; None leaves the readers to the file. `problem` says why
    its description cannot be used: it must not become public by mistake.
    """

    name: str
    fetch: Fetch
    collection: str = "default"
    readers: tuple[str, ...] | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    fingerprint: str = ""
    container: str = ""
    problem: str = ""


def local_file(path: Path) -> Fetch:
    """Return the fetch of a file that is on this machine."""

    async def fetch(scratch: Path) -> Path:
        return path

    return fetch


class FileList:
    """What is known of a collection's files, with the members of each archive."""

    def __init__(self, states: Mapping[str, SourceState]) -> None:
        self._states = states
        self._members: dict[str, list[SourceState]] = defaultdict(list)
        for state in states.values():
            if state.container:
                self._members[state.container].append(state)

    def get(self, source: str) -> SourceState | None:
        """Return what is known of a file, or None."""
        return self._states.get(source)

    def inside(self, source: str) -> Sequence[SourceState]:
        """Return the files directly inside an archive."""
        return self._members.get(source, ())

    def every_inside(self, source: str) -> Iterator[SourceState]:
        """Yield the files inside an archive, and those inside them."""
        for member in self.inside(source):
            yield member
            yield from self.every_inside(member.source)


def identify(collection: str, source: str) -> str:
    """Return the stable id of a document: 32 hex digits of the SHA-256 of collection and source."""
    return hashlib.sha256(f"{collection}\0{source}".encode()).hexdigest()[:32]
