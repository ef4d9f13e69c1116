"""Words that carry no meaning of their own, from the lists inside Tantivy (those of Snowball and Lucene)."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from retrieval.sparse.snowball_stems import SNOWBALL

_LISTED = frozenset({"da", "de", "en", "es", "fi", "fr", "hu", "it", "nl", "no", "pt", "ru", "sv"})
# The English list is short; a question in English needs these.
_MORE_ENGLISH = """
about all am any because been before being between both can could did do does during each few from further had has
have he her here hers him his how i its itself just me more most my nor once only other our ours out over own same she
should so some than them those through too under until up us very we were what when where which while who whom whose
why would you your yours s t d ll m re ve
"""
_ENGLISH = frozenset(_MORE_ENGLISH.split())


@lru_cache(1 << 14)
def is_stop_word(word: str, language: str) -> bool:
    """Return whether a normal word says nothing by itself in that language."""
    if language == "en" and word in _ENGLISH:
        return True
    return language in _LISTED and not _filter(language)(word)


@lru_cache
def _filter(language: str) -> Callable[[str], list[str]]:
    from tantivy import Filter, TextAnalyzerBuilder, Tokenizer

    words = TextAnalyzerBuilder(Tokenizer.raw())
    analyze: Callable[[str], list[str]] = words.filter(Filter.stopword(SNOWBALL[language])).build().analyze
    return analyze
