"""What a question is made of, as far as its form tells: words, numbers, names, codes, negations, what it asks for."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from cache.question_vocabulary import (
    AUXILIARIES,
    ENGLISH,
    FOREIGN,
    FUNCTION_WORDS,
    MAYBE_ENGLISH,
    MEMBERS,
    NEGATIONS,
    NUMBERS,
    SUPERLATIVES,
    UNMOVED,
)

_LONG = 1200  # characters; what is longer is a text, not a question
_WORD = re.compile(r"\w+(?:[.'/:@&+#-]+\w+)*(?:\+\+|#)?|[%$€£¥]")
_NUMBER = re.compile(r"(?:(?<![\w.,:/-])-)?\d+(?:[.,:/-]\d+)*")
_THOUSANDS = re.compile(r",(?=\d{3}(?!\d))")
_CODE = re.compile(r"[_@#]|\d[^\W\d]|[^\W\d]\d|[^\W\d]-\d|\w\.[^\W\d]|[a-z][A-Z]|[A-Z]{2}|\+\+")
_CAPITAL = re.compile(r"(?<![.!?:\n] )(?<!^)(?<![\w\n/@&+#.-])[^\W\d_a-z]\w*(?:[.'/:@&+#-]+\w+)*")
_BEST_WAY = re.compile(r"\b(?:best|easiest|right|correct|proper|good)\s+(?=ways?\b)", re.IGNORECASE)
_PART = re.compile(r"[^./:@&-]+")
_VERSION = re.compile(r"v(?=\d)")
_SUFFIX = re.compile(r"(?<=\w{3})(?:ations?|ings?|ions?|ers?|ed|es|s|ly|e)$")
_CONTRACTED = re.compile(r"'(?:s|m|re|ve|ll|d)$")
_ANSWERED = re.compile(r"\s*(?:yes|no)\s*[,.:;!]\s*", re.IGNORECASE)
_ASKED_FOR = r"""
    (?P<count> how\s+many | what(?:'s|\s+is|\s+was)\s+the\s+(?:number|population) )
  | (?P<amount> how\s+much | what(?:'s|\s+is|\s+was)\s+the\s+(?:amount|price|cost) )
  | (?P<duration> how\s+long ) | (?P<frequency> how\s+often ) | (?P<distance> how\s+far )
  | (?P<age> how\s+old | what(?:'s|\s+is)\s+the\s+age )
  | (?P<size> how\s+(?:big|large|tall|high) ) | (?P<speed> how\s+(?:fast|quickly) )
  | (?P<reason> why | how\s+come | what\s+caused | what(?:'s|\s+is|\s+was|\s+are|\s+were)\s+the\s+(?:reason|cause)s? )
  | (?P<way> how | what(?:'s|\s+is|\s+are)\s+(?:the|a|an|some)\s+(?:\w+\s+)?(?:way|step|process|procedure)s?
             | what\s+(?:should|can|must|do)\s+(?:i|we|you)\s+(?:have\s+to\s+)?do\s+to )
  | (?P<person> who[ms]?e? | (?:what|which)\s+(?:person|people) )
  | (?P<time> {when} | what(?:'s|\s+is|\s+was)\s+the\s+(?:date|time) | (?:what|which)\s+(?:time|date|day|month|year)s? )
  | (?P<place> {where} ) | (?P<town> (?:what|which)\s+(?:place|city|town|country|nation|state|location)s? )
  | (?P<thing> what | {which} )
"""
_AUXILIARY = r"(?=\s+(?:is|are|was|were|do|does|did|will|can|should|would|has|have)\b)"
_IN_QUESTION = re.compile(
    rf"\b(?=[hw])(?:{_ASKED_FOR.format(when='when', where='where', which='which')})\b", re.VERBOSE
)
_AT_HEAD = re.compile(
    rf"\s*(?:{_ASKED_FOR.format(when=f'when{_AUXILIARY}', where=f'where{_AUXILIARY}', which=f'which{_AUXILIARY}')})\b",
    re.VERBOSE,
)
_END = re.compile(r"[.?!]")


@dataclass(frozen=True, slots=True)
class QuestionWords:
    """`words` are all in order, in lower case; `stems` those that say something, each with its word."""

    words: tuple[str, ...]
    stems: dict[str, str]
    parts: frozenset[str]  # stems of the words and of what is joined in them: "datasets", "load" of "datasets.load"
    places: dict[tuple[str, int], int]  # of each word: its stem, and how many of it came before
    numbers: tuple[str, ...]
    codes: frozenset[str]
    names: frozenset[str]
    negations: tuple[str, ...]
    members: frozenset[str]
    superlative: bool
    asks: bool
    asks_for: str  # person, time, reason ...; empty where none is named
    english: bool


@lru_cache(256)
def question_words(text: str) -> QuestionWords | None:
    """Return what the question is made of, or None when it is too long to be one."""
    if len(text) > _LONG:
        return None
    text = unicodedata.normalize("NFKC", text).replace("’", "'").replace("−", "-")
    if answered := _ANSWERED.match(text):
        text = text[answered.end() :]
    text = _BEST_WAY.sub("", text)
    tokens = _WORD.findall(text)
    words = _lower(tokens)
    stems: dict[str, str] = {}
    for word in words:
        if word not in FUNCTION_WORDS and word not in NEGATIONS and word not in NUMBERS and not word.isdecimal():
            stems.setdefault(stem(word), word)
    joined = [part for word in words if "-" in word for part in word.split("-")]
    asked_for = _asked_for(text.lower())
    return QuestionWords(
        words=words,
        stems=stems,
        parts=frozenset(stems).union(*map(parts, words)),
        places=_places(words),
        numbers=_numbers(text, words),
        codes=_codes(tokens),
        names=_names(text, tokens),
        negations=tuple(sorted(NEGATIONS[word] for word in words if word in NEGATIONS)),
        members=frozenset(MEMBERS[part] for part in {*words, *joined} if part in MEMBERS),
        superlative=not SUPERLATIVES.isdisjoint(words),
        asks="?" in text or bool(asked_for) or not AUXILIARIES.isdisjoint(words[:1]),
        asks_for=asked_for,
        english=_is_english(text, words),
    )


@lru_cache(8192)
def stem(word: str) -> str:
    """Return the word without its usual English ending, three letters at least."""
    if len(word) < 4 or word.endswith("ss"):
        return word
    cut = _SUFFIX.sub("", word)
    if len(cut) > 3 and cut[-1] == cut[-2]:
        cut = cut[:-1]
    return cut[:-1] + "y" if cut.endswith("i") else cut


@lru_cache(8192)
def parts(word: str) -> tuple[str, ...]:
    """Return the stems of what is joined in a word; a version is its number."""
    return tuple(stem(_VERSION.sub("", part)) for part in _PART.findall(word))


def _lower(tokens: list[str]) -> tuple[str, ...]:
    """Return the words in lower case, contractions as the two words they are."""
    words: list[str] = []
    for word in map(str.lower, tokens):
        if word == "cannot":
            words += "can", "not"
        elif "'" not in word:
            words.append(word)
        elif word.endswith("n't") and len(word) > 3:
            words += word[:-3], "not"
        else:
            words.append(_CONTRACTED.sub("", word))
    return tuple(words)


def _places(words: tuple[str, ...]) -> dict[tuple[str, int], int]:
    seen: dict[str, int] = {}
    places: dict[tuple[str, int], int] = {}
    for place, word in enumerate(words):
        if word not in UNMOVED:
            its_stem = stem(word)
            before = seen.get(its_stem, 0)
            seen[its_stem] = before + 1
            places[its_stem, before] = place
    return places


def _numbers(text: str, words: tuple[str, ...]) -> tuple[str, ...]:
    """Return the numbers, sorted, in ASCII digits and without the commas of thousands."""
    written = [_THOUSANDS.sub("", number) for number in _NUMBER.findall(text)]
    plain = [each if each.isascii() else "".join(map(_ascii, each)) for each in written]
    return tuple(sorted(plain + [NUMBERS[word] for word in words if word in NUMBERS]))


def _ascii(sign: str) -> str:
    return sign if sign.isascii() else str(unicodedata.decimal(sign, sign))


def _codes(tokens: list[str]) -> frozenset[str]:
    """Return what is written like no word: with digits, capitals or signs inside."""
    odd = (token for token in tokens if not (token[1:].islower() and token.isalpha()))
    return frozenset(token.lower() for token in odd if _CODE.search(token)) - {"e.g", "i.e"}


def _names(text: str, tokens: list[str]) -> frozenset[str]:
    """Return the words with a capital inside a sentence, none where each word has one."""
    if len(tokens) > 5 and not any(len(each) > 3 and each.islower() for each in tokens if each not in FUNCTION_WORDS):
        return frozenset()
    names = (_CONTRACTED.sub("", name.lower()) for name in _CAPITAL.findall(text))
    return frozenset(name for name in names if name not in FUNCTION_WORDS)


def _asked_for(text: str) -> str:
    asked = text.rpartition("?")[0]
    found = _IN_QUESTION.search(_END.split(asked)[-1]) if asked else _AT_HEAD.match(text)
    return found.lastgroup or "" if found else ""


def _is_english(text: str, words: tuple[str, ...]) -> bool:
    known = set(words)
    sure, foreign = len(known & ENGLISH), len(known & FOREIGN)
    beyond = 0 if text.isascii() else sum(not sign.isascii() for sign in text if sign.isalpha())
    return sure + len(known & MAYBE_ENGLISH) > foreign and (sure > 0 or foreign == 0) and 10 * beyond <= len(text)
