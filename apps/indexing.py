"""A file becomes searchable chunks: stage, parse, split, check, embed, store. A failure leaves what was there."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import shutil
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from uuid import uuid4
from weakref import WeakValueDictionary

from apps.collection_settings import no_collection
from apps.embedding_batches import CutVersion, EmbeddingBatches, OnProgress
from apps.members import Allowance, member_source
from apps.remembering import checked_otherwise, checked_recipe, outcome_of, recipe_of, remembered
from apps.rescanning import Rescanning, StateBatches
from apps.scanning import PassageScans, count_flagged
from apps.side_by_side import side_by_side
from apps.sources import INSIDE, FileList, Indexed, Outcome, Source, identify, local_file
from contracts import (
    PUBLIC,
    Catalog,
    Chunk,
    Collection,
    Collections,
    Cutting,
    Document,
    DocumentSummary,
    Embedder,
    FootnoteError,
    InvalidInputError,
    JobState,
    Member,
    NotFoundError,
    OriginalStore,
    ParsedFile,
    ParseError,
    ParseFailure,
    Parser,
    PassageGuard,
    RunLog,
    SourceState,
    SourceStates,
    Splitter,
    StagedFile,
    StaleEmbedderError,
)

_AT_ONCE = 1024  # files under way; most of them wait for their turn to be read or embedded
_READ_AT_ONCE = 64
_LARGE = 4 << 20  # bytes; of files that are larger, two are read at once
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Run:
    """What stays the same while a file, and all inside it, is indexed."""

    collection: Collection
    known: FileList
    on_progress: OnProgress
    allowance: Allowance
    depth: int = 0


async def _no_report(stage: JobState, done: int = 0, total: int = 0) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Indexing:
    """The offline use case over its ports. Files that are indexed at once are embedded and stored together.

    `edition` changes whenever parsing does; `on_removed` hears of a collection and its documents that were deleted, and
    removes what else was made of them, as `on_collection_removed` does for a whole collection; `embedder` and `cutting`
    are those of a new collection. Temporary files go below `scratch`. `passage_guard` returns what checks the passages
    of a collection. `limits` changes with the passwords and sizes that are set.
    """

    parser: Parser
    edition: str
    open_splitter: Callable[[Cutting, str], Splitter]
    open_embedder: Callable[[str], Embedder]
    catalog: Catalog
    collections: Collections
    states: SourceStates
    originals: OriginalStore
    on_removed: Callable[[str, Sequence[str]], Awaitable[None]]
    on_collection_removed: Callable[[str], None]
    run_log: RunLog
    embedder: str
    cutting: Cutting
    scratch: Path
    passage_guard: Callable[[str], PassageGuard]
    max_members: int = 20_000
    max_unpacked_bytes: int = 2 << 30
    limits: str = ""
    _batches: dict[tuple[str, str], EmbeddingBatches] = field(default_factory=dict, init=False)
    _turns: WeakValueDictionary[str, asyncio.Lock] = field(default_factory=WeakValueDictionary, init=False)
    _slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_READ_AT_ONCE), init=False)
    _room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(2), init=False)
    _scans: PassageScans = field(default_factory=PassageScans, init=False)
    _state_batches: StateBatches = field(default_factory=StateBatches, init=False)

    async def index(self, source: Source, on_progress: OnProgress = _no_report) -> Indexed:
        """Make one file searchable, with the files inside it, and return what became of it. Only a store that is away
        raises."""
        turn = self._turns.setdefault(f"{source.collection} {source.name}", asyncio.Lock())
        async with turn:  # of two versions that are sent at once, the later one is to stay
            collection = await self.open_collection(source.collection)
            states = await self.states.states(source.collection, source.name) if _is_unicode(source.name) else {}
            return await self._index(source, self._run(collection, FileList(states), on_progress))

    async def index_all(self, sources: Iterable[Source], collection: str, known: FileList) -> AsyncGenerator[Indexed]:
        """Index many files of one collection, of which `known` is known, and yield what became of each as it comes."""
        opened = await self.open_collection(collection)

        async def index(source: Source) -> Indexed:
            return await self._index(source, self._run(opened, known, _no_report))

        async for done in side_by_side(index, sources, _AT_ONCE):
            yield done

    async def expected_collection(self, name: str) -> Collection:
        """Return the collection, or what it would be if it were made now."""
        return await self.collections.settings(name) or Collection(name, self.embedder, self.cutting, 0)

    async def open_collection(self, name: str) -> Collection:
        """Return the collection; a new one has the settings that are the default now."""
        return await self.collections.ensure(name, self.embedder, self.cutting)

    async def remove(self, collection: str, document_ids: Sequence[str]) -> int:
        """Delete documents everywhere, with all their versions, and return the generation."""
        gone = await self.catalog.kept_versions(collection, document_ids)
        generation = await self.catalog.delete(collection, document_ids)
        await self._discard(gone)
        await self.on_removed(collection, document_ids)
        return generation

    async def remove_collection(self, name: str) -> None:
        """Delete a collection with all its documents, everywhere. Raises NotFoundError."""
        states = await self.states.states(name)
        ids = [identify(name, source) for source in states]
        for start in range(0, len(ids), 500):
            await self.remove(name, ids[start : start + 500])
        await self.collections.delete(name)
        self.on_collection_removed(name)

    async def restore(self, document: DocumentSummary, version: str) -> Indexed:
        """Make a kept version, named by the first digits of its SHA-256, the current one again. Raises NotFoundError,
        InvalidInputError when it is not one version, and ParseError when it cannot be read any more."""
        here = document.document
        kept = await self.catalog.versions(here.collection, here.id)
        named = [each for each in kept if each.version.startswith(version)]
        if len(named) != 1 or not version:
            message = f"{version!r} names {len(named)} of the {len(kept)} kept versions of {here.source!r}."
            raise InvalidInputError(message) if named else NotFoundError(message)
        restored = Source(
            name=here.source,
            fetch=local_file(self.originals.path(named[0].version)),
            collection=here.collection,
            readers=None if here.readers == (PUBLIC,) else here.readers,  # what the version itself says may be stricter
            metadata=named[0].metadata,
            container=here.source.rpartition(INSIDE)[0],
        )
        done = await self.index(restored)
        if done.reason:
            raise ParseError(ParseFailure(done.reason), done.message or "")
        return done

    async def check_again(self, name: str) -> AsyncGenerator[Indexed]:
        """Check what is stored in a collection by the rules as they are now, where that was not done yet, and yield
        what became of it; no file is read. Raises NotFoundError."""
        found = await self.collections.settings(name)
        if found is None:
            raise no_collection(name)
        async for done in self._rescanning(found).every(found, self.passage_guard(name).version):
            yield done

    async def record(self, collection: str, done: Sequence[Indexed], seconds: float) -> None:
        """Log an ingestion as a run with its parameters and metrics."""
        counts = {f"files_{outcome}": float(sum(d.outcome == outcome for d in done)) for outcome in Outcome}
        stored = [d for d in done if d.outcome in (Outcome.ADDED, Outcome.UPDATED)]
        chunks, flagged = float(sum(d.chunks for d in stored)), float(sum(d.flagged for d in stored))
        found = await self.collections.settings(collection)
        await self.run_log.record(
            f"ingest {collection}",
            {"collection": collection, "embedder": found.embedder if found else "", "files": str(len(done))},
            {
                **counts,
                "chunks": chunks,
                "chunks_flagged": flagged,
                "seconds": seconds,
                "chunks_per_second": chunks / seconds if seconds else 0.0,
            },
        )

    def recipe(self, collection: Collection, source: Source) -> str:
        """Return the name of all that shapes what becomes of a file, besides its bytes. Raises ConfigurationError when
        it is not clear how passages are checked."""
        given = json.dumps([source.readers, dict(source.metadata), source.problem], sort_keys=True)
        splitter = self.open_splitter(collection.cutting, collection.embedder)
        read = f"{self.edition} {splitter.name} {hashlib.sha256(given.encode()).hexdigest()[:8]}"
        return checked_recipe(read, self.passage_guard(collection.name).version)

    def remembered(self, source: Source, recipe: str, known: FileList, digest: str = "") -> Indexed | None:
        """Return the outcome of a file that need not be read again: known by its fingerprint, or by its digest."""
        return remembered(source, recipe, known, self.limits, digest)

    def _run(self, collection: Collection, known: FileList, on_progress: OnProgress) -> _Run:
        return _Run(collection, known, on_progress, Allowance(self.max_members, self.max_unpacked_bytes))

    async def _index(self, source: Source, run: _Run) -> Indexed:
        started = time.perf_counter()
        state = SourceState(source.name, "", self.recipe(run.collection, source), source.fingerprint, source.container)
        if not _is_unicode(source.name):  # such a name can be neither stored nor printed
            message = f"The name {source.name!r} is not valid UTF-8: rename the file."
            done = Indexed(_printable(source.name), Outcome.FAILED, reason=ParseFailure.UNREADABLE, message=message)
        elif same := self.remembered(source, state.recipe, run.known):
            done = same
        else:
            scratch = self.scratch / uuid4().hex  # made where it is needed: most files need none
            try:
                done = await self._read(source, state, scratch, run)
            finally:
                if scratch.exists():
                    await asyncio.to_thread(shutil.rmtree, scratch, ignore_errors=True)
        return replace(done, seconds=time.perf_counter() - started)

    async def _read(self, source: Source, state: SourceState, scratch: Path, run: _Run) -> Indexed:
        try:
            with _failures_named(source.name):
                async with AsyncExitStack() as cleanup:
                    async with self._slots:
                        if again := await self._checked_again(source, state, run):
                            return again
                        path = await _fetched(source, scratch)
                        if same := await self._only_touched(source, path, state, run):
                            return same
                        staged = await self.originals.stage(path, source.name)
                        cleanup.push_async_callback(self.originals.release, staged)
                        state = replace(state, digest=staged.digest)
                        cut, members = await self._cut(source, staged, state, scratch, run)
                    return await self._store(source, staged, cut or state, members, run)
        except ParseError as exc:
            recipe = recipe_of(exc.reason, state.recipe, self.limits)
            state = replace(state, recipe=recipe, reason=exc.reason, message=str(exc))
            await self._record_failure(source, state)
            return outcome_of(source.collection, state)

    async def _record_failure(self, source: Source, state: SourceState) -> None:
        """Keep the old version, if there is one; but those who may not read the file any more may not read that."""
        old = await self.catalog.find(source.collection, identify(source.collection, source.name))
        if old and (left := _still_allowed(old.document.readers, source.readers)) != old.document.readers:
            narrowed = replace(old.document, readers=left)
            await self.catalog.move(source.collection, narrowed.id, narrowed, state)
        else:
            await self.states.record(source.collection, [state])

    async def _only_touched(self, source: Source, path: Path, state: SourceState, run: _Run) -> Indexed | None:
        """Return the outcome of a file that holds what it held."""
        before = run.known.get(source.name)
        if before is None:
            return None
        digest = await self.originals.digest(path)
        same = self.remembered(source, state.recipe, run.known, digest)
        if same and before.fingerprint != source.fingerprint:
            await self.states.record(run.collection.name, [replace(before, fingerprint=source.fingerprint)])
        return same or await self._checked_again(source, state, run, digest)

    async def _checked_again(self, source: Source, state: SourceState, run: _Run, digest: str = "") -> Indexed | None:
        """Check the passages of a file that is as it was, with all inside it, by rules that changed; return what became
        of it, or None when it has to be read."""
        states = checked_otherwise(source, state.recipe, run.known, self.limits, digest)
        return await self._rescanning(run.collection).run(run.collection, states) if states else None

    def _rescanning(self, collection: Collection) -> Rescanning:
        return Rescanning(self.catalog, self.states, self._state_batches, partial(self._flag, collection))

    async def _flag(self, collection: Collection, document: Document, chunks: Sequence[Chunk]) -> tuple[Chunk, ...]:
        """Return the chunks with their flags. Raises ParseError."""
        flagged = await self._scans.flag(self.passage_guard(collection.name), document, chunks)
        if found := {flag for chunk in flagged for flag in chunk.flags}:
            rules = ", ".join(sorted(found))
            _log.info(
                "%s: %d of %d passages are flagged: %s", document.source, count_flagged(flagged), len(flagged), rules
            )
        return flagged

    async def _cut(
        self, source: Source, staged: StagedFile, state: SourceState, scratch: Path, run: _Run
    ) -> tuple[CutVersion | None, Sequence[Member]]:
        """Return the file's text in chunks, where it has any, and the files inside it."""
        async with self._space(staged.size):
            await run.on_progress(JobState.PARSING)
            parsed = await self.parser.parse(staged.path, source.name, scratch=scratch)
            if not parsed.elements:
                return None, parsed.members
            document = _document(source, staged, parsed)
            splitter = self.open_splitter(run.collection.cutting, run.collection.embedder)
            chunks = await asyncio.to_thread(splitter.split, document, parsed)
            if not chunks:
                raise ParseError(ParseFailure.EMPTY, f"{source.name!r} holds no text.")
            flagged = await self._flag(run.collection, document, chunks)
            await self._batches_of(run.collection).until_room()
            return CutVersion(document, flagged, state), parsed.members

    async def _store(
        self, source: Source, staged: StagedFile, cut: CutVersion | SourceState, members: Sequence[Member], run: _Run
    ) -> Indexed:
        """Store a file's chunks, or the state of one that has none, with the files inside it."""
        outcome = Outcome.UPDATED if run.known.get(source.name) else Outcome.ADDED
        inside = tuple([done async for done in self._members(source, members, run)])
        await self._forget_members(source, members, run)
        if isinstance(cut, CutVersion):  # last: a file is done, and known from then on, when all inside it is
            await self._keep(staged, cut, run)
            flagged = count_flagged(cut.chunks)
            return Indexed(source.name, outcome, cut.document.id, len(cut.chunks), members=inside, flagged=flagged)
        await self.states.record(run.collection.name, [cut])
        return Indexed(source.name, outcome, members=inside)

    async def _keep(self, staged: StagedFile, cut: CutVersion, run: _Run) -> None:
        await self.originals.adopt(staged)
        try:
            await self._embed(cut, run.collection, run.on_progress)
            await self.originals.adopt(staged)  # the last other document with these bytes may have gone meanwhile
        except BaseException:
            await asyncio.shield(self._discard([staged.digest]))
            raise

    async def _embed(self, cut: CutVersion, collection: Collection, on_progress: OnProgress) -> None:
        while True:
            try:
                return await self._batches_of(collection).store(cut, on_progress)
            except StaleEmbedderError:
                collection = await self.open_collection(collection.name)

    def _batches_of(self, collection: Collection) -> EmbeddingBatches:
        key = collection.name, collection.embedder
        if key not in self._batches:
            self._batches[key] = EmbeddingBatches(self.catalog, self.open_embedder(collection.embedder))
        return self._batches[key]

    async def _members(self, source: Source, members: Sequence[Member], run: _Run) -> AsyncGenerator[Indexed]:
        deeper = replace(run, depth=run.depth + 1, on_progress=_no_report)
        inside = [member_source(source, run.allowance.take(member), deeper.depth) for member in members]
        async for done in side_by_side(lambda member: self._index(member, deeper), inside, _AT_ONCE):
            yield done

    async def _forget_members(self, source: Source, members: Sequence[Member], run: _Run) -> None:
        """Remove what was inside an archive and no longer is."""
        here = {f"{source.name}{INSIDE}{member.name}" for member in members}
        gone = [state.source for state in run.known.inside(source.name) if state.source not in here]
        await self.remove_sources(source.collection, gone, run.known)

    async def remove_source(self, collection: str, source: str) -> None:
        """Delete the document of a source, and those of all files inside it."""
        await self.remove_sources(collection, [source], FileList(await self.states.states(collection, source)))

    async def remove_sources(self, collection: str, sources: Sequence[str], known: FileList) -> None:
        """Delete the documents of these sources and of all inside them, and forget the sources."""
        every = [*sources, *(state.source for source in sources for state in known.every_inside(source))]
        if every:
            await self.remove(collection, [identify(collection, source) for source in every])
            await self.states.forget(collection, every)

    def _space(self, size: int) -> AbstractAsyncContextManager[object]:
        return nullcontext() if size < _LARGE else self._room

    async def _discard(self, versions: Iterable[str]) -> None:
        """Remove the originals of those of these versions that no document has."""
        for version in await self.catalog.unused(sorted(versions)):
            await self.originals.discard(version)


