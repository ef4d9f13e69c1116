"""Names in a text, told by their capitals, and whether a text holds one, as it is or as a demonym or its initials."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from validation.support.languages import says_nothing
from validation.support.numbers import month_of, number_word

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_CAPITALISED = re.compile(r"\b[A-ZÀ-ÖØ-ÞĀ-ŽΑ-ΩА-Я][^\W\d_]*(?:['’-][^\W\d_]+)*|\b[a-z]+[A-Z]\w*")
_POSSESSIVE = re.compile(r"['’]s?$")
_STARTS = re.compile(r"(?:^|[.!?:;…。！？\n|\"“”„«»(\[*•·–—-])[\s\"“„«(\[*_'‘]*$")
_DOTTED = re.compile(r"\b(?:[A-Z]\.){2,}")
_GAP = re.compile(
    r"[\s.-]+|\s(?:of|the|de|la|del|von|van|der|du|da|di|al|bin|ibn|and|&)(?:\s(?:the|la|der|las|los))?\s"
)
_TITLES = frozenset("mr mrs ms dr prof sir lord lady saint st herr frau señor señora monsieur madame".split())  # noqa: SIM905 (a list to read)
_OPENERS = frozenset(("yes", "no", "well", "oh", "yeah", "sure", "however", "indeed", "actually", "moreover"))
_DEMONYM_ENDS = frozenset(
    ("", *"s n an ian ese ish y a ia ic i en and dy o ns ans ians ien ienne isch ische er ern".split())  # noqa: SIM905
)
_SAME_START = 4  # characters that a demonym shares with its country


@dataclass(frozen=True, slots=True)
class Names:
    """The names of a text as their words, folded, in order; all its capitalised words; the initials of its names."""

    runs: tuple[tuple[str, ...], ...] = ()
    capitals: frozenset[str] = frozenset()
    initials: frozenset[str] = frozenset()

    @property
    def told(self) -> tuple[str, ...]:
        """The words of all names, in order."""
        return tuple(word for run in self.runs for word in run)


@dataclass(frozen=True, slots=True)
class _Word:
    text: str
    start: int
    end: int
    opens: bool

    @property
    def capital(self) -> bool:
        return self.text[0].isupper()

    @property
    def odd(self) -> bool:
        """Capitals where no sentence puts them: an acronym, or a name like McKay."""
        return len(self.text) > 1 and any(letter.isupper() for letter in self.text[1:])


def names_of(text: str, language: str) -> Names:
    """Return the names of `text`: capitalised words that do not only open a sentence or stand in a heading.

    German writes every noun with a capital, so there only acronyms and runs of capitalised words count.

    >>> names_of("In Zermatt the hut of the Swiss Alpine Club (SAC) opens in May.", "english").told
    ('zermatt', 'swiss', 'alpine', 'club', 'sac')
    """
    text = _undotted(text)
    words = list(_words(text))
    runs = list(_runs(words, text, language))
    if _is_heading(words, language):
        told: list[tuple[str, ...]] = [(fold(word.text),) for word in words if word.odd and not word.text.isupper()]
    else:
        told = [tuple(fold(word.text) for word in run if _is_name(word, run, language)) for run in runs]
    return Names(tuple(filter(None, told)), capitals_of(text), frozenset(_initials(runs)))


def capitals_of(text: str) -> frozenset[str]:
    """Return the capitalised words of `text`, folded, with "U.S." as "us" and each part of "Austria-Hungary"."""
    words = _CAPITALISED.findall(_undotted(text))
    return frozenset(fold(part) for word in words for part in (word, *word.split("-")) if part)


def _undotted(text: str) -> str:
    return _DOTTED.sub(lambda match: match.group().replace(".", ""), text)


@lru_cache(maxsize=32768)
def fold(word: str) -> str:
    """Return `word` without case, accents and a possessive ending."""
    plain = unicodedata.normalize("NFKD", _POSSESSIVE.sub("", word).casefold())
    return "".join(letter for letter in plain if not unicodedata.combining(letter))


def akin_to_any(name: str, capitals: frozenset[str]) -> bool:
    """Whether one of these capitalised words is the country to a demonym, the plural to a singular, or the like.

    >>> akin_to_any("italian", frozenset({"italy"}))
    True
    """
    return any(_akin(name, other) for other in capitals)


def _akin(one: str, other: str) -> bool:
    if one[:_SAME_START] != other[:_SAME_START]:
        return False
    shared = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        shared += 1
    return shared >= _SAME_START and one[shared:] in _DEMONYM_ENDS and other[shared:] in _DEMONYM_ENDS


def _words(text: str) -> Iterator[_Word]:
    end = 0
    for match in _WORD.finditer(text):
        between = text[end : match.start()]
        opens = not end or (not between.isspace() and bool(_STARTS.search(between)) and between != "-")
        yield _Word(match.group(), match.start(), match.end(), opens)
        end = match.end()


def _runs(words: Sequence[_Word], text: str, language: str) -> Iterator[list[_Word]]:
    """Runs of capitalised words that say something, with nothing but "of", "the" and the like between them."""
    run: list[_Word] = []
    for word in words:
        if not word.capital or (not word.odd and _is_common(word, language)):
            continue
        if run and not (_GAP.fullmatch(text[run[-1].end : word.start]) and not word.opens):
            yield run
            run = []
        run.append(word)
    if run:
        yield run


def _is_common(word: _Word, language: str) -> bool:
    folded = word.text.casefold()
    return (
        says_nothing(folded, language)
        or folded in _TITLES
        or folded in _OPENERS
        or bool(month_of(word.text))
        or bool(number_word(folded))
        or len(folded) == 1
    )


def _is_name(word: _Word, run: Sequence[_Word], language: str) -> bool:
    if word.odd:
        return True
    if language == "german":
        return len(run) > 1 and not run[0].opens
    return not word.opens or len(run) > 1


def _is_heading(words: Sequence[_Word], language: str) -> bool:
    telling = [word for word in words if not says_nothing(word.text.casefold(), language)]
    return len(telling) > 3 and sum(word.capital for word in telling) > 0.8 * len(telling) and language != "german"


def _initials(runs: Sequence[Sequence[_Word]]) -> Iterator[str]:
    for run in runs:
        for start in range(len(run) - 1):
            for end in range(start + 2, min(len(run), start + 6) + 1):
                yield "".join(word.text[0].casefold() for word in run[start:end])
