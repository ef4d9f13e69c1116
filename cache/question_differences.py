"""How the words of two questions differ: which only one of them has, whether these are opposites, and their order."""

from __future__ import annotations

from itertools import takewhile
from typing import Literal

from cache.question_vocabulary import PREFIXES, SIDES, SYNONYMS
from cache.question_words import QuestionWords, parts, stem

Order = Literal["same", "shifted", "swapped", "unlike"]
_FEW = 2  # words of one question only, up to which the order of the others tells what it says


def unshared(one: QuestionWords, other: QuestionWords) -> tuple[list[str], list[str]]:
    """Return the words (as stems) that only `one` has and those that only `other` has: no form of one word or synonym
    of it is in both."""
    left = [each for each in one.stems if each not in other.stems and each not in other.parts]
    right = [each for each in other.stems if each not in one.stems and each not in one.parts]
    if not left or not right:
        return left, right
    left_alike = [each for each in left if not any(_same(one, each, other, its) for its in right)]
    right_alike = [each for each in right if not any(_same(one, its, other, each) for its in left)]
    return left_alike, right_alike


def _same(one: QuestionWords, left: str, other: QuestionWords, right: str) -> bool:
    if _synonym(one.stems[left], left) == _synonym(other.stems[right], right):
        return True
    if len(left) < 4 or left[:4] != right[:4]:
        return False
    shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(left, right, strict=False)))
    return shared >= 0.65 * max(len(left), len(right))  # "creator" and "creation"


def _synonym(word: str, its_stem: str) -> str:
    return SYNONYMS.get(word) or SYNONYMS.get(its_stem) or its_stem


def opposed(one: QuestionWords, other: QuestionWords, words_differ: bool) -> bool:
    """Return whether a word that only `one` has is the opposite of one that only `other` has, or, where no word else
    differs, one goes from where the other goes to."""
    left, right = set(one.words) - set(other.words), set(other.words) - set(one.words)
    if not words_differ and {"from", "to"} <= left | right:
        return True
    return any(_opposites(its, theirs) for its in left for theirs in right)


def _opposites(word: str, other: str) -> bool:
    sides = SIDES.get(other, ())
    if any((axis, 1 - side) in sides for axis, side in SIDES.get(word, ())):
        return True
    short, long = sorted((stem(word), stem(other)), key=len)
    return len(short) > 2 and long.endswith(short) and long.removesuffix(short) in PREFIXES


def order(one: QuestionWords, other: QuestionWords) -> Order:
    """Return how the order of the words differs: `shifted` when a phrase went to an end or from it ("In May, who"),
    `swapped` when words inside changed places, `unlike` when the words are too different to tell."""
    first, second = one.places, other.places
    if len(first.keys() ^ second.keys()) > _FEW:
        return "unlike"
    places = [first[word] for word in second if word in first]
    wanted = sorted(places)
    if places == wanted:
        return "same"
    moved = [at for at, (place, its) in enumerate(zip(places, wanted, strict=True)) if place != its]
    inner, sought = places[moved[0] : moved[-1] + 1], wanted[moved[0] : moved[-1] + 1]
    turn = inner.index(sought[0])
    at_an_end = moved[0] == 0 or moved[-1] == len(places) - 1
    return "shifted" if at_an_end and inner[turn:] + inner[:turn] == sought else "swapped"


def unnamed(one: QuestionWords, other: QuestionWords) -> bool:
    """Return whether `one` has a name or a code that is nowhere in `other`."""
    return any(part not in other.parts for mark in one.names | one.codes for part in parts(mark))
