"""What an index keeps of a text, and what it looks for on behalf of a query: one analysis for every sparse index.

A text is analysed in its document's language. The language of a query is uncertain, and so every word of it is looked
for under its stems in all the languages of the collection, as forms of the same word.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from retrieval.sparse.snowball_stems import stem, stems_in
from retrieval.sparse.tantivy_stop_words import is_stop_word
from retrieval.sparse.words import characters, folded, grams, is_run, normal, pieces, wholes

# Each field's BM25 score counts with this weight in the sum.
WEIGHTS = {"title": 0.7, "headings": 0.7, "body": 1.0}

_QUOTED = re.compile(r'"([^"]+)"|“([^“”]+)”|„([^„“”]+)[“”]|«([^«»]+)»|»([^«»]+)«|「([^「」]+)」|『([^『』]+)』')
_MOST_WORDS = 256  # of a query; a page that is pasted as a question is cut there


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a query looks for: words, each by the forms that it may stand in, and phrases, each by its words in order.
    A phrase must occur; of the words the more the better."""

    words: tuple[tuple[str, ...], ...]
    phrases: tuple[tuple[str, ...], ...]

    def __bool__(self) -> bool:
        return bool(self.words or self.phrases)


def terms(text: str, language: str) -> list[str]:
    """Return what a text is found by: stems, characters and pairs of them, and codes as wholes."""
    return terms_and_sequence(text, language)[0]


def sequence(text: str) -> list[str]:
    """Return the words of a text in order as phrases compare them: without accents, not stemmed; where no spaces are
    written, each character is one."""
    return _sequence(pieces(normal(text)))


def terms_and_sequence(text: str, language: str) -> tuple[list[str], list[str]]:
    """Return both at the price of one."""
    plain = normal(text)
    found = pieces(plain)
    return _terms(plain, found, language), found if plain.isascii() else _sequence(found)


def _terms(plain: str, found: list[str], language: str) -> list[str]:
    stems = stems_in(language)
    if plain.isascii():
        made = list(map(stems.__getitem__, found))
    else:
        made = [term for piece in found for term in (grams(piece) if is_run(piece) else (stems[piece],))]
    made += [stems[whole] for whole in wholes(plain)]
    return made


def _sequence(found: list[str]) -> list[str]:
    return [word for piece in found for word in (characters(piece) if is_run(piece) else (folded(piece),))]


def wanted(text: str, languages: Collection[str]) -> Wanted:
    """Return what a query looks for in texts of these languages."""
    words = dict.fromkeys(_words(normal(text), sorted(languages) or ["en"]))
    return Wanted(tuple(words)[:_MOST_WORDS], phrases(text))


def phrases(text: str) -> tuple[tuple[str, ...], ...]:
    """Return what stands in quotes, each by its words in order."""
    quoted = ("".join(groups) for groups in _QUOTED.findall(text))
    return tuple(dict.fromkeys(filter(None, (tuple(sequence(each)[:_MOST_WORDS]) for each in quoted))))


def _words(text: str, languages: list[str]) -> Iterator[tuple[str, ...]]:
    found = pieces(text)
    asked_in = _likely(found, languages)
    for piece in found:
        if is_run(piece):
            yield from ((gram,) for gram in grams(piece))
        elif not any(is_stop_word(piece, language) for language in asked_in):
            yield tuple(dict.fromkeys(stem(piece, language) for language in languages))
    for whole in wholes(text):
        yield tuple(dict.fromkeys(stem(whole, language) for language in languages))


def _likely(found: list[str], languages: list[str]) -> list[str]:
    """The languages with the most stop words in a query: in another one, a stop word of theirs may mean something."""
    counts = {language: sum(is_stop_word(piece, language) for piece in found) for language in languages}
    return [language for language, count in counts.items() if count == max(counts.values())]
