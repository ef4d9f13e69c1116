"""The words of a text that tell what it is about, as stems: not "the", "how" or "and"."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache

_WORD = re.compile(r"[^\W_]+")
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
_ARABIC = re.compile(r"[\u0600-\u06ff]")
_FUNCTION_WORDS = frozenset(
    """
    a about after also an and any are as at be been before being between but by can could did do does during for from
    had has have he her his how i in into is it its may me more most much many my no not of on or other our she should
    so some such than that the their them then there these they this those to was we were what when where which who
    whom whose why will with would you your
    als am auf aus bei das dass dem den der des die ein eine einem einen einer es für hat haben ich ihr im ist kann man
    mit nach nicht oder sich sie sind so über um und uns von vor war waren was wann wer wie viel viele welche welcher
    welches wird wo wurde wurden zu zum zur
    al como con cual cuál cuando cuándo de del donde dónde el ella en es fue la las lo los para por que qué quién se su
    sus un una y à au aux avec ce cette dans du elle est et il ils le les leur ou où par pour quand quel quelle qui sont
    sur une في من على إلى عن مع هذا هذه التي الذي ما هل كم متى أين كيف
    """.split()  # noqa: SIM905 (a list to read)
)


@lru_cache(maxsize=4096)
def telling_words(text: str) -> frozenset[str]:
    """Return the stems of the telling words of `text`; pairs of characters where a script has no spaces.

    >>> sorted(telling_words("When are the huts open?"))
    ['hut', 'open']
    """
    return frozenset(stem for word in _WORD.findall(text.lower()) for stem in _stems(word))


def _stems(word: str) -> Iterator[str]:
    if _UNSPACED.match(word):
        yield from (word[at : at + 2] for at in range(max(1, len(word) - 1)))
    elif word not in _FUNCTION_WORDS:
        yield _stemmer("arabic" if _ARABIC.match(word) else "english")(word)


@lru_cache(maxsize=2)
def _stemmer(language: str) -> Callable[[str], str]:
    import Stemmer

    stem: Callable[[str], str] = Stemmer.Stemmer(language).stemWord
    return stem
