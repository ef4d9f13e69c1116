"""Questions with what a search finds for them, from open sets in a data folder, and whether that answers them.

A search is a mix of cosine similarity and BM25 over one set's passages. "elsewhere" asks of a collection without the
question's own title, whatever the set says; what is found there cannot answer it.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from contracts import Chunk, Document, Hit, Vectors
from validation.support.terms import terms_of

_DENSE = 0.66  # the share of the vectors in the product's own fusion
_FOUND = 5  # hits a question
_LANGUAGES = ("ar", "de", "en", "es", "zh")

Encode = Callable[[Sequence[str]], Vectors]


@dataclass(frozen=True, slots=True)
class Case:
    """A question, what was found for it, and whether that answers it. `group` names the set; `held_out` cases, half of
    the titles, are not for training."""

    group: str
    question: str
    hits: tuple[Hit, ...]
    answerable: bool
    held_out: bool


@dataclass(frozen=True, slots=True)
class _Asked:
    question: str
    title: str
    answerable: bool


@dataclass(frozen=True, slots=True)
class _Passage:
    title: str
    text: str


def read_cases(data: Path, encode: Encode) -> Iterator[Case]:
    """Yield the cases of SQuAD 2, ClapNQ and XQuAD below `data`; `encode` gives unit rows, one a text."""
    yield from read_squad(data, encode)
    passages, asked = _squad(data / "multiturn" / "clapnq_single_turn")
    yield from _search("clapnq", passages, asked, encode)
    for language in _LANGUAGES:
        passages, asked = _xquad(data / "qa" / "xquad" / f"xquad.{language}.json")
        yield from _search(f"xquad.{language}", passages, asked, encode)


def read_squad(data: Path, encode: Encode) -> Iterator[Case]:
    """Yield the cases of SQuAD 2 alone."""
    passages, asked = _squad(data / "qa" / "squad2")
    yield from _search("squad2", passages, asked, encode)


def _squad(folder: Path) -> tuple[list[_Passage], list[_Asked]]:
    corpus = {row["_id"]: _Passage(row["title"], row["text"]) for row in _rows(folder / "corpus.jsonl")}
    asked = [
        _Asked(
            row["question"], corpus[row["context_id"]].title, not row.get("is_impossible", not row.get("answerable"))
        )
        for row in _rows(folder / "qa.jsonl")
    ]
    return list(corpus.values()), asked


def _xquad(path: Path) -> tuple[list[_Passage], list[_Asked]]:
    articles = json.loads(path.read_text())["data"]
    passages, asked = [], []
    for number, article in enumerate(articles):
        title = article.get("title") or str(number)
        for paragraph in article["paragraphs"]:
            passages.append(_Passage(title, paragraph["context"]))
            asked += [_Asked(row["question"], title, True) for row in paragraph["qas"]]
    return passages, asked


def _rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def _search(group: str, passages: Sequence[_Passage], asked: Sequence[_Asked], encode: Encode) -> Iterator[Case]:
    vectors = encode([f"{passage.title}\n{passage.text}" for passage in passages])
    cosines = encode([one.question for one in asked]) @ vectors.T
    words = _Bm25([f"{passage.title}\n{passage.text}" for passage in passages])
    titles = np.array([passage.title for passage in passages])
    for one, similar in zip(asked, cosines, strict=True):
        shared = words.scores(one.question)
        fused = _DENSE * similar / max(similar.max(), 1e-6) + (1 - _DENSE) * shared / max(shared.max(), 1e-6)
        held_out = _held_out(one.title)
        found = _hits(passages, similar, np.argsort(-fused)[:_FOUND].tolist())
        yield Case(group, one.question, found, one.answerable, held_out)
        others = np.where(titles == one.title, -1.0, fused)
        found = _hits(passages, similar, np.argsort(-others)[:_FOUND].tolist())
        yield Case(f"{group} elsewhere", one.question, found, False, held_out)


def _held_out(title: str) -> bool:
    """Half of the titles, the same in every language."""
    plain = title.replace("_", " ").casefold()
    return hashlib.sha256(plain.encode()).digest()[0] % 2 == 1


def _hits(passages: Sequence[_Passage], similar: Vectors, order: Sequence[int]) -> tuple[Hit, ...]:
    return tuple(_hit(passages[at], at, float(similar[at])) for at in order)


def _hit(passage: _Passage, at: int, similarity: float) -> Hit:
    document = Document(str(at), "default", "v", passage.title, passage.title, "text/plain", len(passage.text))
    chunk = Chunk(str(at), str(at), "v", 0, passage.text, (0, len(passage.text)))
    return Hit(chunk, document, similarity, similarity)


class _Bm25:
    """Okapi BM25, k1 1.2, b .75 (Robertson & Zaragoza 2009), over the stems of content words."""

    def __init__(self, texts: Sequence[str]) -> None:
        bags = [Counter(terms_of(text).words | terms_of(text).numbers) for text in texts]
        self._lengths = np.array([len(bag) for bag in bags], dtype=np.float64)
        self._holders: dict[str, list[int]] = {}
        for at, bag in enumerate(bags):
            for word in bag:
                self._holders.setdefault(word, []).append(at)

    def scores(self, question: str) -> Vectors:
        """Return a score per text, float32."""
        asked = terms_of(question)
        total, scores = len(self._lengths), np.zeros(len(self._lengths))
        norm = 2.2 / (1 + 1.2 * (0.25 + 0.75 * self._lengths / self._lengths.mean()))
        for word in asked.words | asked.numbers:
            holders = self._holders.get(word, [])
            weight = math.log(1 + (total - len(holders) + 0.5) / (len(holders) + 0.5))
            scores[holders] += weight * norm[holders]
        return scores.astype(np.float32)
