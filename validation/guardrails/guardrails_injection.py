"""A validator for Guardrails AI against prompts that steer the model instead of asking something."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import numpy as np
from guardrails import OnFailAction, Validator, register_validator
from guardrails_ai.types import FailResult, PassResult, ValidationResult

from contracts import Vectors
from validation.injection.injection_model import injection_models
from validation.injection.injection_patterns import find_injection

_log = logging.getLogger(__name__)
_MOST_PIECES = 8  # of 800 characters; the form of questions is checked elsewhere, this bounds the time of one check


@register_validator(name="footnote/prompt_injection", data_type="string")
class PromptInjection(Validator):  # type: ignore[misc]
    """Fails on a text that gives the model orders: one with a well-known wording, or one that a trained classifier
    scores `threshold` or more.

    The classifier reads the text's words and the vectors that `encode` makes of it, where they are of the model that
    it was trained with; else its words alone. A failing `encode` raises. It runs in `async_validate`; `validate` judges
    by words, unless there is no event loop in its thread and it can wait for the vectors.
    """

    def __init__(
        self,
        threshold: float = 0.4,
        encode: Callable[[Sequence[str]], Awaitable[Vectors]] | None = None,
        encoder_name: str = "all-MiniLM-L6-v2",
        on_fail: OnFailAction = OnFailAction.REFRAIN,
    ) -> None:
        super().__init__(on_fail=on_fail, threshold=threshold, encoder_name=encoder_name)
        if not 0 < float(threshold) <= 1:
            raise ValueError(f"The threshold is {threshold}; it must be above 0 and at most 1.")
        self._threshold = float(threshold)
        self._models = injection_models()
        self._encode = encode if encoder_name == self._models.encoder else None
        if encode is not None and self._encode is None:
            _log.warning(
                "the injection classifier was trained with %r, not with %r: it judges by words alone",
                self._models.encoder,
                encoder_name,
            )

    def _validate(self, value: Any, metadata: dict[str, Any]) -> ValidationResult:
        known = _known_wording(value)
        if known is not None:
            return known
        pieces = self._pieces(value)
        return self._verdict(self._models.score(pieces, self._vectors_now(pieces)))

    async def async_validate(self, value: Any, metadata: dict[str, Any]) -> ValidationResult:
        """Return a PassResult, or a FailResult that names the wording or the score. Raises what `encode` does."""
        known = _known_wording(value)
        if known is not None:
            return known
        pieces = self._pieces(value)
        vectors = None if self._encode is None else np.asarray(await self._encode(pieces))
        return self._verdict(self._models.score(pieces, vectors))

    def _pieces(self, value: str) -> list[str]:
        """Return the parts to judge: all of a question, the first and the last ones of a text without measure."""
        pieces = self._models.pieces(value)
        return pieces if len(pieces) <= _MOST_PIECES else [*pieces[: _MOST_PIECES // 2], *pieces[-_MOST_PIECES // 2 :]]

    def _vectors_now(self, pieces: Sequence[str]) -> Vectors | None:
        if self._encode is None or _in_event_loop():
            return None
        return np.asarray(asyncio.run(_awaited(self._encode(pieces))))

    def _verdict(self, score: float) -> ValidationResult:
        if score < self._threshold:
            return PassResult()
        return FailResult(
            error_message=f"The question looks like an attempt to steer the model (score {score:.2f}). Ask it in other "
            "words."
        )


def _known_wording(value: str) -> FailResult | None:
    category = find_injection(value)
    if category is None:
        return None
    return FailResult(
        error_message=f"The question looks like an attempt to steer the model ({category}). Ask it in other words."
    )


def _in_event_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


async def _awaited(vectors: Awaitable[Vectors]) -> Vectors:
    return await vectors
