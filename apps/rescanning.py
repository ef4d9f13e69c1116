"""Checks stored passages again after the rules changed: no file is read for it, and nothing is embedded."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace

from apps.remembering import checked_recipe, outcome_of
from apps.scanning import count_flagged
from apps.side_by_side import side_by_side
from apps.sources import Indexed, Outcome
from contracts import (
    Catalog,
    Chunk,
    Collection,
    Document,
    NotFoundError,
    ParseError,
    ParseFailure,
    SourceState,
    SourceStates,
    StaleEmbedderError,
)

_AT_ONCE = 64  # documents


@dataclass(frozen=True, slots=True)
class StateBatches:
    """Writes the states of files that are done at the same time together: one transaction for each would take longer
    than the checks."""

    _waiting: dict[str, dict[str, SourceState]] = field(default_factory=dict, init=False)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    async def record(self, states: SourceStates, collection: str, state: SourceState) -> None:
        """Return when the state of a source is stored. Raises what the store raises."""
        waiting = self._waiting.setdefault(collection, {})
        waiting[state.source] = state
        async with self._turn:
            if waiting.get(state.source) is not state:  # it was stored along with another one
                return
            some = dict(waiting)
            await states.record(collection, list(some.values()))
            for source, stored in some.items():
                if waiting[source] is stored:
                    del waiting[source]


@dataclass(frozen=True, slots=True)
class Rescanning:
    """The stage over its ports; `flag` returns chunks with their flags, `batches` are those of all work under way."""

    catalog: Catalog
    states: SourceStates
    batches: StateBatches
    flag: Callable[[Document, Sequence[Chunk]], Awaitable[tuple[Chunk, ...]]]

    async def run(self, collection: Collection, states: Sequence[SourceState]) -> Indexed | None:
        """Check what is stored of a file and of those inside it, store it anew where its flags changed, and the states
        in any case; the file's own is the last of `states`. Return what became of it; None when only reading the file
        can bring it up to date. Raises ParseError."""
        done: list[Indexed] = []
        try:
            for state in states:
                done.append(await self._one(collection, state))
        except (NotFoundError, StaleEmbedderError):  # the collection has another embedder by now
            return None
        return replace(done.pop(), members=tuple(done))

    async def every(self, collection: Collection, guard: str) -> AsyncGenerator[Indexed]:
        """Check all of a collection that another version than `guard` checked, or none, and yield what became of it."""

        async def check(state: SourceState) -> Indexed:
            try:
                done = await self.run(collection, [state])
            except ParseError as exc:
                return Indexed(state.source, Outcome.FAILED, reason=exc.reason, message=str(exc))
            changed = f"{state.source!r} changed meanwhile: check again."
            return done or Indexed(state.source, Outcome.FAILED, reason=ParseFailure.INTERNAL, message=changed)

        known = (await self.states.states(collection.name)).values()
        stored = (
            (state, replace(state, recipe=checked_recipe(state.recipe, guard))) for state in known if not state.reason
        )
        async for done in side_by_side(check, (after for before, after in stored if before != after), _AT_ONCE):
            yield done

    async def _one(self, collection: Collection, state: SourceState) -> Indexed:
        done = outcome_of(collection.name, state)
        if done.document_id is None:  # it could not be read
            return done
        found = await self._stored(collection.name, done.document_id, state.digest)
        chunks = await self.flag(*found) if found else ()
        if not found or chunks == found[1]:
            await self.batches.record(self.states, collection.name, state)
            return done
        whole = await self.catalog.read(collection.name, done.document_id, state.digest, collection.embedder)
        await self.catalog.put([replace(whole, chunks=chunks, state=state)], collection.embedder)
        return replace(done, outcome=Outcome.UPDATED, chunks=len(chunks), flagged=count_flagged(chunks))

    async def _stored(self, name: str, document_id: str, version: str) -> tuple[Document, tuple[Chunk, ...]] | None:
        """Return a document in its current version; None for an archive. Raises NotFoundError when another version is
        the current one by now."""
        found = await self.catalog.find(name, document_id)
        if found is None:
            return None
        if found.document.version != version:
            raise NotFoundError(f"{found.document.source!r} is stored in another version by now.")
        return found.document, await self.catalog.chunks(name, document_id, version)
