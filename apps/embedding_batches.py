"""Embeds and stores documents that are indexed at the same time together: full batches, few transactions."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from contracts import Catalog, Chunk, Document, EmbeddedVersion, Embedder, JobState, SourceState

_BATCH_CHUNKS = 512  # of one round; a document that has more is a round of its own
_MOST_WAITING = 2 * _BATCH_CHUNKS  # chunks; enough to fill a round while one is under way
_SLICE = 256  # texts that are embedded before progress is told
_LONGEST_HEADING = 80  # characters
_LONGEST_PATH = 240  # bytes of UTF-8; no tokenizer makes more tokens of them

VectorsByHash = dict[str, NDArray[np.float32]]


class OnProgress(Protocol):
    """Hears which stage a file is in, and how many of its chunks are embedded."""

    async def __call__(self, stage: JobState, done: int = 0, total: int = 0) -> None:
        """Take the news."""
        ...


@dataclass(frozen=True, slots=True)
class CutVersion:
    """A document version that is cut but not embedded yet."""

    document: Document
    chunks: tuple[Chunk, ...]
    state: SourceState


@dataclass(slots=True, eq=False)
class _Waiting:
    cut: CutVersion
    hashes: tuple[str, ...]
    on_progress: OnProgress
    stored: asyncio.Future[None]
    under_way: bool = False  # it is being stored: it cannot be called off any more


class EmbeddingBatches:
    """What comes in while one round is embedded makes up the next. Texts whose vector is known are not embedded."""

    def __init__(self, catalog: Catalog, embedder: Embedder) -> None:
        self._catalog = catalog
        self._embedder = embedder
        self._waiting: list[_Waiting] = []
        self._rounds: asyncio.Task[None] | None = None
        self._room = asyncio.Event()
        self._room.set()

    async def until_room(self) -> None:
        """Wait while more than enough chunks wait already."""
        await self._room.wait()

    async def store(self, cut: CutVersion, on_progress: OnProgress) -> None:
        """Embed a document's chunks and store it. Raises what the embedder and the catalog raise."""
        hashes = tuple(text_hash(embedded_text(cut.document, chunk)) for chunk in cut.chunks)
        waiting = _Waiting(cut, hashes, on_progress, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        self._note_room()
        if self._rounds is None or self._rounds.done():
            self._rounds = asyncio.create_task(self._run())
        try:
            await asyncio.shield(waiting.stored)
        except asyncio.CancelledError:
            if waiting in self._waiting:  # cancelled before its round
                self._waiting.remove(waiting)
                self._note_room()
            if waiting.under_way:  # the caller must not take for lost what is there a moment later
                await asyncio.wait([waiting.stored])
            waiting.stored.cancel()
            raise

    def _note_room(self) -> None:
        if sum(len(each.hashes) for each in self._waiting) < _MOST_WAITING:
            self._room.set()
        else:
            self._room.clear()

    async def _run(self) -> None:
        await asyncio.sleep(0)  # lets those join that are ready at the same moment
        while self._waiting:
            batch = _next_round(self._waiting)
            self._note_room()
            try:
                await self._round(batch)
            except Exception as exc:
                await self._one_by_one(batch, exc)

    async def _one_by_one(self, batch: Sequence[_Waiting], error: Exception) -> None:
        """What fails together is tried again apart, so that one document's failure is its own."""
        for waiting in batch:
            try:
                if len(batch) == 1:
                    raise error
                await self._round([waiting])
            except Exception as exc:
                if not waiting.stored.done():
                    waiting.stored.set_exception(exc)

    async def _round(self, batch: Sequence[_Waiting]) -> None:
        vectors = await self._embed(batch)
        for waiting in batch:
            total = len(waiting.hashes)
            await waiting.on_progress(JobState.INDEXING, total, total)
        await self._put(batch, vectors)

    async def _put(self, batch: Sequence[_Waiting], vectors: VectorsByHash) -> None:
        wanted = [waiting for waiting in batch if not waiting.stored.done()]  # not those that were called off
        if not wanted:
            return
        for waiting in wanted:
            waiting.under_way = True
        await self._catalog.put([_embedded(each, vectors) for each in wanted], self._embedder.name)
        for waiting in wanted:
            waiting.stored.set_result(None)

    async def _embed(self, batch: Sequence[_Waiting]) -> VectorsByHash:
        texts = {
            name: embedded_text(each.cut.document, chunk)
            for each in batch
            for name, chunk in zip(each.hashes, each.cut.chunks, strict=True)
        }
        vectors = dict(await self._catalog.known_vectors(list(texts), self._embedder.name))
        missing = [name for name in texts if name not in vectors]
        await _tell(batch, vectors)
        for start in range(0, len(missing), _SLICE):
            names = missing[start : start + _SLICE]
            vectors.update(zip(names, await self._embedder.embed([texts[name] for name in names]), strict=True))
            await _tell(batch, vectors)
        return vectors


async def _tell(batch: Sequence[_Waiting], vectors: Mapping[str, object]) -> None:
    for waiting in batch:
        done = sum(name in vectors for name in waiting.hashes)
        await waiting.on_progress(JobState.EMBEDDING, done, len(waiting.hashes))


def _next_round(waiting: list[_Waiting]) -> list[_Waiting]:
    """Take from the front what makes up a round: each document once, up to a number of chunks."""
    taken: list[_Waiting] = []
    chunks, ids = 0, set[str]()
    for each in list(waiting):
        chunks += len(each.hashes)
        if taken and chunks > _BATCH_CHUNKS:
            break
        if each.cut.document.id not in ids:
            ids.add(each.cut.document.id)
            taken.append(each)
            waiting.remove(each)
    return taken


def _embedded(waiting: _Waiting, vectors: Mapping[str, NDArray[np.float32]]) -> EmbeddedVersion:
    cut = waiting.cut
    array = np.stack([vectors[name] for name in waiting.hashes])
    return EmbeddedVersion(cut.document, cut.chunks, waiting.hashes, array, cut.state)


def embedded_text(document: Document, chunk: Chunk) -> str:
    """Return what is embedded for a chunk: its heading path, then its text or the part that stands for it."""
    return f"{heading_line(document.title, chunk.headings)}\n{chunk.focus or chunk.text}"


def heading_line(title: str, headings: Sequence[str]) -> str:
    """Return what is embedded in front of a passage. It is kept short, so that the passage has most of the model's
    window."""
    path = " > ".join(name[:_LONGEST_HEADING] for name in dict.fromkeys((title, *headings)))
    return path.encode("utf-8", "surrogatepass")[:_LONGEST_PATH].decode("utf-8", "ignore")


def text_hash(text: str) -> str:
    """Return 32 hex digits of the SHA-256 of a text."""
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:32]
