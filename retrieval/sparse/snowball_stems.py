"""Stems of words by Snowball, for the languages that it knows."""

from __future__ import annotations

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


@lru_cache(1 << 18)
def stem(word: str, language: str) -> str:
    """Return the stem of a normal word without accents; the folded word itself in a language without a stemmer."""
    if language not in SNOWBALL or any(map(str.isdigit, word)):
        return folded(word)
    return folded(_stemmer(language)(word))


@lru_cache
def _stemmer(language: str):  # type: ignore[no-untyped-def]
    import Stemmer

    return Stemmer.Stemmer(SNOWBALL[language], 0).stemWord  # its own cache would not be safe in threads
