"""Answers that are kept: under what, with what, and whether one that is found still holds."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from apps.draft import Released
from apps.turn import Turn
from contracts import (
    Answer,
    AnswerCache,
    AnswerKey,
    CachedAnswer,
    CacheStats,
    CacheUpkeep,
    Hit,
    Query,
    Question,
    Retrieved,
    StoreUnavailableError,
    Usage,
    Vectors,
)

_AWAY = "The answer cache does not answer: check `footnote status`, or FOOTNOTE_CACHE__URL."
_CANDIDATES = 4  # the nearest question is not always the one that asks the same


class Evidence:
    """What a search finds for a turn, searched for once, when it is first needed. `pick` takes from it what an answer
    may rest on."""

    def __init__(
        self,
        turn: Turn,
        search: Callable[[Turn], Awaitable[Retrieved]],
        pick: Callable[[Turn, Retrieved], tuple[Hit, ...]],
    ) -> None:
        self._turn = turn
        self._search = search
        self._pick = pick
        self._found: tuple[Retrieved, tuple[Hit, ...]] | None = None

    async def get(self) -> Retrieved:
        """Return all that is found."""
        return (await self._both())[0]

    async def sources(self) -> tuple[Hit, ...]:
        """Return the passages that an answer may rest on."""
        return (await self._both())[1]

    async def of(self, answer: Answer, question: str) -> CachedAnswer:
        """Return the answer as it would be kept if it had been made from what is found now."""
        retrieved, sources = await self._both()
        rests_on = retrieved.hits if answer.abstained else sources
        return _entry(replace(answer, generation=retrieved.generation), rests_on, question)

    async def _both(self) -> tuple[Retrieved, tuple[Hit, ...]]:
        if self._found is None:
            retrieved = await self._search(self._turn)
            self._found = retrieved, self._pick(self._turn, retrieved)
        return self._found


@dataclass(frozen=True, slots=True)
class Lookup:
    """What was kept, if anything, under the key of a query when it was looked up."""

    query: Query
    key: AnswerKey
    entry: CachedAnswer | None


@dataclass(frozen=True, slots=True)
class CachedAnswers:
    """Answers kept in a store. `agrees` says whether two questions ask the same, from their texts and the similarity of
    their vectors, which `encode` makes; where it is None only the same words find an answer. An honest refusal is kept
    for a shorter time. `namespace` stands in keys for whatever else answers depend on, such as the catalog, so that
    others on the same store never meet."""

    cache: AnswerCache
    upkeep: CacheUpkeep
    encode: Callable[[Sequence[str]], Awaitable[Vectors]]
    agrees: Callable[[str, str, float], bool] | None = None
    enabled: bool = True
    ttl_s: int = 86_400
    refusal_ttl_s: int = 300
    namespace: str = ""

    def serves(self, question: Question) -> bool:
        """Return whether the answer may come from the cache: who asks for chance wants another one each time."""
        return self.enabled and not (question.options.get("temperature") or 0) > 0

    def key(self, turn: Turn, recipe: Sequence[str]) -> AnswerKey:
        """Return where the answer is kept: under everything that shapes it but the documents."""
        query = turn.query
        parts: list[Any] = [
            self.namespace,
            *recipe,
            turn.guards.version,
            [message.content for message in turn.history],
            query.collection,
            query.caller.scope,
            repr((query.filters, query.context)),
            query.top_k,
            turn.question.mode,
            turn.question.schema,
            dict(turn.question.options),
        ]
        space = hashlib.sha256(json.dumps(parts, sort_keys=True, default=repr).encode()).hexdigest()
        exact = hashlib.sha256(f"{space} {' '.join(query.text.lower().split())}".encode()).hexdigest()
        return AnswerKey(query.collection, exact, space)

    async def look_up(self, turn: Turn, recipe: Sequence[str]) -> Lookup:
        """Return what is kept under the turn's own key."""
        key = self.key(turn, recipe)
        return Lookup(turn.query, key, await self.cache.get(key))

    async def find(self, lookup: Lookup, turn: Turn, evidence: Evidence, generation: int) -> Answer | None:
        """Return a kept answer that still holds at this generation of the collection, as a hit: what was looked up, or
        the answer to a question that asks the same."""
        key, entry, similarity = lookup.key, lookup.entry, 1.0
        status: Literal["exact", "semantic"] = "exact"
        with turn.stages("cache", inputs={"key": key.exact}, generation=generation) as span:
            if entry is None and self.agrees is not None:
                entry, similarity = await self._similar(key, turn.query.text)
                status = "semantic"
            span.set(outputs={"found": entry is not None, "similarity": similarity})
        if entry is None:
            await self.upkeep.count("miss")
            return None
        held = entry
        if entry.answer.generation != generation:
            held = await evidence.of(entry.answer, entry.question)
            if held.evidence != entry.evidence:
                await self._reject(key, status)
                return None
        if held is not entry or status == "semantic":
            await self._keep(key, held, named=status == "exact")
        await self.upkeep.count(status, entry.answer.usage)
        return replace(held.answer, cache=status, usage=Usage())

    async def put(self, key: AnswerKey, question: str, answer: Answer, evidence: Evidence) -> None:
        """Keep the answer to a question that was just made from the evidence."""
        await self._keep(key, await evidence.of(answer, question), named=True)

    async def _similar(self, key: AnswerKey, question: str) -> tuple[CachedAnswer | None, float]:
        assert self.agrees is not None
        vector = (await self.encode([question]))[0]
        for found in await self.cache.similar(key, vector, _CANDIDATES):
            if self.agrees(question, found.entry.question, found.similarity):
                return found.entry, round(found.similarity, 4)
        return None, 0.0

    async def _keep(self, key: AnswerKey, entry: CachedAnswer, *, named: bool) -> None:
        """Keep the entry; others find it by the likeness of its question only where it was made for that question, so
        that an answer never drifts from one question to the next."""
        refused = entry.answer.abstained
        findable = named and not refused and self.agrees is not None
        vector = (await self.encode([entry.question]))[0] if findable else None
        await self.cache.put(key, entry, ttl_s=self.refusal_ttl_s if refused else self.ttl_s, vector=vector)

    async def _reject(self, key: AnswerKey, status: str) -> None:
        if status == "exact":  # an answer to a similar question may still hold for that one
            await self.cache.drop(key)
        await self.upkeep.count("stale")


