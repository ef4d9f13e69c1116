"""The sentences of a summary, each checked against the few passages that it may rest on."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from apps.draft import Draft
from apps.likely_passages import LikelyPassages
from apps.stages import Stages
from contracts import CheckedSentence, Guards, Hit

_MARKERS = re.compile(r"(?:\s|(?<!\w))\[\d{1,3}(?:\s*[,;]\s*\d{1,3})*\]")


@dataclass(frozen=True, slots=True)
class SummarySentences:
    """Releases sentences into the draft; its `sources` become the passages that are cited."""

    likely: LikelyPassages
    guards: Guards
    is_refusal: Callable[[str], bool]
    question: str
    compared: int
    stages: Stages
    draft: Draft

    async def check(self, sentence: str) -> None:
        """Release the sentence if it passes, citing what supports it."""
        sentence, draft = _MARKERS.sub("", sentence), self.draft  # the model saw no markers: these are none of ours
        if not sentence.strip() or draft.finish != "complete":
            return
        with self.stages("output_guard", inputs={"sentence": sentence}) as span:
            if self.is_refusal(sentence):
                return
            sources = self.likely.of(sentence, self.compared)
            checked = await self.guards.output.check(sentence, sources, self.question)
            span.set(outputs={"text": checked.text, "outcome": checked.outcome, "markers": list(checked.markers)})
        await draft.report(checked.violations)
        if checked.outcome in ("block", "abstain"):
            draft.finish = "blocked" if checked.outcome == "block" else "abstained"
        elif checked.outcome in ("pass", "flag"):
            # Each sentence has its own few passages: their markers become those of the whole summary.
            checked = self._numbered(checked, sources)
            if not draft.holds(checked):
                await draft.add(checked, sentence)

    def _numbered(self, checked: CheckedSentence, sources: Sequence[Hit]) -> CheckedSentence:
        draft, numbers = self.draft, dict[int, int]()
        for marker in checked.markers:
            hit = sources[marker - 1]
            if hit not in draft.sources:
                draft.sources = (*draft.sources, hit)
            numbers[marker] = draft.sources.index(hit) + 1

        def renumber(match: re.Match[str]) -> str:
            return f"[{numbers.get(int(match.group(1)), int(match.group(1)))}]"

        text = re.sub(r"\[(\d{1,3})\]", renumber, checked.text)
        return replace(checked, text=text, markers=tuple(numbers[marker] for marker in checked.markers))
