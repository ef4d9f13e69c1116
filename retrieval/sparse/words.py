"""Cuts text into words as an index compares them: Unicode folded, codes and numbers also whole, CJK by characters."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise

import regex  # type: ignore[import-untyped]

# Scripts that put no spaces between words, and Hangul, whose words carry endings: compared by pairs of characters.
_RUN = r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Hangul}ー々〆]"
_ANY = r"[\p{L}\p{M}\p{N}]"
# A word is cut after 64 characters; no pattern looks at a character more than a few times, however long the text.
_PIECES = regex.compile(rf"(?:{_RUN}\p{{M}}*)+|(?:(?!{_RUN})[\p{{L}}\p{{M}}\p{{N}}]){{1,64}}(?:\+\+|\#(?!\w))?")
_ASCII_PIECES = re.compile(r"[a-z0-9]{1,64}(?:\+\+|#(?!\w))?")
_IS_RUN = regex.compile(_RUN)
_CHARACTERS = regex.compile(r"\X")
_COMPOUNDS = regex.compile(rf"(?<!{_ANY}){_ANY}++(?:[-_./:@,&'’‐‑]{_ANY}++)++")
_ASCII_COMPOUNDS = re.compile(r"(?<![a-z0-9])[a-z0-9]++(?:[-_./:@,&'][a-z0-9]++)++")
_LETTERS_DIGITS = re.compile(r"(?<![^\W_])([^\W\d_]{2,64}+)(\d{2,64}+)(?![^\W_])")
_THOUSANDS = re.compile(r"\d{1,3}([.,'’])\d{3}(?:\1\d{3})*")
_NUMBER = re.compile(r"v?\d+(?:[.,:/]\d+)+")
_MARKED = regex.compile(r"([\p{Latin}\p{Greek}\p{Cyrillic}\p{Hebrew}\p{Arabic}])\p{Mn}+")
_LETTERS = str.maketrans({"ı": "i", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ـ": ""})
_LONGEST = 64  # characters of a compound that is kept whole


def normal(text: str) -> str:
    """Return the text in compatibility form and folded case, accents kept."""
    return text.lower() if text.isascii() else unicodedata.normalize("NFKC", text).casefold()


@lru_cache(1 << 16)
def folded(word: str) -> str:
    """Return a normal word without the accents of alphabetic scripts."""
    if word.isascii():
        return word
    plain = _MARKED.sub(r"\1", unicodedata.normalize("NFD", word))
    return unicodedata.normalize("NFC", plain).translate(_LETTERS)


def pieces(text: str) -> list[str]:
    """Return the words of a normal text in order; what is written without spaces is one piece."""
    found: list[str] = (_ASCII_PIECES if text.isascii() else _PIECES).findall(text)
    return found


def is_run(piece: str) -> bool:
    """Return whether the piece is of a script that is compared by its characters."""
    return not piece.isascii() and _IS_RUN.match(piece) is not None


def characters(run: str) -> list[str]:
    """Return the characters of a run, each with its marks."""
    found: list[str] = _CHARACTERS.findall(run)
    return found


def grams(run: str) -> list[str]:
    """Return what a run is compared by: its overlapping pairs of characters, and the characters themselves."""
    single = characters(run)
    return [first + second for first, second in pairwise(single)] + single


def wholes(text: str) -> Iterator[str]:
    """Yield what a normal text holds of codes, numbers, addresses and hyphenated words, each as one word, and the parts
    of a code written without a separator: "err-1042" as "err1042", "1,000" as "1000", "rfc9457" as "rfc" and "9457"."""
    ascii_only = text.isascii()
    for compound in (_ASCII_COMPOUNDS if ascii_only else _COMPOUNDS).findall(text):
        if len(compound) <= _LONGEST:
            yield from _joined(compound)
    for letters, digits in _LETTERS_DIGITS.findall(text):
        yield letters
        yield digits


def _joined(compound: str) -> Iterator[str]:
    if _THOUSANDS.fullmatch(compound):
        yield re.sub(r"\D", "", compound)
    elif _NUMBER.fullmatch(compound):
        yield compound
        if compound.startswith("v"):
            yield compound[1:]
    else:
        word = re.sub(r"[-_/&‐‑]", "", compound)
        parts = re.split(r"[.,:'’@]", word)
        if "@" in word or (max(map(len, parts)) > 1 and "." in word):
            yield word  # an address, a name of a file or a host
        elif all(len(part) == 1 for part in parts) or len(parts) == 1:
            yield "".join(parts)  # an abbreviation