def _entry(answer: Answer, hits: Sequence[Hit], question: str) -> CachedAnswer:
    """Return what is kept: the answer with the chunks that it rests on, which are those of its prompt; a refusal names
    the closest ones too. The same text in another document, or under another title, is other evidence."""
    evidence = tuple(f"{hit.document.id} {hit.document.title} {hit.chunk.id}" for hit in hits)
    return CachedAnswer(answer, evidence, tuple(sorted({hit.document.id for hit in hits})), question)


def released_again(answer: Answer) -> list[Released]:
    """Return the pieces of a cached answer as they were released when it was made: its text, sentence by sentence."""
    pieces, at = [], 0
    for sentence in answer.sentences:
        pieces.append(Released(answer.text[at : sentence.span[1]], sentence.supported))
        at = sentence.span[1]
    return [*pieces, Released(answer.text[at:])] if at < len(answer.text) else pieces


async def cache_stats(upkeep: CacheUpkeep) -> CacheStats:
    """Return what is cached. Raises StoreUnavailableError."""
    found = await upkeep.stats()
    if found is None:
        raise StoreUnavailableError(_AWAY)
    return found


async def cleared_answers(upkeep: CacheUpkeep, collection: str = "") -> int:
    """Remove every cached answer, or those from one collection, and return how many. Raises StoreUnavailableError."""
    count = await upkeep.clear(collection)
    if count is None:
        raise StoreUnavailableError(_AWAY)
    return count
