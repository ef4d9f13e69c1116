"""A validator for Guardrails AI that asks a model of natural language inference whether the sources say a sentence."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from guardrails import OnFailAction, Validator, register_validator
from guardrails_ai.types import FailResult, PassResult, ValidationResult

from validation.support.citations import without_markers
from validation.support.cross_encoder_entailment import CrossEncoderEntailment
from validation.support.groundedness import entailed, groundedness

_MOST_PASSAGES = 3  # that the model reads, the closest by their words: each takes it milliseconds to seconds


@register_validator(name="footnote/entailed", data_type="string")
class Entailed(Validator):  # type: ignore[misc]
    """Fails on a sentence that follows from none of ``metadata["passages"]`` with a probability of `threshold` or more.

    `model` is the hub id or the folder of a cross-encoder; it is loaded at the first use, and runs on a thread of its
    own. ``metadata["entailment"]`` of the result is the probability. What the model raises is raised.
    """

    def __init__(self, model: str, threshold: float = 0.5, on_fail: OnFailAction = OnFailAction.REFRAIN) -> None:
        super().__init__(on_fail=on_fail, model=model, threshold=threshold)
        self._model = CrossEncoderEntailment(model)
        self._threshold = threshold

    def _validate(self, value: Any, metadata: dict[str, Any]) -> ValidationResult:
        return asyncio.run(self._judge(value, metadata["passages"]))

    async def async_validate(self, value: Any, metadata: dict[str, Any]) -> ValidationResult:
        """Return a PassResult or a FailResult, with the probability in its metadata."""
        return await self._judge(value, metadata["passages"])

    async def _judge(self, sentence: str, passages: Sequence[str]) -> ValidationResult:
        said = without_markers(sentence)
        closest = sorted(passages, key=lambda passage: groundedness(said, passage), reverse=True)[:_MOST_PASSAGES]
        score = await entailed(said, closest, self._model)
        if score >= self._threshold:
            return PassResult(metadata={"entailment": score})
        return FailResult(
            error_message="The sentence does not follow from the sources.", metadata={"entailment": score}
        )
