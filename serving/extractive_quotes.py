"""Answers made of the sources' own sentences: those that speak of the question most, each under its marker."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from contracts import Hit, Vectors
from serving.sentence_focus import ranked
from serving.statements import Statement
from serving.telling_words import telling_words

Encode = Callable[[Sequence[str]], Awaitable[Vectors]]

_COMPARED = 12  # statements whose vectors are looked at, the best by their words
_FAR_BELOW = 0.35  # of score, below the best: what is further down would only distract
_SAME = 0.8  # of the words that two statements share, from which on they say the same


@dataclass(frozen=True, slots=True)
class Quote:
    """A statement of the source under `marker`, 1-based, and where it stands in the text of the source's chunk. `text`
    is what stands there with its line breaks taken out; a table's row comes with the names of its columns."""

    marker: int
    text: str
    span: tuple[int, int]


async def quotes(question: str, sources: Sequence[Hit], limit: int = 3, encode: Encode | None = None) -> list[Quote]:
    """Return one to `limit` statements of `sources` that answer `question` best, none without sources.

    They are chosen by the telling words they share with it and, with `encode`, by their vectors as well; what says the
    same again is left out. The source of the best one comes first; within a source they stand as in its text.
    """
    scored = ranked(question, sources)
    if encode and scored:
        scored = await _with_similarity(question, scored[:_COMPARED], encode)
    chosen: list[Statement] = []
    for statement, score in scored:
        if len(chosen) == limit or (chosen and score < scored[0][1] - _FAR_BELOW):
            break
        if not any(_says_the_same(statement, other) for other in chosen):
            chosen.append(statement)
    first = {source: at for at, source in reversed(list(enumerate(statement.source for statement in chosen)))}
    chosen.sort(key=lambda statement: (first[statement.source], statement.span))
    return [Quote(statement.source + 1, statement.text, statement.span) for statement in chosen]


async def _with_similarity(
    question: str, scored: Sequence[tuple[Statement, float]], encode: Encode
) -> list[tuple[Statement, float]]:
    vectors = await encode([question, *(statement.text for statement, _ in scored)])
    similar = vectors[1:] @ vectors[0]
    joined = [(statement, score + float(cosine)) for (statement, score), cosine in zip(scored, similar, strict=True)]
    return sorted(joined, key=lambda pair: pair[1], reverse=True)


def _says_the_same(one: Statement, other: Statement) -> bool:
    ours, theirs = telling_words(one.text), telling_words(other.text)
    return len(ours & theirs) >= _SAME * max(1, len(ours | theirs))
