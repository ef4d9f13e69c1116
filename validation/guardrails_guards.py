"""The guards on questions and answers, built on Guardrails AI; a validator that breaks blocks."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from contracts import CheckedSentence, Hit, Verdict, Violation
from validation.citations import cited_markers
from validation.guardrails_offline import offline_guard, silence_guardrails

_log = logging.getLogger(__name__)
_BROKEN = Violation("guard_failure", "The check itself failed, so the text was held back. Try again.")


class GuardrailsInputGuard:
    """Blocks questions that are empty, too long or an attempt to steer the model; takes personal data out of others.

    Building one imports Guardrails, which takes seconds. A check takes about a millisecond of pure Python, too little
    to gain from a thread, and runs on the event loop.
    """

    def __init__(self, max_chars: int = 4000) -> None:
        silence_guardrails()
        from guardrails import OnFailAction

        from validation.guardrails_validators import PersonalData, PromptInjection, QuestionForm

        self._checks = Checks(
            {
                "question_form": QuestionForm(max_chars=max_chars),
                "prompt_injection": PromptInjection(on_fail=OnFailAction.REFRAIN),
                "personal_data": PersonalData(),
            }
        )

    async def check(self, question: str) -> Verdict:
        """Return a verdict; blocked means that the question must not go on."""
        text, violations = self._checks.run(question)
        return Verdict(text=text or "", blocked=text is None, violations=violations)


class GuardrailsOutputGuard:
    """Lets a sentence out only if a source supports it, with its markers settled and personal data taken out."""

    def __init__(self, min_support: float = 0.6) -> None:
        silence_guardrails()
        from guardrails import OnFailAction

        from validation.guardrails_validators import CitationsExist, PersonalData, SaysMore, Supported

        # Support is judged before redaction, which takes words away that the source holds.
        self._checks = Checks(
            {
                "citations_exist": CitationsExist(on_fail=OnFailAction.FIX),
                "says_more": SaysMore(on_fail=OnFailAction.REFRAIN),
                "supported": Supported(min_support=min_support),
                "personal_data": PersonalData(allow_shown=True),
            }
        )

    async def check(self, sentence: str, sources: Sequence[Hit], question: str = "") -> CheckedSentence | None:
        """Return the sentence, redacted and with its markers settled; None when no source supports it, or when it only
        says the question again."""
        passages = tuple(passage_text(hit) for hit in sources)
        text, violations = self._checks.run(sentence, passages, question)
        if text is None:
            return None
        markers = cited_markers(text)
        by_model = set(markers) <= set(cited_markers(sentence))
        return CheckedSentence(text, markers, "model" if by_model else "matched", violations)


def passage_text(hit: Hit) -> str:
    """Return all that a reader sees of a source: the document's title, the headings and the text."""
    return "\n".join((hit.document.title, *hit.chunk.headings, hit.chunk.text))


class Checks:
    """Runs validators in order; a violation's rule is the name a validator has here."""

    def __init__(self, validators: Mapping[str, Any]) -> None:
        self._guard = offline_guard(*validators.values())
        self._rules = {type(validator).__name__: rule for rule, validator in validators.items()}

    def run(
        self, text: str, passages: Sequence[str] = (), question: str = ""
    ) -> tuple[str | None, tuple[Violation, ...]]:
        """Return the text to go on with, None when it must not go on, and what was found."""
        if not text:  # Guardrails refuses to be called without a text, before any validator runs
            text = " "
        try:
            outcome = self._guard.validate(text, metadata={"passages": passages, "question": question})
        except Exception:  # whatever breaks inside a check, an unchecked text must not pass
            _log.exception("A guard failed; the text is held back.")
            return None, (_BROKEN,)
        violations = tuple(
            Violation(self._rules.get(summary.validator_name, summary.validator_name), summary.failure_reason or "")
            for summary in outcome.validation_summaries or ()
        )
        held_back = not outcome.validation_passed or not isinstance(outcome.validated_output, str)
        return (None if held_back else outcome.validated_output), violations
