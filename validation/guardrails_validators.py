"""Validators for Guardrails AI: question size, prompt injection, personal data, citation markers and support.

Each works in any Guard. Those for answers read the numbered source texts from ``metadata={"passages": [...]}``.
Importing this module imports Guardrails.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from guardrails import OnFailAction, Validator, register_validator
from guardrails_ai.types import FailResult, PassResult, ValidationResult

from validation.citations import keep_markers, only_repeats, settle
from validation.injection import find_injection
from validation.pii import SECRET_KINDS, find_pii, redact, same_contact

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f]")


@register_validator(name="footnote/question_form", data_type="string")
class QuestionForm(Validator):  # type: ignore[misc]
    """Fails on a text that is empty, longer than `max_chars`, or holds control or direction-changing characters."""

    def __init__(self, max_chars: int = 4000, on_fail: OnFailAction = OnFailAction.REFRAIN) -> None:
        super().__init__(on_fail=on_fail, max_chars=max_chars)
        self._max_chars = max_chars

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


@register_validator(name="footnote/prompt_injection", data_type="string")
class PromptInjection(Validator):  # type: ignore[misc]
    """Fails on a text that gives the model orders instead of asking a question."""

    def _validate(self, value: Any, metadata: dict[str, Any]) -> ValidationResult:
        category = find_injection(value)
        if category is None:
            return PassResult()
        return FailResult(
            error_message=f"The question looks like an attempt to steer the model ({category}). Ask it in other words."
        )


@register_validator(name="footnote/personal_data", data_type="string")
class PersonalData(Validator):  # type: ignore[misc]
    """Fails on personal data; the fixed value has it replaced, as in "[email]".

    With `allow_shown`, an e-mail address or phone number that occurs in one of the passages passes.
    """

    def __init__(self, allow_shown: bool = False, on_fail: OnFailAction = OnFailAction.FIX) -> None:
        super().__init__(on_fail=on_fail, allow_shown=allow_shown)
        self._allow_shown = allow_shown

    def _validate(self, value: Any, metadata: dict[str, Any]) -> ValidationResult:
        findings = find_pii(value)
        if findings and self._allow_shown:
            shown = frozenset[str]().union(*(_contacts(passage) for passage in metadata["passages"]))
            findings = tuple(
                finding
                for finding in findings
                if finding.kind in SECRET_KINDS or same_contact(value[finding.start : finding.end]) not in shown
            )
        if not findings:
            return PassResult()
        kinds = ", ".join(sorted({finding.kind.value for finding in findings}))
        return FailResult(error_message=f"Personal data was left out: {kinds}.", fix_value=redact(value, findings))


@register_validator(name="footnote/citations_exist", data_type="string")
class CitationsExist(Validator):  # type: ignore[misc]
    """Fails on markers that name no passage; the fixed value goes without them."""

    def _validate(self, value: Any, metadata: dict[str, Any]) -> ValidationResult:
        kept = keep_markers(value, len(metadata["passages"]))
        if kept == value:
            return PassResult()
        return FailResult(error_message="A marker that names no source was left out.", fix_value=kept)


@register_validator(name="footnote/says_more", data_type="string")
class SaysMore(Validator):  # type: ignore[misc]
    """Fails on an answer that has no word beyond those of the question in ``metadata["question"]``.

    A question for yes or no passes: "Is it open?" is answered by its own words.
    """

    def _validate(self, value: Any, metadata: dict[str, Any]) -> ValidationResult:
        if only_repeats(value, metadata["question"]):
            return FailResult(error_message="The sentence only says the question again.")
        return PassResult()


@register_validator(name="footnote/supported", data_type="string")
class Supported(Validator):  # type: ignore[misc]
    """Fails on a sentence that no passage supports; one that passes leaves with its markers settled."""

    override_value_on_pass = True

    def __init__(self, min_support: float = 0.6, on_fail: OnFailAction = OnFailAction.REFRAIN) -> None:
        super().__init__(on_fail=on_fail, min_support=min_support)
        self._min_support = min_support

    def _validate(self, value: Any, metadata: dict[str, Any]) -> ValidationResult:
        settled = settle(value, metadata["passages"], self._min_support)
        if settled is None:
            return FailResult(error_message="No source supports the sentence.")
        return PassResult(value_override=settled.text)


@lru_cache(maxsize=256)
def _contacts(passage: str) -> frozenset[str]:
    return frozenset(same_contact(passage[finding.start : finding.end]) for finding in find_pii(passage))
