"""Citation markers: read from a sentence, checked against the passages they name, and set where none was written.

What supports a sentence is for `support` to say. Passages are plain texts; marker n stands for passages[n - 1].
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from contracts import Attribution
from validation.support.support import closeness, objection, share, support
from validation.support.terms import terms_of

_MARKER = re.compile(
    r"\s*[\[【](?:(?:source|sources|quelle|passage)\s*)?\^?(\d{1,3}(?:\s*[,;]\s*\d{1,3})*)[\]】](?!\()", re.I
)
_FINAL = re.compile(r"(?:(?<![A-Za-z]\.[A-Za-z])[.]|[!?…:。！？])+[\"'”’»)*_]*$")

_MOST_IN_PAIRS = 8  # passages; all pairs of more would take too long

_ASKS_FOR_MORE = re.compile(
    r"\b(?:who|whom|whose|what|when|where|which|why|how|wer|wen|wem|was|wann|wo|welch\w*|warum|wie)\b", re.I
)


@dataclass(frozen=True, slots=True)
class Support:
    """The passages that support a sentence, best first, and how well they do, in [0, 1]."""

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


def find_support(text: str, passages: Sequence[str], min_support: float, question: str = "") -> Support | None:
    """Return the passage, or the pair of passages, that supports `text` best, or None.

    A pair is considered only when no passage does it alone, and only of the passages that share most words with `text`.
    Among equals the earlier passage wins. A text without content words is supported by nothing. Names that stand in
    `question` may be shortened in the passages.
    """
    wanted, known = terms_of(text), _names(question)
    if not wanted.words and not wanted.numbers:
        return None
    held = {marker: terms_of(passage, wanted.language) for marker, passage in enumerate(passages, start=1)}
    shares = {marker: share(wanted, [terms]) for marker, terms in held.items()}
    scores: dict[tuple[int, ...], float] = {
        (marker,): support(wanted, [held[marker]], known) for marker in held if shares[marker] >= min_support
    }
    found = _best(scores, min_support)
    if found is None:
        likely = sorted(sorted(held, key=shares.__getitem__, reverse=True)[:_MOST_IN_PAIRS])
        pairs = {
            pair: [held[marker] for marker in pair]
            for pair in combinations(likely, 2)
            if all(shares[one] for one in pair)
        }
        scores = {pair: support(wanted, two, known) for pair, two in pairs.items() if share(wanted, two) >= min_support}
        found = _best(scores, min_support)
    return found


def _best(scores: Mapping[tuple[int, ...], float], min_support: float) -> Support | None:
    best = max(scores, key=scores.__getitem__, default=None)
    return Support(best, scores[best]) if best is not None and _enough(scores[best], min_support) else None


def only_repeats(sentence: str, question: str) -> bool:
    """Return whether `sentence` answers a who, what, when, ... with nothing but the words of the question.

    >>> only_repeats("The answer is: when the hut opens.", "When does the hut open?")
    True
    """
    if not _ASKS_FOR_MORE.search(question):
        return False
    said = terms_of(without_markers(sentence))
    asked = terms_of(question, said.language)
    return said.words <= asked.words and said.numbers <= asked.numbers


def settle(sentence: str, passages: Sequence[str], min_support: float, question: str = "") -> Settled | None:
    """Return `sentence` with the markers of the passages that support it, or None when none does.

    Markers the model wrote stay if their passages support the sentence, each alone or all together; otherwise the
    sentence is matched to the passages that do. White space around the sentence is kept.
    """
    text = without_markers(sentence)
    cited = tuple(marker for marker in cited_markers(sentence) if 1 <= marker <= len(passages))
    support = _cited_support(text, [(marker, passages[marker - 1]) for marker in cited], min_support, _names(question))
    attributed_by: Attribution = "model"
    if support is None:
        support, attributed_by = find_support(text, passages, min_support, question), "matched"
    if support is None:
        return None
    head = sentence[: len(sentence) - len(sentence.lstrip())]
    tail = sentence[len(sentence.rstrip()) :]
    return Settled(f"{head}{place_markers(text, support.markers)}{tail}", support.markers, attributed_by, support.score)


def closest_passages(text: str, passages: Sequence[str], question: str = "") -> tuple[float, str]:
    """Return how close the words of the closest passage are to `text`, in [0, 1], and what speaks against it."""
    wanted = terms_of(text)
    held = [terms_of(passage, wanted.language) for passage in passages]
    best = max(held, key=lambda terms: closeness(wanted, [terms]), default=None)
    return (closeness(wanted, [best]), objection(wanted, [best], _names(question))) if best else (0.0, "")


def _cited_support(
    text: str, cited: Sequence[tuple[int, str]], min_support: float, known: frozenset[str]
) -> Support | None:
    wanted = terms_of(text)
    held = {marker: terms_of(passage, wanted.language) for marker, passage in cited}
    scores = {marker: support(wanted, [terms], known) for marker, terms in held.items()}
    kept = tuple(marker for marker in held if _enough(scores[marker], min_support))
    if kept:
        return Support(kept, max(scores[marker] for marker in kept))
    together = support(wanted, list(held.values()), known)
    return Support(tuple(held), together) if _enough(together, min_support) else None


def _names(question: str) -> frozenset[str]:
    return frozenset(terms_of(question).names.told) if question else frozenset()


def _enough(score: float, min_support: float) -> bool:
    return score > 0 and score >= min_support
