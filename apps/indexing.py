"""A file becomes searchable chunks: stage, parse, split, embed, store. A failure leaves the old version in place."""

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
from pathlib import Path
from uuid import uuid4
from weakref import WeakValueDictionary

from apps.embedding_batches import CutVersion, EmbeddingBatches, OnProgress
from apps.side_by_side import side_by_side
from apps.sources import INSIDE, FileList, Indexed, Outcome, Source, identify, local_file
from contracts import (
    PUBLIC,
    Catalog,
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
    RunLog,
    SourceState,
    SourceStates,
    Splitter,
    StagedFile,
    StaleEmbedderError,
)

_DEEPEST = 5  # archives in archives
_AT_ONCE = 1024  # files under way; most of them wait for their turn to be read or embedded
_READ_AT_ONCE = 64
_LARGE = 4 << 20  # bytes; of files that are larger, two are read at once
_LIMITED = frozenset({ParseFailure.ENCRYPTED, ParseFailure.TOO_LARGE})  # other settings may help
_TRY_AGAIN = frozenset({ParseFailure.TIMEOUT, ParseFailure.UNREADABLE, ParseFailure.INTERNAL})
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Allowance:
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


@dataclass(frozen=True, slots=True)
class _Run:
    """What stays the same while a file, and all inside it, is indexed."""

    collection: Collection
    known: FileList
    on_progress: OnProgress
    allowance: _Allowance
    depth: int = 0


async def _no_report(stage: JobState, done: int = 0, total: int = 0) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Indexing:
    """The offline use case over its ports. Files that are indexed at once are embedded and stored together.

    `edition` changes whenever parsing does; `on_removed` hears of a collection and its documents that were deleted, and
    removes what else was made of them, as `on_collection_removed` does for a whole collection; `embedder` and `cutting`
    are those of a new collection. Temporary files go below `scratch`. `limits` changes with the passwords and sizes
    that are set.
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
    max_members: int = 20_000
    max_unpacked_bytes: int = 2 << 30
    limits: str = ""
    _batches: dict[tuple[str, str], EmbeddingBatches] = field(default_factory=dict, init=False)
    _turns: WeakValueDictionary[str, asyncio.Lock] = field(default_factory=WeakValueDictionary, init=False)
    _slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_READ_AT_ONCE), init=False)
    _room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(2), init=False)

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

    async def record(self, collection: str, done: Sequence[Indexed], seconds: float) -> None:
        """Log an ingestion as a run with its parameters and metrics."""
        counts = {f"files_{outcome}": float(sum(d.outcome == outcome for d in done)) for outcome in Outcome}
        chunks = float(sum(d.chunks for d in done if d.outcome in (Outcome.ADDED, Outcome.UPDATED)))
        found = await self.collections.settings(collection)
        await self.run_log.record(
            f"ingest {collection}",
            {"collection": collection, "embedder": found.embedder if found else "", "files": str(len(done))},
            {**counts, "chunks": chunks, "seconds": seconds, "chunks_per_second": chunks / seconds if seconds else 0.0},
        )

    def recipe(self, collection: Collection, source: Source) -> str:
        """Return the name of all that shapes what becomes of a file, besides its bytes."""
        given = json.dumps([source.readers, dict(source.metadata), source.problem], sort_keys=True)
        splitter = self.open_splitter(collection.cutting, collection.embedder)
        return f"{self.edition} {splitter.name} {hashlib.sha256(given.encode()).hexdigest()[:8]}"

    def remembered(self, source: Source, recipe: str, known: FileList, digest: str = "") -> Indexed | None:
        """Return the outcome of a file that need not be read again: known by its fingerprint, or by its digest."""
        state = known.get(source.name)
        if state is None or state.recipe != self._recipe_with(state.reason, recipe) or state.reason in _TRY_AGAIN:
            return None
        same = digest == state.digest if digest else state.fingerprint and state.fingerprint == source.fingerprint
        inside = list(known.every_inside(source.name))
        if not same or any(self._may_come_out_otherwise(member) for member in inside):
            return None
        return _outcome_of(source.collection, state, tuple(_outcome_of(source.collection, each) for each in inside))

    def _recipe_with(self, reason: str | None, recipe: str) -> str:
        """Return the recipe of an outcome: only failures for want of a password or of room depend on these settings."""
        return f"{recipe} {self.limits}" if reason in _LIMITED else recipe

    def _may_come_out_otherwise(self, member: SourceState) -> bool:
        limited = member.reason in _LIMITED and not member.recipe.endswith(f" {self.limits}")
        return member.reason in _TRY_AGAIN or limited

    def _run(self, collection: Collection, known: FileList, on_progress: OnProgress) -> _Run:
        return _Run(collection, known, on_progress, _Allowance(self.max_members, self.max_unpacked_bytes))

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
                        path = await _fetched(source, scratch)
                        if same := await self._only_touched(source, path, state, run):
                            return same
                        staged = await self.originals.stage(path, source.name)
                        cleanup.push_async_callback(self.originals.release, staged)
                        state = replace(state, digest=staged.digest)
                        cut, members = await self._cut(source, staged, state, scratch, run)
                    return await self._store(source, staged, cut or state, members, run)
        except ParseError as exc:
            recipe = self._recipe_with(exc.reason, state.recipe)
            state = replace(state, recipe=recipe, reason=exc.reason, message=str(exc))
            await self._record_failure(source, state)
            return _outcome_of(source.collection, state)

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
        same = self.remembered(source, state.recipe, run.known, await self.originals.digest(path))
        if same and before.fingerprint != source.fingerprint:
            await self.states.record(run.collection.name, [replace(before, fingerprint=source.fingerprint)])
        return same

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
            await self._batches_of(run.collection).until_room()
            return CutVersion(document, chunks, state), parsed.members

    async def _store(
        self, source: Source, staged: StagedFile, cut: CutVersion | SourceState, members: Sequence[Member], run: _Run
    ) -> Indexed:
        """Store a file's chunks, or the state of one that has none, with the files inside it."""
        outcome = Outcome.UPDATED if run.known.get(source.name) else Outcome.ADDED
        inside = tuple([done async for done in self._members(source, members, run)])
        await self._forget_members(source, members, run)
        if isinstance(cut, CutVersion):  # last: a file is done, and known from then on, when all inside it is
            await self._keep(staged, cut, run)
            return Indexed(source.name, outcome, cut.document.id, len(cut.chunks), members=inside)
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
        inside = [_inside(source, run.allowance.take(member), deeper.depth) for member in members]
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


def _inside(source: Source, member: Member, depth: int) -> Source:
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


def _still_allowed(before: tuple[str, ...], said: tuple[str, ...] | None) -> tuple[str, ...]:
    if said is None or PUBLIC in said:
        return before
    return said if PUBLIC in before else tuple(reader for reader in before if reader in said)


def _outcome_of(collection: str, state: SourceState, members: tuple[Indexed, ...] = ()) -> Indexed:
    if state.reason:
        return Indexed(state.source, Outcome.FAILED, reason=state.reason, message=state.message, members=members)
    return Indexed(state.source, Outcome.UNCHANGED, identify(collection, state.source), members=members)


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
