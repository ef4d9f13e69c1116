"""Whether the passages that were found can answer the question, by a small logistic model over what costs nothing.

The weights come from `validation/training/train_answerability.py`. The signals: how close the best passages are, how
much of what the question says they hold, weighted by how rare it is among them, alone and in one sentence; names and
numbers that none of them has; whether the closest sentences hold something of the kind asked for; and opposites.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from contracts import Hit
from validation.support.contrasts import clash
from validation.support.languages import UNSPACED, language_of, stem
from validation.support.terms import Fact, Terms, terms_of

_MODEL = Path(__file__).parent.parent / "artefacts" / "answerability.json"
_LOOKED_AT = 5  # hits; the model was fitted on as many
_CLOSEST = 3  # sentences that may hold the answer
_KINDS = {
    "number": r"how (?:many|much|long|old|far|high|tall|large|big|often)|wie ?viele?|wie (?:hoch|lang|alt|weit|groß)"
    r"|cuánt\w+|combien|quant[io]|多少|几|كم",
    "date": r"when|what (?:year|date|month|day|century|decade)|which year|wann|cuándo|quand|quando"
    r"|何时|什么时候|哪一?年|متى",
    "name": r"who|whom|whose|where|which (?:country|city|person|company)|what (?:country|city|company)|wer|wen|wem|wo"
    r"|quién\w*|dónde|qui|où|chi|dove|谁|哪里",
}
_ASKS = {kind: re.compile(rf"(?<!\w)(?:{words})(?:(?!\w)|(?=[{UNSPACED}]))", re.I) for kind, words in _KINDS.items()}
_MOSTLY = 0.5  # of the letters
_PLAIN = re.compile(r"[a-z]", re.IGNORECASE)
_LETTER = re.compile(r"[^\W\d_]")


@dataclass(frozen=True, slots=True)
class AnswerabilityModel:
    """Weights per signal, in order, a bias, and, for each family of languages, the probability below which a question
    is refused: the encoder knows English best, and only Latin letters show names."""

    weights: tuple[float, ...]
    bias: float
    thresholds: Mapping[str, float]

    @classmethod
    def load(cls, path: Path = _MODEL) -> AnswerabilityModel:
        """Read a model as the training script writes it."""
        stored = json.loads(path.read_text())
        return cls(tuple(stored["weights"].values()), stored["bias"], stored["thresholds"])


SIGNALS = (
    "similarity",
    "similarity_plain",
    "similarity_mean",
    "held",
    "held_by_one",
    "held_together",
    "names_missing",
    "numbers_missing",
    "kind_there",
    "kind_missing",
    "opposite",
    "plain",
)


def answerability(question: str, hits: Sequence[Hit], model: AnswerabilityModel | None = None) -> float:
    """Return the probability, in [0, 1], that `hits`, best first, answer `question`; 0 without hits."""
    if not hits:
        return 0.0
    model = model or _packaged()
    total = model.bias + sum(
        weight * value for weight, value in zip(model.weights, signals(question, hits), strict=True)
    )
    return 1 / (1 + math.exp(-total))


def is_answerable(question: str, hits: Sequence[Hit], threshold: float | None = None) -> bool:
    """Return whether `hits` may answer `question`: where not, the answer can be refused before it is written.

    The model's own thresholds keep 98.5% of the questions that can be answered, in each set they were chosen on.
    """
    limit = _packaged().thresholds[family(question)] if threshold is None else threshold
    return answerability(question, hits) >= limit


def family(question: str) -> str:
    """Return "english", "latin" for other languages in Latin letters, or "other"."""
    if _plain(question) < _MOSTLY:
        return "other"
    return "english" if language_of(question) == "english" else "latin"


def signals(question: str, hits: Sequence[Hit]) -> tuple[float, ...]:
    """Return the value of each of `SIGNALS`."""
    asked = terms_of(question)
    held = [terms_of(_reading(hit), asked.language) for hit in hits[:_LOOKED_AT]]
    words = asked.words | asked.numbers
    bags = [terms.words | _numbers(terms) for terms in held]
    weight = {word: math.log(1 + len(bags) / (1 + sum(word in bag for bag in bags))) for word in words}
    total = sum(weight.values()) or 1.0

    def share(found: frozenset[str]) -> float:
        return sum(weight[word] for word in words & found) / total

    facts = [(share(fact.words | fact.numbers | _title(terms)), fact) for terms in held for fact in terms.facts]
    facts.sort(key=lambda pair: pair[0], reverse=True)
    closest = [fact for _, fact in facts[:_CLOSEST]]
    everything = frozenset[str]().union(*bags)
    similarities = [hit.similarity or 0.0 for hit in hits[:_LOOKED_AT]]
    plain = _plain(question)
    kind = _kind(question)
    there = bool(kind) and any(_holds(kind, fact, asked) for fact in closest)
    return (
        max(similarities),
        max(similarities) * plain,
        sum(similarities[:_CLOSEST]) / _CLOSEST,
        share(everything),
        max(map(share, bags)),
        facts[0][0] if facts else 0.0,
        _missing(asked.names.told, asked, held),
        float(bool(asked.numbers - everything)),
        float(there),
        float(bool(kind) and not there),
        float(bool(closest) and _opposite(asked, closest[0])),
        plain,
    )


@lru_cache(maxsize=1)
def _packaged() -> AnswerabilityModel:
    return AnswerabilityModel.load()


def _plain(question: str) -> float:
    """The share of its letters that are a to z."""
    return len(_PLAIN.findall(question)) / max(1, len(_LETTER.findall(question)))


def _reading(hit: Hit) -> str:
    return "\n".join((hit.document.title, *hit.chunk.headings, hit.chunk.text))


def _title(terms: Terms) -> frozenset[str]:
    return terms.facts[0].words if terms.facts else frozenset()


def _numbers(terms: Terms) -> frozenset[str]:
    return frozenset[str]().union(*(fact.numbers for fact in terms.facts))


def _missing(told: Sequence[str], asked: Terms, held: Sequence[Terms]) -> float:
    """The share of the names in the question that no passage has."""
    if not told:
        return 0.0
    capitals = frozenset[str]().union(*(terms.names.capitals | terms.names.initials | terms.words for terms in held))
    return sum(name not in capitals and stem(name, asked.language) not in capitals for name in told) / len(told)


def _kind(question: str) -> str:
    return next((kind for kind, pattern in _ASKS.items() if pattern.search(question)), "")


def _holds(kind: str, fact: Fact, asked: Terms) -> bool:
    """Whether a sentence holds a number, a date or a name that the question does not."""
    if kind == "name":
        return bool(fact.capitals - asked.names.capitals)
    numbers = fact.numbers - asked.numbers
    if kind == "date":
        return any(len(number) == 4 or number.startswith("month-") for number in numbers) or any(
            word.startswith("month-") for word in fact.words
        )
    return bool(numbers)


def _opposite(asked: Terms, fact: Fact) -> bool:
    marks = frozenset[tuple[int, int]]().union(*(clause.marks for clause in asked.clauses))
    return clash(marks, fact.marks)
