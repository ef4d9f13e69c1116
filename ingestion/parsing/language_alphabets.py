"""Tells one-byte encodings apart by the letters that languages really use; it works from a few letters on."""

from __future__ import annotations

import unicodedata
from collections import Counter
from functools import lru_cache
from itertools import pairwise

# The letters outside ASCII, in lower case. "any" stands for texts that mix the languages of Western Europe.
_LATIN = {
    "de": "äöüß",
    "fr": "àâæçéèêëîïôœùûüÿ",
    "es": "áéíñóúü",
    "pt": "áâãàçéêíóôõú",
    "it": "àèéìîòóù",
    "nl": "áéèêëïóöü",
    "sv": "åäöé",
    "da": "åæøé",
    "is": "áðéíóúýþæö",
    "pl": "ąćęłńóśźż",
    "cs": "áčďéěíňóřšťúůýž",
    "sk": "áäčďéíĺľňóôŕšťúýž",
    "hu": "áéíóöőúüű",
    "hr": "čćđšž",
    "ro": "ăâîşţșț",
    "tr": "çğıöşüâîİ",
    "any": "àáâãäåæçèéêëìíîïñòóôõöøùúûüýÿßœšž",
}
_CYRILLIC = {"ru": "абвгдеёжзийклмнопрстуфхцчшщъыьэюя", "uk": "абвгґдеєжзиіїйклмнопрстуфхцчшщьюя'"}
_OTHERS = {
    "el": "αβγδεζηθικλμνξοπρσςτυφχψωάέήίόύώϊϋΐΰ",
    "he": "אבגדהוזחטיךכלםמןנסעףפץצקרשת",
    "ar": "ءآأؤإئابةتثجحخدذرزسشصضطظعغـفقكلمنهويىًٌٍَُِّْپچژگ",
    "th": "กขฃคฅฆงจฉชซฌญฎฏฐฑฒณดตถทธนบปผฝพฟภมยรฤลฦวศษสหฬอฮฯะัาำิีึืฺุูเแโใไๅๆ็่้๊๋์ํ๎",
}
# In doubt the earlier one is taken.
_ENCODINGS = {
    "cp1252": _LATIN,
    "cp1250": _LATIN,
    "iso8859-2": _LATIN,
    "cp1254": _LATIN,
    "iso8859-15": _LATIN,
    "mac-roman": _LATIN,
    "cp850": _LATIN,
    "cp1255": _OTHERS,  # before Cyrillic: Hebrew never has the bytes of its capitals
    "cp1251": _CYRILLIC,
    "koi8-r": _CYRILLIC,
    "koi8-u": _CYRILLIC,
    "cp866": _CYRILLIC,
    "iso8859-5": _CYRILLIC,
    "cp1253": _OTHERS,
    "iso8859-7": _OTHERS,
    "cp1256": _OTHERS,
    "iso8859-6": _OTHERS,
    "cp874": _OTHERS,
}
_SAMPLE = 1 << 14  # bytes
_MIXED = 0.95  # what a fit to "any" is worth beside that to one language
_GOOD = 0.9
_IN_WORDS = frozenset("’‘\u00ad")
_COMMON = frozenset("оеаинтОЕАИНТαοιετσνΑΟΙΕΤΣΝ")  # half of the letters of a Russian or Greek text
_OFTEN = 0.3
_UNUSUAL = 0.1
_ONLY_SIGNS = 0.5  # what signs without a letter say; in doubt they are those of Windows
_SHOUTING = 0.02  # what a text in capitals is worth less: in the wrong Cyrillic or Greek, case is reversed


def encoding_by_letters(data: bytes) -> str | None:
    """Return the one-byte encoding in which the letters of `data` are those of one language; None in doubt."""
    sample = b"\n".join(line for line in data.split(b"\n") if not line.isascii())[:_SAMPLE]
    scores = {encoding: _score(sample, encoding) for encoding in _ENCODINGS}
    best = max(scores, key=lambda encoding: scores[encoding])  # the first of equals
    return best if scores[best] >= _GOOD else None


def _score(sample: bytes, encoding: str) -> float:
    """Return the share of letters that fit the likeliest language, less what no text has inside its words."""
    try:
        text = sample.decode(encoding)
    except UnicodeDecodeError:
        return -1
    high = Counter(letter for letter in text if letter > "\x7f")
    marks = {letter for letter in high if unicodedata.category(letter)[0] in "PSZC" or letter in "ºª²³¹¼½¾"}
    letters = sum(count for letter, count in high.items() if letter not in marks)
    odd = sum(_is_odd(*three, marks) for three in zip(text, text[1:], text[2:], strict=False))
    odd += sum(a.islower() and b.isupper() and max(a, b) > "\x7f" for a, b in pairwise(text))
    odd += sum(count for letter, count in high.items() if unicodedata.category(letter) == "Cc")
    odd += sum(a > "\x7f" and a.isalpha() and b.isdigit() for a, b in pairwise(text))
    odd += max(0, high.total() - 2 * letters) // 2  # more signs than letters
    if _ENCODINGS[encoding] is not _LATIN:  # such letters do not stand in one word with Latin ones
        odd += sum(a.isalpha() and b.isalpha() and a.isascii() != b.isascii() for a, b in pairwise(text))
    capitals = sum(count for letter, count in high.items() if letter.isupper())
    fits = (_fit(high, alphabet, letters) * (_MIXED if name == "any" else 1) for name, alphabet in _sets(encoding))
    return max(fits) - odd / max(1, high.total()) - (_SHOUTING if 2 * capitals > letters else 0)


def _fit(high: Counter[str], alphabet: frozenset[str], letters: int) -> float:
    """Return the share of letters that are in the alphabet, a little less where its commonest letters are rare."""
    if not letters:
        return _ONLY_SIGNS
    common = _COMMON & alphabet
    often = sum(high[letter] for letter in common) / letters if common else 1
    known = sum(count for letter, count in high.items() if letter in alphabet) / letters
    return known - _UNUSUAL * max(0, 1 - often / _OFTEN)


def _is_odd(before: str, mark: str, after: str, marks: set[str]) -> bool:
    return mark in marks and mark not in _IN_WORDS and before.isalpha() and after.isalpha()


@lru_cache
def _sets(encoding: str) -> tuple[tuple[str, frozenset[str]], ...]:
    return tuple((name, frozenset(letters + letters.upper())) for name, letters in _ENCODINGS[encoding].items())
