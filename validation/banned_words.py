"""Words and phrases that must not be said: found whatever their case, as whole words, in any script."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable

_TOKEN = re.compile(r"[\w\u0300-\u036f]+")
# Scripts that put no spaces between words: Thai, Lao, Burmese, Khmer, kana, Chinese characters.
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")


class BannedList:
    """Finds any of `words`. The time it takes does not grow with their number, but for those in scripts without spaces
    and those that begin with a sign."""

    def __init__(self, words: Iterable[str]) -> None:
        self._by_first: dict[str, list[re.Pattern[str]]] = defaultdict(list)
        loose: list[str] = []
        for word in filter(None, map(str.strip, words)):
            first = _TOKEN.match(word)
            if first is None or _UNSPACED.search(word):
                loose.append(_either_form(word))
            else:
                end = r"(?![\w\u0300-\u036f])" if _TOKEN.match(word[-1]) else ""
                pattern = re.compile(_either_form(word) + end, re.IGNORECASE)
                self._by_first[_plain(first.group())].append(pattern)
        self._loose = re.compile("|".join(sorted(loose, key=len, reverse=True)), re.IGNORECASE) if loose else None

    def find(self, text: str) -> list[tuple[int, int]]:
        """Return start and end of each in order, without overlaps; of those that begin together the longest."""
        spans = [match.span() for match in self._loose.finditer(text)] if self._loose else []
        for token in _TOKEN.finditer(text):
            for pattern in self._by_first.get(_plain(token.group()), ()):
                if match := pattern.match(text, token.start()):
                    spans.append(match.span())
        found: list[tuple[int, int]] = []
        for start, end in sorted(spans, key=lambda span: (span[0], -span[1])):
            if not found or start >= found[-1][1]:
                found.append((start, end))
        return found


def _plain(word: str) -> str:
    return unicodedata.normalize("NFC", word).casefold()


def _either_form(word: str) -> str:
    """A pattern for a word with its accents composed or decomposed, any white space for its spaces."""
    forms = sorted({unicodedata.normalize(form, word) for form in ("NFC", "NFD")} | {word.casefold()})
    return "(?:" + "|".join(r"\s+".join(map(re.escape, form.split())) for form in forms) + ")"
