"""Chooses the blocks of a page that belong to its main part, given what an extractor took to be the main text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from contracts import ElementKind
from ingestion.parsing.markup.lxml_html_blocks import Block

_MARKER = re.compile(r"^ *(?:\d+\.|-) ")
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|\w+")  # Chinese and Japanese put no space between words
_RUN = 4  # words
_SHARED = 0.8  # of a block's runs of words; when more are the extractor's, the block is
_FEW_LINKS = 0.05  # of a page's text; with less there is no navigation to leave out
_TOO_LITTLE = 0.3  # of the text outside links and noise
_ENOUGH = 0.3  # of a page's text
_INSERTS = frozenset({ElementKind.CODE, ElementKind.TABLE})


def has_navigation(blocks: Sequence[Block]) -> bool:
    """Tell whether so much of the page is links that there is something to leave out."""
    return sum(block.linked for block in blocks if not block.element.hidden) >= _FEW_LINKS * max(1, _length(blocks))


def main_blocks(blocks: Sequence[Block], main_text: str) -> list[Block]:
    """Return the blocks that are in `main_text`, with the headings, code and tables among them.

    Where the extractor found too little, it did not understand the page: then all that is not noise is returned.
    """
    said = _said_in(main_text)
    marks = [said(block) for block in blocks]
    found = _prose(block for block, mark in zip(blocks, marks, strict=True) if mark)
    if any(marks) and found >= _TOO_LITTLE * _prose(block for block in blocks if not block.noise):
        return _with_what_belongs(blocks, marks)
    return outside_noise(blocks)


def outside_noise(blocks: Sequence[Block]) -> list[Block]:
    """Return the blocks that are not noise; all of them when that would leave little, as in a list of links."""
    content = [block for block in blocks if not block.noise]
    return content if _length(content) >= _ENOUGH * _length(blocks) else list(blocks)


def _said_in(text: str) -> Callable[[Block], bool]:
    split = [_WORD.findall(line) for line in text.split("\n")]
    lines = {" ".join(words) for words in split}
    runs = set(_runs([word for words in split for word in words]))

    def said(block: Block) -> bool:
        words = _WORD.findall(_MARKER.sub("", block.element.text))
        own = _runs(words)
        if not words or block.element.hidden or block.element.kind is ElementKind.IMAGE:
            return False
        if " ".join(words) in lines:
            return not block.noise or len(words) >= _RUN  # a menu names what the text has as headings
        # Teasers of other articles quote them.
        return bool(own) and not block.noise and sum(run in runs for run in own) >= _SHARED * len(own)

    return said


def _runs(words: Sequence[str]) -> list[tuple[str, ...]]:
    return [tuple(words[i : i + _RUN]) for i in range(len(words) - _RUN + 1)]


def _with_what_belongs(blocks: Sequence[Block], marks: Sequence[bool]) -> list[Block]:
    """Add what extractors leave out: the headline, headings over found text, and code, tables and hidden text in it."""
    first, last = marks.index(True), len(marks) - marks[::-1].index(True)
    titles = [i for i, block in enumerate(blocks) if block.element.kind is ElementKind.TITLE and not block.noise]
    headline = max((i for i in titles if i < first and blocks[i].element.level == 1), default=-1)
    heading = {i for i in titles if i + 1 < len(marks) and marks[i + 1]}

    def belongs(i: int) -> bool:
        block = blocks[i]
        if marks[i] or i == headline or i in heading:
            return True
        if not first < i < last or block.noise:
            return False
        return block.element.hidden or (block.element.kind in _INSERTS and 2 * block.linked < len(block.element.text))

    return [block for i, block in enumerate(blocks) if belongs(i)]


def _prose(blocks: Iterable[Block]) -> int:
    return sum(max(len(b.element.text) - b.linked, 0) for b in blocks if not b.element.hidden)


def _length(blocks: Iterable[Block]) -> int:
    return sum(len(block.element.text) for block in blocks if not block.element.hidden)
