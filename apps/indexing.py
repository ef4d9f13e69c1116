"""A file becomes searchable chunks: keep, parse, split, embed, store. A failure leaves the old version in place."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from contracts import (
    PUBLIC,
    Catalog,
    Chunk,
    Document,
    DocumentSummary,
    Embedder,
    FootnoteError,
    JobState,
    ParsedFile,
    ParseError,
    ParseFailure,
    Parser,
    RunLog,
    Splitter,
)

_log = logging.getLogger(__name__)


class OriginalStore(Protocol):
    """Where the bytes of documents are kept, under their SHA-256."""

    def path(self, version: str) -> Path:
        """Return where the bytes are."""
        ...

    async def digest(self, source: Path) -> str:
        """Return the SHA-256 of a file in hex."""
        ...

    async def keep(self, source: Path) -> str:
        """Copy a file in and return its SHA-256 in hex."""
        ...

    async def discard(self, version: str) -> None:
        """Remove the bytes."""
        ...


class Outcome(StrEnum):
    """What became of a file."""

    ADDED = "added"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Indexed:
    """One file's outcome. `reason` and `message` are set when it failed."""

    source: str
    outcome: Outcome
    document_id: str | None = None
    chunks: int = 0
    seconds: float = 0.0
    reason: str | None = None
    message: str | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """A file to index: where its bytes are, and under which name and for whom it is stored."""

    path: Path
    name: str
    collection: str = "default"
    readers: tuple[str, ...] = (PUBLIC,)


OnStage = Callable[[JobState], Awaitable[None]]


async def _no_report(stage: JobState) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Indexing:
    """The offline use case over its ports."""

    parser: Parser
    splitter: Splitter
    embedder: Embedder
    catalog: Catalog
    originals: OriginalStore
    run_log: RunLog

    async def index(self, source: Source, on_stage: OnStage = _no_report) -> Indexed:
        """Make one file searchable and return what became of it. Only a store that is away raises."""
        started = time.perf_counter()
        try:
            done = await self._index(source, on_stage)
        except ParseError as exc:
            done = _failed(source, exc.reason, str(exc))
        except OSError as exc:
            done = _failed(source, ParseFailure.UNREADABLE, str(exc))
        except FootnoteError:
            raise
        except Exception as exc:
            _log.exception("indexing %s failed", source.name)
            done = _failed(source, ParseFailure.INTERNAL, repr(exc))
        return replace(done, seconds=time.perf_counter() - started)

    async def remove(self, collection: str, document_id: str) -> int:
        """Delete a document everywhere and return the generation. Raises NotFoundError."""
        found = await self.catalog.find(collection, document_id)
        generation = await self.catalog.delete(collection, document_id)
        if found is not None:
            await self._discard(found.document.version)
        return generation

    async def record(self, collection: str, done: Sequence[Indexed], seconds: float) -> None:
        """Log an ingestion as a run with its parameters and metrics."""
        counts = {f"files_{outcome}": float(sum(d.outcome == outcome for d in done)) for outcome in Outcome}
        chunks = float(sum(d.chunks for d in done))
        await self.run_log.record(
            f"ingest {collection}",
            {"collection": collection, "embedder": self.embedder.name, "files": str(len(done))},
            {**counts, "chunks": chunks, "seconds": seconds, "chunks_per_second": chunks / seconds if seconds else 0.0},
        )

    async def _index(self, source: Source, on_stage: OnStage) -> Indexed:
        document_id = identify(source.collection, source.name)
        known = await self.catalog.find(source.collection, document_id)
        if known is not None and await self._is_current(known, source):
            return Indexed(source.name, Outcome.UNCHANGED, document_id, known.chunks)
        version = await self.originals.keep(source.path)
        try:
            chunks = await self._store(source, document_id, version, on_stage)
            if not self.originals.path(version).exists():  # the last other document with these bytes went meanwhile
                await self.originals.keep(source.path)
        finally:
            await self._discard(version)
        if known is not None:
            await self._discard(known.document.version)
        return Indexed(source.name, Outcome.UPDATED if known else Outcome.ADDED, document_id, len(chunks))

    async def _is_current(self, known: DocumentSummary, source: Source) -> bool:
        same_settings = known.embedder == self.embedder.name and known.document.readers == source.readers
        return same_settings and known.document.version == await self.originals.digest(source.path)

    async def _store(self, source: Source, document_id: str, version: str, on_stage: OnStage) -> tuple[Chunk, ...]:
        original = self.originals.path(version)
        await on_stage(JobState.PARSING)
        parsed = await self.parser.parse(original, source.name)
        document = _document(source, document_id, version, parsed, original.stat().st_size)
        chunks = self.splitter.split(document, parsed)
        if not chunks:
            raise ParseError(ParseFailure.EMPTY, f"{source.name!r} holds no text.")
        await on_stage(JobState.EMBEDDING)
        vectors = await self.embedder.embed([embedded_text(document, chunk) for chunk in chunks])
        await on_stage(JobState.INDEXING)
        await self.catalog.put(document, chunks, vectors, self.embedder.name)
        return chunks

    async def _discard(self, version: str) -> None:
        """Remove the original, unless a document is in this version."""
        if not await self.catalog.uses(version):
            await self.originals.discard(version)


def identify(collection: str, source: str) -> str:
    """Return the stable id of a document: 32 hex digits of the SHA-256 of collection and source. Raises ParseError."""
    try:
        name = f"{collection}\0{source}".encode()
    except UnicodeEncodeError as exc:
        raise ParseError(ParseFailure.UNREADABLE, f"The name {source!r} is not valid UTF-8: rename the file.") from exc
    return hashlib.sha256(name).hexdigest()[:32]


def embedded_text(document: Document, chunk: Chunk) -> str:
    """Return what is embedded for a chunk: its heading path, then its text."""
    path = " > ".join(dict.fromkeys((document.title, *chunk.headings)))
    return f"{path}\n{chunk.text}"


def _failed(source: Source, reason: str, message: str) -> Indexed:
    name = source.name.encode(errors="backslashreplace").decode()  # a name that is not UTF-8 cannot be printed
    return Indexed(name, Outcome.FAILED, reason=reason, message=message)


def _document(source: Source, document_id: str, version: str, parsed: ParsedFile, size: int) -> Document:
    return Document(
        id=document_id,
        collection=source.collection,
        version=version,
        source=source.name,
        title=parsed.title,
        media_type=parsed.media_type,
        size=size,
        metadata=parsed.metadata,
        readers=source.readers,
    )
