"""Texts of many callers, computed together: what waits while the model is busy goes into its next batches."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from threading import Lock

from contracts import Vectors

_CALL_TOKENS = 48  # what a call of the model costs before its first text, in tokens; more padding is not worth it
_MOST_OVERTAKEN = 4  # batches; then what waits longest has its turn, so that many queries never stop an ingestion


@dataclass(frozen=True, slots=True)
class _Waiting:
    """Texts of one caller. `longest` and `tokens` are estimates: of the longest text, and of all."""

    texts: list[str]
    longest: int
    tokens: int
    rows: Future[Vectors] = field(default_factory=Future)


class MicroBatches:
    """Runs `encode` on `executor`, one batch at a time, for callers on any thread or event loop.

    `encode` gets texts and returns a row for each. Callers with the fewest tokens go first, so that a query waits for
    no more than the batch under way, and those with texts of like length share a batch of at most `most_tokens`,
    padding counted. Nobody waits for a batch to fill. When a batch fails, each caller's texts are tried alone.
    """

    def __init__(self, encode: Callable[[list[str]], Vectors], executor: Executor, *, most_tokens: int) -> None:
        self._encode = encode
        self._executor = executor
        self.most_tokens = most_tokens
        self._lock = Lock()
        self._waiting: list[_Waiting] = []
        self._overtaken = 0

    async def rows(self, texts: list[str], tokens: Sequence[int]) -> Vectors:
        """Return a row per text; `tokens[i]` is about how many tokens texts[i] is. Raises what `encode` raises."""
        return await asyncio.wrap_future(self.submit(texts, tokens))

    def submit(self, texts: list[str], tokens: Sequence[int]) -> Future[Vectors]:
        """Return at once what `rows` will return."""
        mine = _Waiting(texts, max(tokens), sum(tokens))
        with self._lock:
            self._waiting.append(mine)
        self._executor.submit(self._next_batch)  # one for each caller is enough: each call computes somebody's texts
        return mine.rows

    def _next_batch(self) -> None:
        with self._lock:
            batch = self._take()
        batch = [each for each in batch if each.rows.set_running_or_notify_cancel()]
        if not batch:
            return
        try:
            rows = self._encode([text for each in batch for text in each.texts])
        except Exception as exc:
            self._one_by_one(batch, exc)
            return
        done = 0
        for each in batch:
            mine = rows[done : done + len(each.texts)]
            each.rows.set_result(mine.copy() if len(batch) > 1 else mine)  # a part of an array keeps all of it alive
            done += len(each.texts)

    def _take(self) -> list[_Waiting]:
        """Return what goes into the next batch and forget it."""
        if not self._waiting:
            return []
        oldest = self._waiting[0]
        order = sorted(self._waiting, key=lambda each: each.tokens)
        if self._overtaken >= _MOST_OVERTAKEN:
            order = [oldest]
        batch: list[_Waiting] = []
        texts = tokens = longest = 0
        for each in order:
            texts, tokens, longest = texts + len(each.texts), tokens + each.tokens, max(longest, each.longest)
            padded = texts * longest
            if batch and (padded > self.most_tokens or padded - tokens > _CALL_TOKENS * len(batch)):
                break
            batch.append(each)
        taken = set(map(id, batch))
        self._waiting = [each for each in self._waiting if id(each) not in taken]
        self._overtaken = 0 if id(oldest) in taken else self._overtaken + 1
        return batch

    def _one_by_one(self, batch: Sequence[_Waiting], error: Exception) -> None:
        if len(batch) == 1:
            batch[0].rows.set_exception(error)
            return
        for each in batch:
            try:
                each.rows.set_result(self._encode(each.texts))
            except Exception as exc:
                each.rows.set_exception(exc)
