"""Guards that let everything pass, for tests and for wiring without Guardrails."""

from __future__ import annotations

from collections.abc import Sequence

from contracts import CheckedSentence, Hit, Verdict
from validation.citations import cited_markers, keep_markers


class PermissiveInputGuard:
    """Lets every question pass as it is."""

    async def check(self, question: str) -> Verdict:
        """Return the question, never blocked."""
        return Verdict(question)


class VerbatimOutputGuard:
    """Lets every sentence pass as it is, save for markers that name no source."""

    async def check(self, sentence: str, sources: Sequence[Hit], question: str = "") -> CheckedSentence | None:
        """Return the sentence with the model's own markers; None only for white space."""
        if not sentence.strip():
            return None
        text = keep_markers(sentence, len(sources))
        return CheckedSentence(text, cited_markers(text), "model")
