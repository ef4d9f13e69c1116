"""Whether the cached answer to one question may serve another: the questions are near, and nothing that decides what is
asked differs.

Two vectors are as near when a name, a number or a "not" differs as when a question is only put in other words, so
nearness is the lesser half. The less two questions have in words to differ by, the nearer they must be; where one word
takes the place of another, nearest. The similarities are of all-MiniLM-L6-v2, chosen on GPTCache's pairs, mostly on one
half of them, on Banking77 and on SQuAD 2: tests/benchmarks/bench_semantic_cache.py.
"""

from __future__ import annotations

from dataclasses import dataclass

from cache.question_differences import opposed, order, unnamed, unshared
from cache.question_words import QuestionWords, question_words


@dataclass(frozen=True, slots=True)
class _Nearness:
    """The least similarity by how two texts differ: in no word, in one word for another, and by their length."""

    no_word: float
    one_word: float
    short: float
    medium: float
    long: float


_OF_QUESTIONS = _Nearness(no_word=0.84, one_word=0.95, short=0.92, medium=0.86, long=0.82)
_OF_STATEMENTS = _Nearness(no_word=0.80, one_word=0.88, short=0.88, medium=0.82, long=0.78)
_UNKNOWN_LANGUAGE = 0.95  # where no word but its form is known
_ONE_ASKS = 0.92  # where one text asks for something and the other does not say for what
_SHARED_CODE = 0.05  # nearer than the vectors say: the same identifier is in both
_DO = frozenset({"do", "does", "did"})
_CALENDAR = {"day", "month", "year"}
_ALIKE = ({"town", "place"}, {"town", "thing"}, {"amount", "thing"})  # "where", "in which city"
_SHORT, _MEDIUM, _PRECISE = 5, 9, 12  # words that say something


def agrees(question: str, cached_question: str, similarity: float) -> bool:
    """Return whether the two ask the same; `similarity` is the cosine of their vectors.

    It takes up to .1 ms, and some .1 ms more for each of the two that was not read lately.
    """
    if question == cached_question:
        return True
    if not similarity >= _OF_STATEMENTS.long - _SHARED_CODE:
        return False
    one, other = question_words(question), question_words(cached_question)
    if one is None or other is None or _decided_otherwise(one, other):
        return False
    left, right = unshared(one, other)
    words_differ = bool(left or right)
    if opposed(one, other, words_differ) or _told_in_another_order(one, other, words_differ):
        return False
    if not (one.english and other.english):
        return similarity >= _UNKNOWN_LANGUAGE and not left and not right
    return similarity >= _least(one, other, left, right)


def _decided_otherwise(one: QuestionWords, other: QuestionWords) -> bool:
    """Return whether numbers, units, names, codes, negations or what is asked for differ."""
    if one.numbers != other.numbers or not _ask_alike(one.asks_for, other.asks_for):
        return True
    size, asks = min(len(one.stems), len(other.stems)), one.asks or other.asks
    if size <= _SHORT + 1 or (asks and size <= _PRECISE):
        negated = one.negations != other.negations
    else:  # of many words, "only" and "other" decide little
        negated = _denies(one) != _denies(other)
    ranked = size <= _MEDIUM and one.superlative != other.superlative
    return negated or ranked or _units_differ(one, other) or unnamed(one, other) or unnamed(other, one)


def _ask_alike(one: str, other: str) -> bool:
    return one == other or not one or not other or {one, other} in _ALIKE


def _units_differ(one: QuestionWords, other: QuestionWords) -> bool:
    """Return whether the months, units, currencies ... differ. "When" and "in what year" do not."""
    left, right = one.members - other.members, other.members - one.members
    when = one.asks_for == other.asks_for == "time" and not (left and right)
    return bool((left | right) - _CALENDAR if when else left | right)


def _denies(question: QuestionWords) -> bool:
    return "not" in question.negations or "without" in question.negations


def _told_in_another_order(one: QuestionWords, other: QuestionWords, words_differ: bool) -> bool:
    """Return whether the same words are said of one another: "who beat X", "who was beaten by X", "X beat who"."""
    found = order(one, other)
    if words_differ or found == "unlike":
        return found == "swapped"
    if found == "shifted":  # "who did X beat"
        return _DO.isdisjoint(one.words) != _DO.isdisjoint(other.words)
    return found == "swapped" or ("by" in one.words) != ("by" in other.words)


def _least(one: QuestionWords, other: QuestionWords, left: list[str], right: list[str]) -> float:
    asks, size = one.asks or other.asks, min(len(one.stems), len(other.stems))
    nearness = _OF_QUESTIONS if asks else _OF_STATEMENTS
    if not left and not right:
        least = nearness.no_word
    elif size > _MEDIUM:
        least = nearness.long
    elif size <= _SHORT:
        least = max(nearness.short, nearness.one_word if len(left) == len(right) == 1 else 0)
    else:
        least = nearness.one_word if max(len(left), len(right)) == 1 else nearness.medium
    if one.codes & other.codes:
        least -= _SHARED_CODE
    if one.asks_for != other.asks_for:
        least = max(least, _ONE_ASKS if size <= _MEDIUM else nearness.long)
    return least
