"""What is to be said of a sentence of an answer: its markers, how well they support it, and what they quote."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from contracts import Attribution, Hit
from validation.support.citations import closest_passages, keep_markers, settle, without_markers
from validation.support.quotes import quote_span


@dataclass(frozen=True, slots=True)
class Judged:
    """A sentence with its markers settled, and the passages behind them. One that is not `supported` has no markers,
    and `support` says how close the closest passage is in its words. `quotes[i]` is the range in the text of the chunk
    of `markers[i]`, where hits were given. `reason` says why there is no support: "number" or "name" where no passage
    has it for this, "contradiction", "place" where it stands in the place of another, "words" where too few are shared.
    """

    text: str
    supported: bool
    markers: tuple[int, ...] = ()
    attributed_by: Attribution = "matched"
    support: float = 0.0
    quotes: tuple[tuple[int, int] | None, ...] = ()
    reason: str = ""


def judge(
    sentence: str, passages: Sequence[str], hits: Sequence[Hit] = (), question: str = "", *, min_support: float = 0.6
) -> Judged:
    """Return the judgement on `sentence`, whose markers name `passages`, 1-based, and the chunks of `hits`.

    Markers that name no passage go, those the model wrote stay where they support the sentence, others are found for
    it. It counts as supported when the passages hold its numbers and names, say nothing against it, and share at least
    `min_support` of its content words. Names in `question` may be shortened in the passages.
    """
    written = keep_markers(sentence, len(passages))
    settled = settle(written, passages, min_support, question)
    if settled is None:
        support, reason = closest_passages(without_markers(written), passages, question)
        return Judged(_unmarked(written), False, support=support, reason=reason or "words")
    said = without_markers(written)
    quotes = tuple(quote_span(said, hits[marker - 1].chunk.text) if hits else None for marker in settled.markers)
    return Judged(settled.text, True, settled.markers, settled.attributed_by, settled.score, quotes)


def _unmarked(sentence: str) -> str:
    """`sentence` without markers, and with the white space around it."""
    head = sentence[: len(sentence) - len(sentence.lstrip())]
    return f"{head}{without_markers(sentence)}{sentence[len(sentence.rstrip()) :]}"
