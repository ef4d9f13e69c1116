"""Checks stored passages again after the rules changed: no file is read for it, and nothing is embedded."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

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
class Rescanning:
    """The stage over its ports; `flag` returns chunks with their flags."""

    catalog: Catalog
    states: SourceStates
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
        found = await self.catalog.find(collection.name, done.document_id)
        if found is None:  # an archive: it has no passages
            await self.states.record(collection.name, [state])
            return done
        whole = await self.catalog.read(collection.name, done.document_id, found.document.version, collection.embedder)
        if whole.document.version != state.digest:
            raise NotFoundError(f"{state.source!r} is stored in another version by now.")
        chunks = await self.flag(whole.document, whole.chunks)
        if chunks == whole.chunks:
            await self.states.record(collection.name, [state])
            return done
        await self.catalog.put([replace(whole, chunks=chunks, state=state)], collection.embedder)
        return replace(done, outcome=Outcome.UPDATED, chunks=len(chunks), flagged=count_flagged(chunks))
