"""A FAISS view of one collection's vectors that follows the catalog."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from contracts import Change, ChangeFeed, Selection, StoredVectors
from retrieval.dense.faiss_exact import Found, Scores, nearest
from retrieval.dense.faiss_threads import open_search_threads
from retrieval.dense.index_contents import nothing
from retrieval.dense.index_policy import IndexPolicy
from retrieval.dense.index_snapshots import SnapshotPlace, discard
from retrieval.dense.index_state import IndexState, Moment
from retrieval.dense.index_upkeep import IndexUpkeep
from retrieval.dense.snapshot_files import MisfitError, Snapshot, UnreadableError, read

T = TypeVar("T")

_BATCH = 256  # documents whose vectors are fetched and applied at once
_log = logging.getLogger(__name__)


class FaissIndex:
    """Port `DenseIndex`: exact while that is fastest, then a structure that names candidates, which are compared with
    the query by their own vectors; `policy` says when. What came after the structure was built is searched exactly.

    A snapshot below `folder` is what a later process starts from. It can be deleted at any time and is made anew; one
    of another `catalog` is not read, and it goes as soon as it holds vectors that the catalog has no more. Structures
    and snapshots are made on a thread of their own once the collection has been quiet for `quiet_s`. Searches run on
    `threads`, which several indexes may share.
    """

    def __init__(
        self,
        feed: ChangeFeed,
        collection: str,
        *,
        embedder: str,
        dimension: int,
        folder: Path | None = None,
        catalog: str = "",
        policy: IndexPolicy | None = None,
        quiet_s: float = 2.0,
        threads: ThreadPoolExecutor | None = None,
    ) -> None:
        self._feed = feed
        self._collection = collection
        self._embedder = embedder
        self._dimension = dimension
        self._policy = policy or IndexPolicy()
        self._origin = f"{catalog} {collection} {embedder}"  # a snapshot of anything else does not fit
        self._place = SnapshotPlace(folder, collection, embedder) if folder else None
        self._state = IndexState(nothing(dimension))
        self._upkeep = IndexUpkeep(
            self._state, self._policy, self._place, origin=self._origin, dimension=dimension, quiet_s=quiet_s
        )
        self._generation: int | None = None  # None before the first refresh
        self._following = asyncio.Lock()
        self._own_threads = threads is None
        self._threads = threads or open_search_threads()

    @property
    def generation(self) -> int:
        """The generation this view stands for."""
        return self._generation or 0

    async def refresh(self) -> int:
        """Apply what changed in the catalog; return the generation now stood for."""
        latest = await self._feed.generation(self._collection)
        if latest == self._generation and not (self._upkeep.wants_reading or self._upkeep.wants_epoch):
            return latest
        async with self._following:
            await self._run(self._upkeep.note_epoch)
            latest = await self._feed.generation(self._collection)  # others may have followed further meanwhile
            if self._generation is None or latest < self._generation:
                self._generation = await self._run(self._open, latest)
            elif self._upkeep.wants_reading:
                await self._take_over(latest)
            if latest > self._generation:
                self._generation = await self._follow(self._generation, latest)
            self._upkeep.ask()
        return self._generation

    async def search(self, vector: NDArray[np.float32], k: int, selection: Selection) -> tuple[tuple[int, float], ...]:
        """Return up to k (key, cosine similarity) pairs, best first, of the selected documents only."""
        return await self._run(self._search, vector, k, selection)

    async def vectors(self, keys: Sequence[int]) -> Mapping[int, NDArray[np.float32]]:
        """Return the vectors of these keys as far as the view holds them, each of shape (dimension,)."""
        return await self._run(self._state.vectors, keys)

    async def settle(self) -> None:
        """Wait until the structure and the snapshot are as the policy wants them, without waiting for quiet."""
        await asyncio.to_thread(self._upkeep.settle)

    async def aclose(self) -> None:
        """Stop what is made in the background, and write the snapshot if one is due."""
        await asyncio.to_thread(self._upkeep.close)
        if self._own_threads:
            self._threads.shutdown()

    async def _follow(self, since: int, latest: int) -> int:
        changes = await self._feed.changes(self._collection, since)
        generation = max([latest, *(change.generation for change in changes)])
        for ids in _batches(changes):
            stored = await self._feed.vectors(ids, self._embedder)
            if await self._run(self._state.apply, ids, stored) and self._place is not None:
                await self._run(self._place.discard_before, generation)
        self._state.generation = generation
        return generation

    async def _take_over(self, latest: int) -> None:
        """Go on from another process's snapshot, in one step with what changed after it: searches never see less than
        before."""
        self._upkeep.wants_reading = False
        if (found := await self._run(self._newest, latest)) is None:
            return
        path, snapshot = found
        changes = await self._feed.changes(self._collection, snapshot.contents.generation)
        stored: dict[str, StoredVectors] = {}
        for ids in _batches(changes):
            stored.update(await self._feed.vectors(ids, self._embedder))
        changed = [change.document_id for change in changes]
        await self._run(self._state.reset, snapshot.contents, snapshot.structure, changed, stored)
        self._generation = max([latest, *(change.generation for change in changes)])
        self._state.generation = self._generation
        self._upkeep.started_from(path)

    async def _run(self, work: Callable[..., T], *arguments: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *arguments)

    # --- on a FAISS thread ---

    def _open(self, latest: int) -> int:
        """Start from the newest snapshot that fits, or from nothing; return the generation of that."""
        if self._place is not None:
            self._place.tidy()
        path, snapshot = self._newest(latest) or (None, Snapshot(nothing(self._dimension), None))
        self._state.reset(snapshot.contents, snapshot.structure)
        self._upkeep.started_from(path)
        return snapshot.contents.generation

    def _newest(self, latest: int) -> tuple[Path, Snapshot] | None:
        """Return the newest snapshot that fits. Others are discarded: none of them will."""
        while self._place is not None and (path := self._place.newest()) is not None:
            try:
                return path, read(path, origin=self._origin, latest=latest, dimension=self._dimension)
            except FileNotFoundError:
                continue  # another process removed it: for a newer one, perhaps
            except MisfitError:
                discard(path)
            except UnreadableError as exc:
                _log.warning("index snapshot %s is unreadable and is rebuilt: %s", path, exc)
                discard(path)
            if path.exists():  # it cannot be removed: another try would find it again
                return None
        return None

    def _search(self, vector: NDArray[np.float32], k: int, selection: Selection) -> tuple[tuple[int, float], ...]:
        query = np.ascontiguousarray(vector, dtype=np.float32)
        moment = self._state.moment(selection)
        slots, scores = self._nearest(query, min(k, moment.mask.selected), moment)
        pairs = zip(moment.keys[slots].tolist(), scores.tolist(), strict=True)
        return tuple(sorted(pairs, key=lambda pair: (-pair[1], pair[0])))

    def _nearest(self, query: Scores, k: int, moment: Moment) -> Found:
        mask, structure = moment.mask, moment.structure
        if structure is None or mask.selected <= max(self._policy.exact_rows, 10 * k):
            return nearest(query, moment.rows, mask.slots, k)
        found = structure.candidates(query, k, mask)
        behind = mask.slots_from(structure.covers)
        if len(found) < min(k, mask.selected - len(behind)):
            return nearest(query, moment.rows, mask.slots, k)
        return nearest(query, moment.rows, np.concatenate([np.sort(found), behind]), k)


def _batches(changes: Sequence[Change]) -> Iterator[list[str]]:
    for start in range(0, len(changes), _BATCH):
        yield [change.document_id for change in changes[start : start + _BATCH]]
