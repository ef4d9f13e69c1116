"""Cuts one long passage with LlamaIndex, at sentence ends or after a number of tokens, and says where the parts are."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ingestion.splitting.sentencex_sentences import sentences
from ingestion.splitting.token_meter import TokenMeter

if TYPE_CHECKING:
    from llama_index.core.node_parser.interface import TextSplitter

_BLANKS = re.compile(r"\s*")
# LlamaIndex cuts an endless word letter by letter, asking for the tokens of each: minutes for a file of base64. Chinese
# and Japanese are written without spaces, but not without punctuation.
_ENDLESS_WORD = re.compile(r"[^\s。！？，、；：]{1000,}")


class Part(NamedTuple):
    """A range of characters, with its size in tokens."""

    start: int
    end: int
    tokens: int


class LlamaIndexSplitter:
    """Parts that follow one another share up to `overlap_tokens`, where whole sentences or words are that small.

    LlamaIndex counts one text at a time and over again, returns texts without their places, and gives up on what it
    cannot cut; so sizes are counted ahead in batches, its parts are looked up in the passage, and those that are over
    the limit are halved.
    """

    def __init__(self, meter: TokenMeter, *, overlap_tokens: int) -> None:
        self._meter = meter
        self._overlap = overlap_tokens

    def by_sentence(self, text: str, start: int, end: int, room: int) -> list[Part]:
        """Return parts of up to `room` tokens that cover the text from `start` to `end`, cut at sentence ends."""
        from llama_index.core.node_parser import SentenceSplitter

        sizes = _Sizes(self._meter)
        splitter = SentenceSplitter(
            chunk_size=room,
            chunk_overlap=min(self._overlap, room // 3),
            paragraph_separator="\n",
            chunking_tokenizer_fn=sentences,  # LlamaIndex's own asks for files of NLTK, and may fetch them
            tokenizer=sizes,
        )
        return self._parts(splitter, sizes.learn_sentences, text[start:end], start, room)

    def by_token(self, text: str, start: int, end: int, room: int) -> list[Part]:
        """Return parts of nearly `room` tokens that cover the text from `start` to `end`, cut between words."""
        from llama_index.core.node_parser import TokenTextSplitter

        sizes = _Sizes(self._meter)
        splitter = TokenTextSplitter(chunk_size=room, chunk_overlap=min(self._overlap, room // 3), tokenizer=sizes)
        return self._parts(splitter, sizes.learn_words, text[start:end], start, room)

    def _parts(
        self, splitter: TextSplitter, learn: Callable[[str], None], passage: str, offset: int, room: int
    ) -> list[Part]:
        spans: list[tuple[int, int]] = []
        at = 0
        for low, high in [*(word.span() for word in _ENDLESS_WORD.finditer(passage)), (len(passage), len(passage))]:
            learn(passage[at:low])
            spans += [*_split(splitter, passage, at, low), (low, high)]
            at = high
        spans = [(low, high) for low, high in spans if low < high]
        sizes = self._meter.sizes([passage[low:high] for low, high in spans])
        parts = [
            part for span, size in zip(spans, sizes, strict=True) for part in self._halved(passage, *span, size, room)
        ]
        return [Part(offset + low, offset + high, size) for low, high, size in parts]

    def _halved(self, passage: str, low: int, high: int, size: int, room: int) -> Iterator[Part]:
        if high - low < 2 or size <= room:
            yield Part(low, high, size)
            return
        middle = (low + high) // 2
        space = max(passage.rfind(" ", low + 1, middle), passage.rfind("\n", low + 1, middle))
        at = space if space > (3 * low + high) // 4 else middle
        for start, end in ((low, at), (at, high)):
            yield from self._halved(passage, start, end, self._meter.size(passage[start:end]), room)


class _Sizes:
    """The tokenizer that LlamaIndex is given, of which it asks only for the number of tokens."""

    def __init__(self, meter: TokenMeter) -> None:
        self._meter = meter
        self._known: dict[str, int] = {}

    def __call__(self, text: str) -> Any:
        return range(self._known.get(text) or self._meter.size(text))

    def learn_sentences(self, passage: str) -> None:
        """Count the sentences of each line, and say that line and passage are as long as they are together."""
        from llama_index.core.node_parser.text.utils import split_text_keep_separator

        lines = split_text_keep_separator(passage, "\n")
        found = [sentences(line) for line in lines]
        self._learn({sentence for line in found for sentence in line})
        for line, parts in zip(lines, found, strict=True):
            self._known[line] = sum(self._known[part] for part in parts)
        self._known[passage] = sum(self._known[line] for line in lines)

    def learn_words(self, passage: str) -> None:
        """Count the words, each once."""
        from llama_index.core.node_parser.text.utils import split_text_keep_separator

        self._learn(set(split_text_keep_separator(passage, " ")))

    def _learn(self, texts: Collection[str]) -> None:
        order = list(texts)
        self._known.update(zip(order, self._meter.sizes(order), strict=True))


def _split(splitter: TextSplitter, passage: str, start: int, end: int) -> list[tuple[int, int]]:
    stretch = passage[start:end]
    if not stretch.strip():
        return []
    # It fails where a single letter has more tokens than there is room for: halving gets nearest.
    with contextlib.suppress(ValueError):
        return [(start + low, start + high) for low, high in _located(stretch, splitter.split_text(stretch))]
    return [(start, end)]


def _located(passage: str, parts: Sequence[str]) -> list[tuple[int, int]]:
    """Return where the parts stand in the passage.

    They follow one another, overlapping or with white space between. Each is looked for as far on as it may begin
    without leaving a gap, so that nothing is lost where a text repeats itself; a part that then brings nothing new is
    left out.
    """
    spans: list[tuple[int, int]] = []
    end = 0
    for part in parts:
        blanks = _BLANKS.match(passage, end)
        reach = blanks.end() if blanks else end
        start = passage.rfind(part, 0, reach + len(part))
        if start < 0:
            raise ValueError(f"{part!r} is no part of the passage")
        if start + len(part) > end:
            end = start + len(part)
            spans.append((start, end))
    return spans
