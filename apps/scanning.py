"""Passages are checked before they are stored: each keeps the rules that it breaks as its flags."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from contracts import Chunk, Document, ParseError, ParseFailure, PassageGuard

HIDDEN_TEXT = "hidden_text"  # the flag of every hidden chunk, so that there is one way to ask
_AT_ONCE = 256  # passages

Broken = Sequence[tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class PassageScans:
    """Checks the passages of files that are indexed at the same time together, as far as one guard judges them."""

    _rounds: dict[str, _Rounds] = field(default_factory=dict, init=False)

    async def flag(self, guard: PassageGuard, document: Document, chunks: Sequence[Chunk]) -> tuple[Chunk, ...]:
        """Return the chunks with their flags, and no others. Raises ParseError when they cannot be checked: nothing is
        stored unchecked."""
        rounds = self._rounds.setdefault(guard.version, _Rounds(guard))
        flagged: list[Chunk] = []
        try:
            for start in range(0, len(chunks), _AT_ONCE):
                some = chunks[start : start + _AT_ONCE]
                found = await rounds.check([shown_text(document, chunk) for chunk in some])
                flagged += [_flagged(chunk, rules) for chunk, rules in zip(some, found, strict=True)]
        except Exception as exc:
            message = f"The passages of {document.source!r} could not be checked, so they were not stored: {exc!r}."
            raise ParseError(ParseFailure.INTERNAL, message) from exc
        return tuple(flagged)


def shown_text(document: Document, chunk: Chunk) -> str:
    """Return what is checked of a chunk: all that a prompt shows of it, its title and headings too."""
    return "\n".join((*dict.fromkeys((document.title, *chunk.headings)), chunk.text))


def count_flagged(chunks: Sequence[Chunk]) -> int:
    """Return how many of the chunks have flags."""
    return sum(bool(chunk.flags) for chunk in chunks)


def _flagged(chunk: Chunk, rules: Sequence[str]) -> Chunk:
    flags = {*rules, HIDDEN_TEXT} if chunk.hidden else set(rules)
    return replace(chunk, flags=tuple(sorted(flags)))


@dataclass(slots=True, eq=False)
class _Waiting:
    texts: Sequence[str]
    found: asyncio.Future[Broken]


class _Rounds:
    """What comes in while one round is checked makes up the next."""

    def __init__(self, guard: PassageGuard) -> None:
        self._guard = guard
        self._waiting: list[_Waiting] = []
        self._task: asyncio.Task[None] | None = None

    async def check(self, texts: Sequence[str]) -> Broken:
        """Return the rules that each text breaks. Raises what the guard raises."""
        waiting = _Waiting(texts, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())
        return await waiting.found

    async def _run(self) -> None:
        await asyncio.sleep(0)  # lets those join that are ready at the same moment
        while self._waiting:
            batch = self._next_round()
            try:
                await self._round(batch)
            except Exception as exc:
                await self._one_by_one(batch, exc)

    def _next_round(self) -> list[_Waiting]:
        taken: list[_Waiting] = []
        texts = 0
        while self._waiting and (not taken or texts + len(self._waiting[0].texts) <= _AT_ONCE):
            taken.append(self._waiting.pop(0))
            texts += len(taken[-1].texts)
        return [each for each in taken if not each.found.done()]  # not those that were called off

    async def _round(self, batch: Sequence[_Waiting]) -> None:
        texts = [text for each in batch for text in each.texts]
        found = list(await self._guard.check(texts)) if texts else []
        if len(found) != len(texts):
            raise ValueError(f"the guard judged {len(found)} of {len(texts)} passages")
        start = 0
        for each in batch:
            end = start + len(each.texts)
            if not each.found.done():
                each.found.set_result(found[start:end])
            start = end

    async def _one_by_one(self, batch: Sequence[_Waiting], error: Exception) -> None:
        """What fails together is tried again apart, so that one file's failure is its own."""
        for each in batch:
            try:
                if len(batch) == 1:
                    raise error
                await self._round([each])
            except Exception as exc:
                if not each.found.done():
                    each.found.set_exception(exc)
