"""What a text says, as comparable terms: stems of content words, numbers, and clauses with their polarity."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

_TOKEN = re.compile(r"\d+(?:[.,:'’]\d+)*|[^\W\d_]+(?:n['’]t\b)?")
_ISO_DATE = re.compile(r"\b(\d{4})-(\d{2})-(\d{2})\b")
_THOUSANDS = re.compile(r"^\d{1,3}(?:[,'’.]\d{3})+$")
_ORDINAL = re.compile(r"(?<=\d)(?:st|nd|rd|th)\b", re.IGNORECASE)
_LIST_MARKER = re.compile(r"^\s*(?:[-*•]|\d{1,2}[.)])\s+")
_CLAUSE_END = re.compile(r"[.!?;:,](?=\s|$)|[\n|]|\s(?:but|whereas|although|aber|sondern|jedoch)\s", re.IGNORECASE)
_SENTENCE_END = re.compile(r"[.!?;](?=\s|$)|\n")
_NEGATION = re.compile(
    r"\b(?:not|no|never|none|nobody|nothing|neither|nor|without|cannot|nicht|nie|niemals|kein\w*|ohne|weder)\b"
    r"|n['’]t\b",
    re.IGNORECASE,
)
_FILLERS = """
    a about above after all also an and any are as at be been being below both but by can could did do does each
    every for from had has have he her here hers him his how i if in into is it its itself just may me might more most
    must my no nor not of off on once only or other our out over own per same shall she should so some such than that
    the their them then there these they this those through to too under until up upon very was we were what when where
    which while who whom whose why will with would you your yours cannot without never none neither
    aber alle als also am an auch auf aus bei bis da dann das dass dem den der des die dies diese dieser dieses du durch
    ein eine einem einen einer eines er es für hat haben hier ich ihr im in ist kann kein keine keinen man mit nach
    nicht noch nur oder ohne sein seine sich sie sind so über um und uns unter vom von vor war was weder wenn wer werden
    wie wir wird wo zu zum zur zwischen
    according absolutely answer based certainly context course document documents hello hi information mentioned okay
    passage please provided question source sources stated states sure text thank thanks therefore thus welcome
    laut quelle quellen text gemäß antwort natürlich gerne bitte danke
"""
_STOP_WORDS = frozenset(_FILLERS.split())
_COUNTS = (
    "two three four five six seven eight nine ten eleven twelve",
    "zwei drei vier fünf sechs sieben acht neun zehn elf zwölf",
)
_MONTH_NAMES = (
    "january february march april may june july august september october november december",
    "jan feb mar apr may jun jul aug sep oct nov dec",
    "januar februar märz april mai juni juli august september oktober november dezember",
)
_NUMBER_WORDS = {word: str(number) for words in _COUNTS for number, word in enumerate(words.split(), start=2)}
_MONTHS = {name: f"month-{number}" for names in _MONTH_NAMES for number, name in enumerate(names.split(), start=1)}


@dataclass(frozen=True, slots=True)
class Clause:
    """A part of a sentence that says one thing, and whether it denies it."""

    words: frozenset[str]
    negated: bool


@dataclass(frozen=True, slots=True)
class Fact:
    """The numbers of one sentence or line, with its words and, as it may be its heading, those of a line without
    numbers before it."""

    words: frozenset[str]
    numbers: frozenset[str]


@dataclass(frozen=True, slots=True)
class Terms:
    """Stems of the content words and the numbers of a text; a day with its month is one number, as "month-5/1"."""

    words: frozenset[str]
    numbers: frozenset[str]
    clauses: tuple[Clause, ...]
    facts: tuple[Fact, ...]


@lru_cache(maxsize=1024)
def terms_of(text: str) -> Terms:
    """Return the terms of `text`.

    >>> sorted(terms_of("The huts open on 1 May.").words)
    ['hut', 'month-5', 'open']
    >>> sorted(terms_of("On 1 May 1,500 visitors came.").numbers)
    ['1500', 'month-5/1']
    """
    plain = unicodedata.normalize("NFKC", text)
    plain = _ORDINAL.sub("", _ISO_DATE.sub(_spell_date, _LIST_MARKER.sub("", plain)))
    words, numbers = _words_and_numbers(plain)
    clauses = tuple(
        Clause(_words_and_numbers(part)[0], bool(_NEGATION.search(part)))
        for part in _CLAUSE_END.split(plain)
        if part and not part.isspace()
    )
    return Terms(words, numbers, clauses, tuple(_facts(plain)))


def _spell_date(match: re.Match[str]) -> str:
    year, month, day = match.groups()
    names = _MONTH_NAMES[0].split()
    return f"{int(day)} {names[int(month) - 1].title() if 1 <= int(month) <= 12 else month} {year}"


def _facts(text: str) -> Iterator[Fact]:
    before: frozenset[str] = frozenset()
    for line in _SENTENCE_END.split(text):
        words, numbers = _words_and_numbers(line)
        months = {word for word in words if word.startswith("month-")}
        # "from 1 to 15 May" holds both dates, so every number is taken with every month.
        dates = {f"{month}/{number}" for month in months for number in numbers | _days(numbers)}
        yield Fact(words | before, numbers | _days(numbers) | dates)
        before = frozenset() if numbers else words or before


def _days(numbers: frozenset[str]) -> frozenset[str]:
    return frozenset(number.partition("/")[2] for number in numbers if "/" in number)


def _words_and_numbers(text: str) -> tuple[frozenset[str], frozenset[str]]:
    words: set[str] = set()
    numbers: list[str] = []
    tokens = [_term(token) for token in _TOKEN.findall(text)]
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


def _term(token: str) -> str:
    """Return a number, "month-5", or the stem of a content word; empty for a stop word."""
    if token[0].isdigit():
        return _number(token)
    word = token.casefold()
    if word in _NUMBER_WORDS:
        return _NUMBER_WORDS[word]
    if word in _MONTHS and (word != "may" or token[0].isupper()):
        return _MONTHS[word]
    if word in _STOP_WORDS or len(word) == 1 or word.endswith(("n't", "n’t")):
        return ""
    return _stem(word)


def _number(token: str) -> str:
    if _THOUSANDS.match(token):
        return re.sub(r"\D", "", token)
    whole, *rest = re.split(r"[.,:'’]", token)
    while len(rest) == 1 and rest[0] == "0":
        rest.pop()
    return ".".join([whole.lstrip("0") or "0", *rest])


@lru_cache(maxsize=1)
def _stemmer() -> Callable[[str], str]:
    import Stemmer

    stem: Callable[[str], str] = Stemmer.Stemmer("english").stemWord
    return stem


@lru_cache(maxsize=16384)
def _stem(word: str) -> str:
    return _stemmer()(word)
