"""The guards on questions and answers: validators of Guardrails AI, run together, and what their words come to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from contracts import CheckedSentence, Hit, Verdict, Violation
from contracts import Outcome as Word
from validation.guardrails.guardrails_runner import Check, Outcome, redacted, run_checks
from validation.personal_data.pii_kinds import Finding, PiiKind
from validation.personal_data.pii_placeholders import placeholders
from validation.support.citations import cited_markers, place_markers, without_markers

_ORDER: tuple[Word, ...] = ("block", "abstain", "drop")  # the strictest word on a sentence counts
_UNREDACTED = Violation("guard_failure", "What had to be left out of the text could not be, so it was held back.")


class GuardrailsInputGuard:
    """Port `InputGuard`. With `restore`, answers may show again what was taken out of the question."""

    def __init__(self, checks: Sequence[Check], *, restore: bool = False) -> None:
        self._checks = checks
        self._restore = restore

    async def check(self, question: str) -> Verdict:
        """Return a verdict; blocked means that the question must not go on."""
        outcomes = await run_checks(self._checks, question, {})
        violations = tuple(outcome.violation for outcome in outcomes if outcome.failed)
        if any(violation.action == "block" for violation in violations):
            return Verdict("", blocked=True, violations=violations)
        personal = [outcome for outcome in outcomes if outcome.failed and outcome.check.rule == "personal_data"]
        text, hidden = question, dict[str, str]()
        if personal and personal[0].on_fail == "redact" and personal[0].result.error_spans:
            spans = personal[0].result.error_spans
            text, hidden = placeholders(text, [Finding(PiiKind(span.reason), span.start, span.end) for span in spans])
        others = [outcome for outcome in outcomes if outcome not in personal]
        cleaned = await redacted(others, text, {}, judged=question)
        if cleaned is None:
            return Verdict("", blocked=True, violations=(*violations, _UNREDACTED))
        return Verdict(cleaned, violations=violations, restore=hidden if self._restore else {})


class GuardrailsOutputGuard:
    """Port `OutputGuard`. The rule `supported` settles a sentence's markers; what others take out is taken out of what
    is released, not of what is judged."""

    def __init__(self, checks: Sequence[Check]) -> None:
        self._checks = checks

    async def check(self, sentence: str, sources: Sequence[Hit], question: str = "") -> CheckedSentence:
        """Return the sentence, redacted and with its markers settled, and whether it may leave."""
        if not sentence.strip():
            return CheckedSentence("", outcome="drop")
        metadata = {"passages": [passage_text(hit) for hit in sources], "question": question, "hits": sources}
        outcomes = await run_checks(self._checks, sentence, metadata)
        violations = tuple(outcome.violation for outcome in outcomes if outcome.failed)
        words = {outcome.on_fail for outcome in outcomes if outcome.failed}
        strictest = next((word for word in _ORDER if word in words), None)
        if strictest == "block":
            return CheckedSentence("", outcome="block", violations=violations)
        text = await redacted([one for one in outcomes if one.check.rule != "supported"], sentence, metadata)
        if text is None:
            return CheckedSentence("", outcome="block", violations=(*violations, _UNREDACTED))
        if strictest is not None:
            return CheckedSentence(without_markers(text), outcome=strictest, violations=violations)
        return _settled(text, next((one for one in outcomes if one.check.rule == "supported"), None), violations)


def _settled(text: str, support: Outcome | None, violations: tuple[Violation, ...]) -> CheckedSentence:
    if support is None:  # the policy does not ask for support: the model's own markers count
        return CheckedSentence(text, cited_markers(text), "model", violations, support=1.0)
    head, tail = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
    plain = without_markers(text)
    if support.failed:
        return CheckedSentence(f"{head}{plain}{tail}", (), "matched", violations, outcome="flag")
    said: dict[str, Any] = support.result.metadata["judged"]
    return CheckedSentence(
        f"{head}{place_markers(plain, said['markers'])}{tail}",
        tuple(said["markers"]),
        said["attributed_by"],
        violations,
        support=said["support"],
        quotes=tuple(said["quotes"]),
    )


def passage_text(hit: Hit) -> str:
    """Return all that a reader sees of a source: the document's title, the headings and the text."""
    return "\n".join((hit.document.title, *hit.chunk.headings, hit.chunk.text))
