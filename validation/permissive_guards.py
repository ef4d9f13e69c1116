"""Guards that let everything pass, for tests and for wiring without Guardrails."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence

from contracts import CheckedSentence, Guards, Hit, InputGuard, OutputGuard, PassageGuard, Verdict
from validation.support.citations import cited_markers, keep_markers


class PermissiveInputGuard:
    """Lets every question pass as it is."""

    async def check(self, question: str) -> Verdict:
        """Return the question, never blocked."""
        return Verdict(question)


class VerbatimOutputGuard:
    """Lets every sentence pass as it is, save for markers that name no source."""

    async def check(self, sentence: str, sources: Sequence[Hit], question: str = "") -> CheckedSentence:
        """Return the sentence with the model's own markers; only white space is dropped."""
        if not sentence.strip():
            return CheckedSentence("", outcome="drop")
        text = keep_markers(sentence, len(sources))
        return CheckedSentence(text, cited_markers(text), "model", support=1.0)


class PermissivePassageGuard:
    """Finds nothing in any passage."""

    version = "permissive"

    async def check(self, texts: Sequence[str]) -> list[tuple[str, ...]]:
        """Return no rule for each text."""
        return [() for _ in texts]


class FlaggingPassageGuard:
    """Finds words: `words` maps each to the rule that a passage which holds it breaks."""

    def __init__(self, words: Mapping[str, str]) -> None:
        self.words = dict(words)
        told = json.dumps(self.words, sort_keys=True)
        self.version = f"words-{hashlib.sha256(told.encode()).hexdigest()[:12]}"

    async def check(self, texts: Sequence[str]) -> list[tuple[str, ...]]:
        """Return, for each text, the rules of the words that it holds, each once."""
        return [tuple(dict.fromkeys(rule for word, rule in self.words.items() if word in text)) for text in texts]


class FixedPolicies:
    """Port `GuardPolicies`: the same guards for every collection, by default such as let everything pass."""

    def __init__(
        self,
        *,
        input: InputGuard | None = None,
        output: OutputGuard | None = None,
        passages: PassageGuard | None = None,
        quarantined: Sequence[str] = (),
        version: str = "fixed",
    ) -> None:
        self._guards = Guards(
            input=input or PermissiveInputGuard(),
            passages=passages or PermissivePassageGuard(),
            output=output or VerbatimOutputGuard(),
            quarantined=frozenset(quarantined),
            version=version,
        )

    def guards(self, collection: str) -> Guards:
        """Return the guards."""
        return self._guards

    def passage_guard(self, collection: str) -> PassageGuard:
        """Return what checks passages."""
        return self._guards.passages
