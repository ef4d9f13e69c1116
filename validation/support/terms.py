"""What a text says, as comparable terms: stems of content words, numbers, names, and clauses with their polarity."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from validation.support.contrasts import Marks, marks_of
from validation.support.languages import UNSPACED, character_pairs, denies, language_of, says_nothing, stem
from validation.support.names import Names, capitals_of, names_of
from validation.support.numbers import month_of, number_of, number_word, spell_numbers

_TOKEN = re.compile(rf"\d+(?:[.,:'’]\d+)*|[{UNSPACED}]+|(?:(?![{UNSPACED}])[^\W\d_])+(?:n['’]t\b)?")
_UNSPACED = re.compile(f"[{UNSPACED}]")
_PLACEHOLDER = re.compile(r"\[[a-z_]{2,20}_\d{1,4}\]", re.IGNORECASE)  # of personal data: it says nothing itself
_CLAUSE_END = re.compile(
    r"[.!?;:,](?=\s|$)|[\n|。！？；，]|\s(?:but|whereas|although|while|aber|sondern|jedoch|während)\s", re.IGNORECASE
)
_SENTENCE_END = re.compile(r"[.!?;](?=\s|$)|[\n。！？；]")
_SENTENCE = re.compile(f"({_SENTENCE_END.pattern})")
_UNTIL = re.compile(r"\b(?:until|till|bis|erst)\b", re.IGNORECASE)
_NOT_UNTIL = re.compile(r"(?:\bnot\b|n['’]t\b).*\b(?:until|till)\b", re.IGNORECASE)
_LEANS = re.compile(
    r"\b(?:he|she|it|they|his|her|its|their|him|them|this|these|er|sie|es|sein\w*|ihr\w*|dies\w*|su|sus|él|ella|il|elle|ils)\b",
    re.IGNORECASE,
)
_UNTIL_IT_ENDS, _UNTIL_IT_STARTS = (-1, 0), (-1, 1)


@dataclass(frozen=True, slots=True)
class Clause:
    """A part of a sentence that says one thing: its words and numbers, whether it denies it, and its contrasts."""

    text: str
    words: frozenset[str]
    numbers: frozenset[str]
    negated: bool
    marks: Marks


@dataclass(frozen=True, slots=True)
class Fact:
    """One sentence or line: its words and, where it hangs on them, those of what stood before and has no number: a line
    that may be its heading, or a sentence that it `leans` on by "he", "it" or the like. Besides, its own numbers,
    capitalised words and contrasts."""

    words: frozenset[str]
    numbers: frozenset[str]
    capitals: frozenset[str]
    marks: Marks
    leans: bool


@dataclass(frozen=True, slots=True)
class Terms:
    """Stems of the content words and the numbers of a text; a day with its month is one number, as "month-5/1".

    Names and clauses are found when they are first asked for: of most passages nobody does.
    """

    text: str
    language: str
    words: frozenset[str]
    numbers: frozenset[str]
    facts: tuple[Fact, ...]

    @property
    def names(self) -> Names:
        """The names in the text."""
        return _names(self.text, self.language)

    @property
    def clauses(self) -> tuple[Clause, ...]:
        """The clauses of the text, in order."""
        return _clauses(self.text, self.language)


def terms_of(text: str, language: str = "") -> Terms:
    """Return the terms of `text`, read as `language`, which is found out where it is not given.

    >>> sorted(terms_of("The huts open on 1 May.").words)
    ['hut', 'month-5', 'open']
    >>> sorted(terms_of("On 1 May 1,500 visitors came.").numbers)
    ['1500', 'month-5/1']
    """
    plain = _PLACEHOLDER.sub("", text)
    return _terms_of(plain, language or language_of(plain))


@lru_cache(maxsize=2048)
def _terms_of(text: str, language: str) -> Terms:
    plain = spell_numbers(text)
    lines = tuple(_lines(plain, language))
    words = frozenset[str]().union(*(line.words for line in lines))
    numbers = frozenset[str]().union(*(line.numbers for line in lines))
    return Terms(plain, language, words, numbers, tuple(_facts(lines)))


@lru_cache(maxsize=2048)
def _names(text: str, language: str) -> Names:
    return names_of(text, language)


@lru_cache(maxsize=2048)
def _clauses(text: str, language: str) -> tuple[Clause, ...]:
    return tuple(_clause(part, language) for part in _CLAUSE_END.split(text) if part and not part.isspace())


def terms_in_order(text: str, language: str) -> list[list[str]]:
    """Return the content words and numbers of each sentence or line of `text`, in order."""
    lines = _SENTENCE_END.split(spell_numbers(text))
    return [[term for token in _TOKEN.findall(line) for term in _terms(token, language) if term] for line in lines]


def _clause(text: str, language: str) -> Clause:
    words, numbers = _read(text, language)
    marks = _marks(text)
    negated = denies(text, language)
    if _NOT_UNTIL.search(text):
        marks |= {_UNTIL_IT_STARTS}
    elif _UNTIL.search(text):
        marks |= {_UNTIL_IT_ENDS}
    # "does not open until 9" is "opens at 9"
    return Clause(text, words, numbers, negated and not _UNTIL.search(text), marks)


@dataclass(frozen=True, slots=True)
class _Line:
    """A sentence or a line: its own words and numbers, and whether a line break ends it."""

    text: str
    words: frozenset[str]
    numbers: frozenset[str]
    breaks: bool


def _lines(text: str, language: str) -> Iterator[_Line]:
    parts = [*_SENTENCE.split(text), ""]
    for line, end in zip(parts[::2], parts[1::2], strict=True):
        if line and not line.isspace():
            yield _Line(line, *_read(line, language), end == "\n")


def _facts(lines: Sequence[_Line]) -> Iterator[Fact]:
    before: frozenset[str] = frozenset()
    heads = False
    for line in lines:
        words, numbers = line.words, line.numbers
        months = {word for word in words if word.startswith("month-")}
        # "from 1 to 15 May" holds both dates, so every number is taken with every month.
        dates = {f"{month}/{number}" for month in months for number in numbers | _days(numbers)}
        leans = bool(_LEANS.search(line.text))
        around = before if heads or leans else frozenset[str]()
        yield Fact(words | around, numbers | _days(numbers) | dates, capitals_of(line.text), _marks(line.text), leans)
        before = frozenset() if numbers else words or before
        heads = line.breaks


def _marks(text: str) -> Marks:
    return marks_of(re.findall(r"\w+", text.casefold()))


def _days(numbers: frozenset[str]) -> frozenset[str]:
    return frozenset(number.partition("/")[2] for number in numbers if "/" in number)


def _read(text: str, language: str) -> tuple[frozenset[str], frozenset[str]]:
    words: set[str] = set()
    numbers: list[str] = []
    tokens = [term for token in _TOKEN.findall(text) for term in _terms(token, language)]
    for index, token in enumerate(tokens):
        before = tokens[index - 1] if index else ""
        if token.startswith("month-"):
            words.add(token)
            if _is_day(before):
                numbers[-1] = f"{token}/{before}"
        elif token[:1].isdigit():
            joined = before.startswith("month-") and _is_day(token) and not (numbers and numbers[-1].startswith(before))
            numbers.append(f"{before}/{token}" if joined else token)
        elif token:
            words.add(token)
    return frozenset(words), frozenset(numbers)


def _is_day(token: str) -> bool:
    return token.isdigit() and 1 <= int(token) <= 31


def _terms(token: str, language: str) -> Iterator[str]:
    """Yield a number, "month-5", or the stem of a content word; empty for a stop word; pairs of characters."""
    if _UNSPACED.match(token):
        yield from character_pairs(token)
    else:
        yield _term(token, language)


@lru_cache(maxsize=32768)
def _term(token: str, language: str) -> str:
    if token[0].isdigit():
        return number_of(token)
    word = token.casefold()
    known = number_word(word) or month_of(token)
    if known or says_nothing(word, language) or len(word) == 1 or word.endswith(("n't", "n’t")):
        return known
    return stem(word, language)
