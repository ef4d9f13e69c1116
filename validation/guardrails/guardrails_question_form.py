"""A validator for Guardrails AI on the form of questions: neither empty nor endless, and without control characters."""

from __future__ import annotations

import re
from typing import Any

from guardrails import OnFailAction, Validator, register_validator
from guardrails_ai.types import FailResult, PassResult, ValidationResult

_CONTROL = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\U000e0000-\U000e007f]"
)


@register_validator(name="footnote/question_form", data_type="string")
class QuestionForm(Validator):  # type: ignore[misc]
    """Fails on a text that is empty, longer than `max_chars`, or holds control characters, characters that change the
    direction, or halves of characters."""

    def __init__(self, max_chars: int = 4000, on_fail: OnFailAction = OnFailAction.REFRAIN) -> None:
        super().__init__(on_fail=on_fail, max_chars=max_chars)
        self._max_chars = int(max_chars)

    def _validate(self, value: Any, metadata: dict[str, Any]) -> ValidationResult:
        if not value.strip():
            return FailResult(error_message="The question is empty. Write a question.")
        if len(value) > self._max_chars:
            return FailResult(
                error_message=f"The question has {len(value)} characters; shorten it to {self._max_chars} or fewer."
            )
        if _CONTROL.search(value):
            return FailResult(error_message="The question contains control characters. Remove them.")
        return PassResult()