def _is_unicode(name: str) -> bool:
    """Return whether a name is text; one whose bytes on disk are not UTF-8 holds lone surrogates."""
    return not any("\ud800" <= character <= "\udfff" for character in name)


def _printable(name: str) -> str:
    return name.encode(errors="backslashreplace").decode()


@contextmanager
def _failures_named(called: str) -> Iterator[None]:
    """Whatever goes wrong with one file is a ParseError; what goes wrong with the stores is not."""
    try:
        yield
    except OSError as exc:
        raise ParseError(ParseFailure.UNREADABLE, f"{called!r} cannot be read: {exc.strerror or exc}.") from exc
    except FootnoteError:
        raise
    except Exception as exc:
        _log.exception("indexing %s failed", called)
        raise ParseError(ParseFailure.INTERNAL, repr(exc)) from exc


async def _fetched(source: Source, scratch: Path) -> Path:
    if source.problem:
        raise ParseError(ParseFailure.UNREADABLE, source.problem)
    return await source.fetch(scratch)


def _still_allowed(before: tuple[str, ...], said: tuple[str, ...] | None) -> tuple[str, ...]:
    if said is None or PUBLIC in said:
        return before
    return said if PUBLIC in before else tuple(reader for reader in before if reader in said)


def _document(source: Source, staged: StagedFile, parsed: ParsedFile) -> Document:
    readers = source.readers if source.readers is not None else parsed.readers
    return Document(
        id=identify(source.collection, source.name),
        collection=source.collection,
        version=staged.digest,
        source=source.name,
        title=source.metadata.get("title") or parsed.title,
        media_type=parsed.media_type,
        size=staged.size,
        metadata={**parsed.metadata, **source.metadata},
        readers=readers if readers is not None else (PUBLIC,),
    )
