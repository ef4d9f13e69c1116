"""Guardrails AI validators for what may be talked about: topics by meaning, and banned words."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from guardrails import OnFailAction, Validator, register_validator
from guardrails_ai.types import ErrorSpan, FailResult, PassResult, ValidationResult
from numpy.typing import NDArray

from validation.banned_words import BannedList
from validation.topics import Topic, off_limits, topic_vectors

Encode = Callable[[Sequence[str]], Awaitable[NDArray[np.float32]]]


@register_validator(name="footnote/topics", data_type="string")
class Topics(Validator):  # type: ignore[misc]
    """Fails on a question about a `denied` topic, or, where topics are `allowed`, about none of these.

    A topic is a name, or {"name": ..., "examples": [...]}. It counts when its cosine with the question is at least
    `threshold`, and a denied one must be closer than every allowed one: near misses are told apart by allowing what
    lies beside. `encode` returns unit vectors of texts. On Banking77 with three examples each, .5 finds 92% of what is
    denied and none of SQuAD's questions.
    """

    def __init__(
        self,
        denied: Sequence[str | Mapping[str, Any]] = (),
        allowed: Sequence[str | Mapping[str, Any]] = (),
        threshold: float = 0.5,
        encode: Encode | None = None,
        on_fail: OnFailAction = OnFailAction.REFRAIN,
    ) -> None:
        super().__init__(on_fail=on_fail, denied=list(denied), allowed=list(allowed), threshold=threshold)
        if encode is None:
            raise ValueError("topics are compared by a sentence encoder: give `encode`")
        self._denied = tuple(map(Topic.of, denied))
        self._allowed = tuple(map(Topic.of, allowed))
        self._threshold = threshold
        self._encode = encode
        self._vectors: NDArray[np.float32] | None = None

    async def async_validate(self, value: Any, metadata: dict[str, Any]) -> ValidationResult:
        """Return whether the question may be answered."""
        topics = (*self._denied, *self._allowed)
        if not topics:
            return PassResult()
        if self._vectors is None:  # two that come at once do the same work, once
            self._vectors = topic_vectors(
                topics, await self._encode([text for topic in topics for text in topic.texts])
            )
        question = (await self._encode([value]))[0]
        split = len(self._denied)
        denied, allowed = (self._denied, self._vectors[:split]), (self._allowed, self._vectors[split:])
        reason = off_limits(question, denied, allowed, self._threshold)
        return PassResult() if reason is None else FailResult(error_message=reason)

    def _validate(self, value: Any, metadata: dict[str, Any]) -> ValidationResult:
        """The same for a Guard that is not asynchronous, on a thread of its own: this one may run a loop already."""
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(asyncio.run, self.async_validate(value, metadata)).result()


@register_validator(name="footnote/banned_words", data_type="string")
class BannedWords(Validator):  # type: ignore[misc]
    """Fails on a text with one of `words`, whatever its case; the fixed value has "[…]" in its place."""

    def __init__(self, words: Sequence[str] = (), on_fail: OnFailAction = OnFailAction.FIX) -> None:
        super().__init__(on_fail=on_fail, words=list(words))
        self._list = BannedList(words)

    def _validate(self, value: Any, metadata: dict[str, Any]) -> ValidationResult:
        spans = self._list.find(value)
        if not spans:
            return PassResult()
        fixed = value
        for start, end in reversed(spans):
            fixed = f"{fixed[:start]}[…]{fixed[end:]}"
        return FailResult(
            error_message="A banned word was left out.",
            fix_value=fixed,
            error_spans=[ErrorSpan(start=start, end=end, reason="banned word") for start, end in spans],
        )
