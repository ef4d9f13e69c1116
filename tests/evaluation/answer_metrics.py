"""How close an answer is to a gold answer: exact match, token F1, containment, ROUGE-L recall, numbers.

Texts are levelled as SQuAD's evaluation does (Rajpurkar et al., 2016), and in other languages as MLQA's (Lewis et al.,
2020): lower case, without punctuation and articles; Chinese by character.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence

_ARTICLES = {
    "en": {"a", "an", "the"},
    "de": {"ein", "eine", "einen", "einem", "eines", "einer", "der", "die", "das", "den", "dem", "des"},
    "es": {"un", "una", "unos", "unas", "el", "la", "los", "las"},
}
_ARABIC_ARTICLE = re.compile(r"\bال")
_HAN = re.compile(r"([\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff])")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")


def tokens(text: str, language: str = "en") -> list[str]:
    """Return the words that are compared.

    >>> tokens("The Norse leader was Rollo.")
    ['norse', 'leader', 'was', 'rollo']
    """
    text = unicodedata.normalize("NFKC", text).lower()
    text = "".join(char for char in text if unicodedata.category(char)[0] not in "PS")
    if language == "ar":
        text = _ARABIC_ARTICLE.sub("", text)
    if language == "zh":
        text = _HAN.sub(r" \1 ", text)
    articles = _ARTICLES.get(language, set())
    return [word for word in text.split() if word not in articles]


def exact_match(answer: str, golds: Sequence[str], language: str = "en") -> float:
    """Return 1 when the answer is one of the golds, word for word, else 0."""
    said = tokens(answer, language)
    return float(any(said == tokens(gold, language) for gold in golds))


def f1(answer: str, golds: Sequence[str], language: str = "en") -> float:
    """Return the F1 of the words that answer and gold share, with the gold where it is highest."""
    return _best(tokens(answer, language), golds, language, _f1)


def contains(answer: str, golds: Sequence[str], language: str = "en") -> float:
    """Return 1 when one of the golds stands in the answer, word for word, else 0."""
    said = tokens(answer, language)
    return float(any(_stands_in(tokens(gold, language), said) for gold in golds))


def rouge_l_recall(answer: str, golds: Sequence[str], language: str = "en") -> float:
    """Return the share of a gold's words that the answer has in the same order (Lin, 2004)."""
    return _best(tokens(answer, language), golds, language, lambda said, gold: _common(said, gold) / len(gold))


def number_recall(answer: str, golds: Sequence[str]) -> float | None:
    """Return the share of a gold's numbers that the answer has; None when no gold has any.

    >>> number_recall("Sales rose to $82,959 million.", ["$82,959 million, up 3%"])
    0.5
    """
    said = _numbers(answer)
    shares = [len(wanted & said) / len(wanted) for gold in golds if (wanted := _numbers(gold))]
    return max(shares, default=None)


def knowledge_precision(answer: str, sources: Sequence[str], language: str = "en") -> float:
    """Return the share of the answer's words that occur in the sources (Adlakha et al., 2023: K-Precision)."""
    said = Counter(tokens(answer, language))
    held = {word for source in sources for word in tokens(source, language)}
    return sum(count for word, count in said.items() if word in held) / max(1, said.total())


def _best(
    said: Sequence[str], golds: Sequence[str], language: str, score: Callable[[Sequence[str], Sequence[str]], float]
) -> float:
    return max((score(said, gold) for text in golds if (gold := tokens(text, language))), default=0.0)


def _f1(said: Sequence[str], gold: Sequence[str]) -> float:
    shared = (Counter(said) & Counter(gold)).total()
    return 2 * shared / (len(said) + len(gold))


def _stands_in(gold: Sequence[str], said: Sequence[str]) -> bool:
    size = len(gold)
    return size > 0 and any(list(said[start : start + size]) == list(gold) for start in range(len(said) - size + 1))


def _common(said: Sequence[str], gold: Sequence[str]) -> int:
    """Return the length of the longest common subsequence."""
    row = [0] * (len(gold) + 1)
    for word in said:
        before = row
        row = [0]
        for place, wanted in enumerate(gold, start=1):
            row.append(before[place - 1] + 1 if word == wanted else max(before[place], row[-1]))
    return row[-1]


def _numbers(text: str) -> set[str]:
    return {number.replace(",", "") for number in _NUMBER.findall(unicodedata.normalize("NFKC", text))}
