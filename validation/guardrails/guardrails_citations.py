"""Validators for Guardrails AI: citation markers, support by the sources, and answers that say nothing new.

Each works in any Guard. They read the numbered source texts from ``metadata={"passages": [...]}``, and the question
from ``metadata["question"]``. Importing this module imports Guardrails.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from guardrails import OnFailAction, Validator, register_validator
from guardrails_ai.types import FailResult, PassResult, ValidationResult

from validation.support.citations import keep_markers, only_repeats
from validation.support.judgement import Judged, judge
from validation.support.refusals import is_refusal

_REASONS = {
    "number": "No source has a number or date of the sentence for what it says.",
    "name": "No source has a name of the sentence for what it says.",
    "contradiction": "The closest source says otherwise.",
    "place": "The sentence puts a name or number in the place of another.",
    "words": "No source supports the sentence.",
}


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
    """Fails on a sentence that no passage supports to the degree `min_support`, 0 to 1; one that passes leaves with its
    markers settled.

    Either way ``metadata["judged"]`` of the result holds the fields of `validation.support.judgement.Judged`. Of
    ``metadata["hits"]``, the hits behind the passages, where given, come the quotes. The fixed value of a sentence that
    fails goes without markers.
    """

    override_value_on_pass = True

    def __init__(self, min_support: float = 0.6, on_fail: OnFailAction = OnFailAction.REFRAIN) -> None:
        super().__init__(on_fail=on_fail, min_support=min_support)
        self._min_support = min_support

    def _validate(self, value: Any, metadata: dict[str, Any]) -> ValidationResult:
        judged = _judge(value, metadata, self._min_support)
        if judged.supported:
            return PassResult(value_override=judged.text, metadata={"judged": asdict(judged)})
        message = _REASONS[judged.reason]
        return FailResult(error_message=message, fix_value=judged.text, metadata={"judged": asdict(judged)})


@register_validator(name="footnote/no_refusal", data_type="string")
class NoRefusal(Validator):  # type: ignore[misc]
    """Fails on a sentence in which the model says that it, or its sources, cannot answer."""

    def _validate(self, value: Any, metadata: dict[str, Any]) -> ValidationResult:
        if is_refusal(value):
            return FailResult(error_message="The model says that the sources do not answer the question.")
        return PassResult()


def _judge(sentence: str, metadata: dict[str, Any], min_support: float) -> Judged:
    hits, question = metadata.get("hits", ()), metadata.get("question", "")
    return judge(sentence, metadata["passages"], hits, question, min_support=min_support)
