"""Stems of words by Snowball, for the languages that it knows."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from retrieval.sparse.words import folded

# Languages by ISO 639-1 code. Those written without spaces need no stems, the others are taken as they are.
SNOWBALL = {
    "ar": "arabic",
    "ca": "catalan",
    "cs": "czech",
    "da": "danish",
    "de": "german",
    "el": "greek",
    "en": "english",
    "es": "spanish",
    "et": "estonian",
    "eu": "basque",
    "fa": "persian",
    "fi": "finnish",
    "fr": "french",
    "ga": "irish",
    "hi": "hindi",
    "hu": "hungarian",
    "hy": "armenian",
    "id": "indonesian",
    "it": "italian",
    "lt": "lithuanian",
    "ne": "nepali",
    "nl": "dutch",
    "no": "norwegian",
    "pl": "polish",
    "pt": "portuguese",
    "ro": "romanian",
    "ru": "russian",
    "sr": "serbian",
    "sv": "swedish",
    "ta": "tamil",
    "tr": "turkish",
}


_MOST = 1 << 17  # words that are remembered, per language


class Stems(dict[str, str]):
    """Stems of one language by word, each made once."""

    def __init__(self, language: str) -> None:
        self._stemmer = _stemmer(SNOWBALL[language]) if language in SNOWBALL else None

    def __missing__(self, word: str) -> str:
        if len(self) >= _MOST:
            self.clear()
        stemmed = word if self._stemmer is None or any(map(str.isdigit, word)) else self._stemmer(word)
        self[word] = made = folded(stemmed)
        return made


@lru_cache
def stems_in(language: str) -> Stems:
    """Return the stems of a language; in one without a stemmer a word is its own, without its accents."""
    return Stems(language)


def stem(word: str, language: str) -> str:
    """Return the stem of a normal word, without accents."""
    return stems_in(language)[word]


def _stemmer(name: str) -> Callable[[str], str]:
    import Stemmer

    made: Callable[[str], str] = Stemmer.Stemmer(name, 0).stemWord  # what it remembered itself would be kept twice
    return made
