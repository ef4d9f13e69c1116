"""A BM25 view of one collection's words on Tantivy that follows the catalog."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

from contracts import Change, ChangeFeed, Selection
from retrieval.sparse.index_folder import IndexFolder
from retrieval.sparse.sealing import Seal
from retrieval.sparse.tantivy_documents import FORMAT
from retrieval.sparse.tantivy_view import TantivyView, open_index, view_of
from retrieval.sparse.tantivy_writing import TantivyWriting

T = TypeVar("T")

_BATCH = 256  # documents whose texts are fetched at once
_LARGE = 1000  # changed documents
_POLL = 0.02  # seconds between two looks at a lock that another process holds
_log = logging.getLogger(__name__)


class TantivyIndex:
    """Port `SparseIndex`: incremental, shared by every process that has `folder`, in memory without one.

    Whoever finds the index behind the catalog takes the lock, writes what changed and commits it together with its
    generation; the others wait for that and read. The folder can be deleted at any time and is made anew, as is one
    that is damaged, of another `catalog`, or ahead of it.
    """

    def __init__(self, feed: ChangeFeed, collection: str, *, folder: Path | None = None, catalog: str = "") -> None:
        self._feed = feed
        self._collection = collection
        origin = f"{FORMAT} {catalog} {collection}"
        self._folder = IndexFolder(folder, collection, origin) if folder else None
        self._seal = Seal(origin)
        self._view: TantivyView | None = None
        self._at: Path | None = None  # where the index of the view lies
        self._following = asyncio.Lock()
        self._cleaning: asyncio.Task[None] | None = None
        self._readers = ThreadPoolExecutor(2, "tantivy-search")
        self._writer = ThreadPoolExecutor(1, "tantivy-write")

    @property
    def generation(self) -> int:
        """The generation this view stands for."""
        return self._view.generation if self._view else 0

    async def refresh(self) -> int:
        """Apply what changed in the catalog; return the generation now stood for."""
        latest = await self._feed.generation(self._collection)
        if self._view is not None and latest == self.generation:
            return latest
        async with self._following:
            if not await self._caught_up():
                await self._catch_up()
        return self.generation

    async def search(self, text: str, k: int, selection: Selection) -> tuple[tuple[int, float], ...]:
        """Return up to k (key, BM25 score) pairs, best first, of the selected documents only. What stands in quotes in
        `text` must occur as it is; a text without a word that counts finds nothing."""
        view = self._view
        if view is None:
            return ()
        try:
            return await self._run(self._readers, view.search, text, k, selection)
        except BaseException as exc:
            if not _is_damage(exc):
                raise
            view = await self._renew(view, exc)
        return await self._run(self._readers, view.search, text, k, selection)

    async def aclose(self) -> None:
        """Let go of files and threads; what is being cleaned up is left to the next change."""
        if self._cleaning is not None:
            self._cleaning.cancel()
            await asyncio.gather(self._cleaning, return_exceptions=True)
        self._view = None
        for executor in (self._readers, self._writer):
            executor.shutdown(wait=False)

    async def _caught_up(self) -> bool:
        """Look at what others have written; return whether it is what the catalog has."""
        await self._run(self._writer, self._look)
        return self._view is not None and self.generation == await self._feed.generation(self._collection)

    async def _catch_up(self) -> None:
        """Follow the catalog; on a damaged index with a new one, on a disk that takes none in memory."""
        try:
            return await self._follow()
        except BaseException as exc:
            if self._folder is None or not _is_damage(exc):
                raise
            await self._abandon(exc)
        try:
            return await self._follow()
        except BaseException as exc:
            if not _is_damage(exc):
                raise
            _log.warning("the words of collection %r cannot be stored and stay in memory: %s", self._collection, exc)
            self._folder = self._view = self._at = None
        return await self._follow()

    async def _follow(self) -> None:
        async with self._writing(or_read=True) as mine:
            if mine:
                await self._write()

    async def _abandon(self, exc: BaseException) -> None:
        """Let no process use the index that this one has open."""
        _log.warning("the words of collection %r cannot be read and are indexed anew: %s", self._collection, exc)
        if self._folder is not None and self._at is not None:
            await self._run(self._writer, self._folder.abandon, self._at)
        self._view = self._at = None

    @asynccontextmanager
    async def _writing(self, *, or_read: bool) -> AsyncIterator[bool]:
        """Hold the lock of the folder; False when another process has done the work meanwhile and `or_read`."""
        if self._folder is None:
            yield True
            return
        from filelock import FileLock, Timeout

        self._folder.path.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self._folder.lock, thread_local=False)
        while True:
            try:
                lock.acquire(blocking=False)
                break
            except Timeout:
                await asyncio.sleep(_POLL)
            if or_read and await self._caught_up():
                yield False
                return
        try:
            yield True
        finally:
            lock.release()

    async def _write(self) -> None:
        latest = await self._feed.generation(self._collection)
        await self._run(self._writer, self._settle, latest)
        changes = sorted(await self._feed.changes(self._collection, self.generation), key=lambda each: each.generation)
        if not changes and self.generation == latest:
            return
        async with self._tantivy(large=len(changes) > _LARGE) as writing:
            await self._apply(writing, changes)
            await self._run(self._writer, writing.commit, max([latest, *(each.generation for each in changes)]))
            await self._run(self._writer, self._look)
        if self._at is not None and (self._cleaning is None or self._cleaning.done()):
            await self._run(self._writer, self._look)  # merges are over
            view, at = self._opened, self._at
            if stale := await self._run(self._writer, view.mostly_deleted, at):
                self._cleaning = asyncio.create_task(self._clean(at, stale))

    async def _clean(self, at: Path, stale: Sequence[str]) -> None:
        """Write documents anew, a few at a time, so that the segments they lie in hold nothing more and go."""
        for start in range(0, len(stale), _BATCH):
            ids = stale[start : start + _BATCH]
            async with self._following, self._writing(or_read=False):
                await self._run(self._writer, self._look)
                if self._at != at:
                    return
                async with self._tantivy(large=False) as writing:
                    await self._run(self._writer, writing.replace, ids, await self._feed.texts(ids))
                    await self._run(self._writer, writing.commit, self.generation)
                    await self._run(self._writer, self._look)

    @asynccontextmanager
    async def _tantivy(self, *, large: bool) -> AsyncIterator[TantivyWriting]:
        index = self._opened.index
        writing = await self._run(self._writer, lambda: TantivyWriting(index, self._seal, large=large))
        try:
            yield writing
        finally:
            await self._run(self._writer, writing.close)

    @property
    def _opened(self) -> TantivyView:
        if self._view is None:
            raise RuntimeError("a sparse index is used before it was opened")
        return self._view

    async def _apply(self, writing: TantivyWriting, changes: Sequence[Change]) -> None:
        batches = [changes[start : start + _BATCH] for start in range(0, len(changes), _BATCH)]
        for batch, following in pairwise([*batches, ()]):
            ids = [change.document_id for change in batch]
            await self._run(self._writer, writing.replace, ids, await self._feed.texts(ids))
            if following and writing.full:
                await self._run(self._writer, writing.commit, following[0].generation - 1)

    async def _renew(self, view: TantivyView, exc: BaseException) -> TantivyView:
        """Make the index anew after a search has found it damaged; return what there is now."""
        async with self._following:
            if self._view is view:
                await self._abandon(exc)
        await self.refresh()
        return self._opened

    async def _run(self, executor: ThreadPoolExecutor, work: Callable[..., T], *arguments: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(executor, work, *arguments)

    # --- on the writer's thread ---

    def _look(self) -> None:
        """Read the last commit of the index in use, if it can be read; a view that is there stays otherwise."""
        current = self._folder.current() if self._folder else None
        if current is None and (self._folder is not None or self._view is None):
            return
        try:
            same = self._view is not None and current == self._at
            index = self._view.index if same and self._view else open_index(current)
            self._view, self._at = view_of(index, self._seal), current
        except BaseException as exc:
            if not _is_damage(exc):
                raise

    def _settle(self, latest: int) -> None:
        """Under the lock: see to it that there is an index that can be read and is not ahead of the catalog."""
        if self._folder is None:
            if self._view is None or self.generation > latest:
                self._view = view_of(open_index(None), self._seal)
            return
        current = self._folder.current()
        why = "" if current or not self._folder.stranger() else "it is of another catalog or version"
        if current is not None:
            try:
                view = view_of(open_index(current), self._seal)
                why = "" if view.generation <= latest else "it is ahead of the catalog"
            except BaseException as exc:
                if not _is_damage(exc):
                    raise
                why = str(exc)
            if not why:
                self._view, self._at = view, current
                self._folder.tidy()
                return
        if why:
            _log.warning("the words of collection %r are indexed anew: %s", self._collection, why)
        new = self._folder.begin()
        self._view, self._at = view_of(open_index(new), self._seal), new
        self._folder.switch(new)


def _is_damage(exc: BaseException) -> bool:
    """Whether this is how Tantivy says that files are damaged: an error, or a panic, which is not an Exception."""
    return isinstance(exc, ValueError | OSError | RuntimeError) or type(exc).__name__ == "PanicException"
