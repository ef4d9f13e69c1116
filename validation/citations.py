"""Citation markers: read from a sentence, checked against the passages they name, and set where none was written.

A passage supports a sentence when it holds enough of the sentence's content words, every one of its numbers, and
does not say the opposite. Passages are plain texts; marker n stands for passages[n - 1].
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from contracts import Attribution
from validation.terms import Terms, terms_of

_MARKER = re.compile(
    r"\s*[\[【](?:(?:source|sources|quelle|passage)\s*)?\^?(\d{1,3}(?:\s*[,;]\s*\d{1,3})*)[\]】](?!\()", re.I
)
_FINAL = re.compile(r"(?:(?<![A-Za-z]\.[A-Za-z])[.]|[!?…:。！？])+[\"'”’»)*_]*$")

_ASKS_FOR_MORE = re.compile(
    r"\b(?:who|whom|whose|what|when|where|which|why|how|wer|wen|wem|was|wann|wo|welch\w*|warum|wie)\b", re.I
)


@dataclass(frozen=True, slots=True)
class Support:
    """The passages that support a sentence, best first, and the share of its content words they hold, in [0, 1]."""

    markers: tuple[int, ...]
    score: float


@dataclass(frozen=True, slots=True)
class Settled:
    """A sentence with its markers in place."""

    text: str
    markers: tuple[int, ...]
    attributed_by: Attribution
    score: float


def cited_markers(sentence: str) -> tuple[int, ...]:
    """Return the numbers of the markers in `sentence`, each once, in order.

    >>> cited_markers("It opens in May [2, 1] and closes in October [2].")
    (2, 1)
    """
    numbers = (int(number) for group in _MARKER.findall(sentence) for number in re.findall(r"\d+", group))
    return tuple(dict.fromkeys(numbers))


def without_markers(sentence: str) -> str:
    """Return `sentence` without its markers and without white space around it."""
    return _MARKER.sub("", sentence).strip()


def keep_markers(sentence: str, count: int) -> str:
    """Return `sentence` without the markers that name none of `count` passages.

    >>> keep_markers("It opens in May [1][7].", 3)
    'It opens in May [1].'
    """

    def rewrite(match: re.Match[str]) -> str:
        numbers = [int(number) for number in re.findall(r"\d+", match.group(1))]
        kept = [number for number in numbers if 1 <= number <= count]
        if kept == numbers:
            return match.group()
        return (" " if match.group()[0].isspace() else "") + "".join(f"[{number}]" for number in kept) if kept else ""

    return _MARKER.sub(rewrite, sentence)


def place_markers(text: str, markers: Sequence[int]) -> str:
    """Return `text` with the markers before its final punctuation.

    >>> place_markers("The hut opens on 1 May.", (1, 3))
    'The hut opens on 1 May [1][3].'
    """
    shown = "".join(f"[{marker}]" for marker in markers)
    if text.endswith("```"):
        return f"{text}\n{shown}"
    final = _FINAL.search(text)
    end = final.start() if final else len(text)
    return f"{text[:end].rstrip()} {shown}{text[end:]}"


def find_support(text: str, passages: Sequence[str], min_support: float) -> Support | None:
    """Return the passage, or the pair of passages, that supports `text` best, or None.

    A pair is considered only when no passage does it alone. Among equals the earlier passage wins. A text without
    content words is supported by nothing.
    """
    wanted = terms_of(text)
    if not wanted.words and not wanted.numbers:
        return None
    held = {marker: terms_of(passage) for marker, passage in enumerate(passages, start=1)}
    for size in (1, 2):
        scores = {group: _score(wanted, [held[marker] for marker in group]) for group in combinations(held, size)}
        best = max(scores, key=scores.__getitem__, default=None)
        if best is not None and _enough(scores[best], min_support):
            return Support(best, scores[best])
    return None


def only_repeats(sentence: str, question: str) -> bool:
    """Return whether `sentence` answers a who, what, when, ... with nothing but the words of the question.

    >>> only_repeats("The answer is: when the hut opens.", "When does the hut open?")
    True
    """
    if not _ASKS_FOR_MORE.search(question):
        return False
    said, asked = terms_of(without_markers(sentence)), terms_of(question)
    return said.words <= asked.words and said.numbers <= asked.numbers


def settle(sentence: str, passages: Sequence[str], min_support: float) -> Settled | None:
    """Return `sentence` with the markers of the passages that support it, or None when none does.

    Markers the model wrote stay if their passages support the sentence, each alone or all together; otherwise the
    sentence is matched to the passages that do. White space around the sentence is kept.
    """
    text = without_markers(sentence)
    cited = tuple(marker for marker in cited_markers(sentence) if 1 <= marker <= len(passages))
    support = _cited_support(text, cited, passages, min_support)
    attributed_by: Attribution = "model"
    if support is None:
        support, attributed_by = find_support(text, passages, min_support), "matched"
    if support is None:
        return None
    head = sentence[: len(sentence) - len(sentence.lstrip())]
    tail = sentence[len(sentence.rstrip()) :]
    return Settled(f"{head}{place_markers(text, support.markers)}{tail}", support.markers, attributed_by, support.score)


def _cited_support(text: str, cited: tuple[int, ...], passages: Sequence[str], min_support: float) -> Support | None:
    wanted = terms_of(text)
    held = {marker: terms_of(passages[marker - 1]) for marker in cited}
    scores = {marker: _score(wanted, [terms]) for marker, terms in held.items()}
    kept = tuple(marker for marker in cited if _enough(scores[marker], min_support))
    if kept:
        return Support(kept, max(scores[marker] for marker in kept))
    together = _score(wanted, list(held.values()))
    return Support(cited, together) if _enough(together, min_support) else None


def _enough(score: float, min_support: float) -> bool:
    return score > 0 and score >= min_support


def _score(wanted: Terms, held: Sequence[Terms]) -> float:
    numbers = frozenset[str]().union(*(_numbers_about(wanted, terms) for terms in held))
    if not wanted.numbers <= numbers or any(_contradicts(terms, wanted) for terms in held):
        return 0.0
    words = frozenset[str]().union(*(terms.words for terms in held))
    total = len(wanted.words) + len(wanted.numbers)
    return (len(wanted.words & words) + len(wanted.numbers)) / total if total else 0.0


def _numbers_about(wanted: Terms, held: Terms) -> frozenset[str]:
    """The numbers of `held` in the facts that speak of the same thing as `wanted`: "2 hours" is not "bus 2"."""
    said = frozenset[str]().union(*(fact.numbers for fact in wanted.facts))
    shared = [(fact.words & wanted.words, fact.numbers) for fact in held.facts]
    rivals = [words for words, numbers in shared if numbers - said]
    return frozenset[str]().union(
        *(
            numbers
            for words, numbers in shared
            if (words or not wanted.words) and not any(_says_more(rival, words) for rival in rivals)
        )
    )


def _says_more(rival: frozenset[str], words: frozenset[str]) -> bool:
    """Whether `rival`, a fact with another number, shares more words with the sentence, and most of `words`.

    "The fee is 12 euros per bed. Beds cost 30 euros." says nothing of a fee of 30 euros per bed.
    """
    return len(rival) > len(words) and 2 * len(rival & words) >= len(words)


def _contradicts(held: Terms, wanted: Terms) -> bool:
    """Whether, for some clause of `wanted`, every clause of `held` that is closest to it has the other polarity."""
    for clause in wanted.clauses:
        overlaps = [len(clause.words & other.words) for other in held.clauses]
        best = max(overlaps, default=0)
        if best < 2:
            continue
        closest = [other for other, overlap in zip(held.clauses, overlaps, strict=True) if overlap == best]
        if all(other.negated != clause.negated for other in closest):
            return True
    return False
