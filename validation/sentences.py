"""Sentences out of a stream of text, as soon as each is complete and whatever the pieces it arrives in.

sentencex (MIT, by the Wikimedia Foundation) says whether a sentence ends where punctuation is followed by a word. It
is asked with the text up to the end of that word only, so the answer never depends on how the stream was cut.
"""

from __future__ import annotations

import re

MAX_CHARS = 1000
"""A sentence is cut at the first word after this many characters, so that the stream never stalls."""

_MARKERS = r"(?:\[\d{1,3}(?:[,;]\d{1,3})*\])+"
_ENDS = re.compile(rf"[.!?…][\"'”’»)\]*_]*(?:\s?{_MARKERS})*$")
_MARKER_WORD = re.compile(rf"{_MARKERS}[.,;:]?$")
_MARKED = re.compile(rf"{_MARKERS}\.?$")
_OPEN_ENDED = re.compile(
    r"(?:^\s*(?:[-*•#]+|\(?\w{1,2}[.)])"  # the marker of a list item
    r"|\b(?:approx|ca|cf|vs|e\.g|i\.e|Sect|Fig|Figs|Eq|Ch|Chap|Vol|Ed|Nr|Art|Abs|Tel|resp|bzw|ggf|z\.\s?B|d\.\s?h|u\.\s?a)\.)$"
)
_GERMAN_DATE = re.compile(
    r"\b\d{1,2}\.\s+(?:Januar|Februar|März|April|Mai|Juni|Juli|August|September|Oktober|November|Dezember)\b"
)
_WIDE_ENDS = "。！？"
_FENCE = "```"


class SentenceStream:
    """Cuts a stream into sentences. The sentences joined are the text fed, white space included.

    >>> stream = SentenceStream()
    >>> stream.feed("Dr. Weber opens the hut. It has 40 beds. In win")
    ['Dr. Weber opens the hut. ', 'It has 40 beds. ']
    >>> stream.flush()
    ['In win']
    """

    def __init__(self) -> None:
        self._text = ""  # of the sentence under way
        self._word = 0  # where its last word starts
        self._candidate: int | None = None  # where it may end: before its last word, once that is complete

    def feed(self, text: str) -> list[str]:
        """Return the sentences that `text` completes. One ends only once the word after it is known."""
        return [sentence for character in text for sentence in self._push(character)]

    def flush(self) -> list[str]:
        """Return what is left at the end of the stream, and start anew."""
        rest = [*self._decide(), self._cut(len(self._text))]
        return [sentence for sentence in rest if sentence]

    def _push(self, character: str) -> list[str]:
        previous = self._text[-1:]
        if character.isspace():
            done = self._decide() if not previous.isspace() else []
        elif previous.isspace() or not previous:
            done = self._start_word()
        else:
            wide = previous in _WIDE_ENDS and character not in _WIDE_ENDS + "”’』」）[" and not self._in_fence()
            done = [*self._decide(), self._cut(len(self._text))] if wide else []
        self._text += character
        return done

    def _start_word(self) -> list[str]:
        end = len(self._text)
        before = self._text[self._word :]
        self._word, self._candidate = end, None
        if not self._text.strip() or self._in_fence():
            return []
        if "\n" in before.lstrip() or end >= MAX_CHARS:
            return [self._cut(end)]
        if _ENDS.search(self._text[-80:].rstrip()):
            self._candidate = end
        return []

    def _decide(self) -> list[str]:
        if self._candidate is None:
            return []
        at, word = self._candidate, self._text[self._candidate :]
        self._candidate = None
        if _MARKER_WORD.match(word) or not self._ends_before(at, word):
            return []
        return [self._cut(at)]

    def _ends_before(self, at: int, word: str) -> bool:
        left = self._text[:at].rstrip()
        if _OPEN_ENDED.search(left) or _GERMAN_DATE.search(self._text, max(0, at - 5)):
            return False
        if _MARKED.search(left):
            return True
        from sentencex import segment

        plain = re.sub(r"[*_]", "", self._text)  # emphasis hides the end of a sentence from it
        return str(segment("en", plain)[-1]).strip() == re.sub(r"[*_]", "", word)

    def _in_fence(self) -> bool:
        stripped = self._text.lstrip()
        return stripped.startswith(_FENCE) and not re.search(rf"\n[ \t]*{_FENCE}[ \t]*\n\s*$", stripped)

    def _cut(self, at: int) -> str:
        sentence, self._text = self._text[:at], self._text[at:]
        self._word, self._candidate = 0, None
        return sentence
