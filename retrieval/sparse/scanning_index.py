"""A sparse index by scanning: BM25 in plain Python, the fake that Tantivy is checked against."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from contracts import ChangeFeed, Selection, StoredTexts, may_read
from retrieval.sparse.analysis import WEIGHTS, Wanted, sequence, terms, wanted
from retrieval.sparse.langid_language import language_of

_K1, _B = 1.2, 0.75  # as in Tantivy, after Robertson and Zaragoza, The Probabilistic Relevance Framework (2009)


@dataclass(frozen=True, slots=True)
class _Chunk:
    key: int
    document_id: str
    readers: tuple[str, ...]
    fields: dict[str, Counter[str]]
    exact: tuple[tuple[str, ...], ...]


class ScanningIndex:
    """Port `SparseIndex` by going through every chunk."""

    def __init__(self, feed: ChangeFeed, collection: str) -> None:
        self._feed = feed
        self._collection = collection
        self._generation = 0
        self._chunks: dict[str, list[_Chunk]] = {}
        self._languages: dict[str, str] = {}

    @property
    def generation(self) -> int:
        """The generation this view stands for."""
        return self._generation

    async def refresh(self) -> int:
        """Apply what changed in the catalog; return the generation now stood for."""
        latest = await self._feed.generation(self._collection)
        changes = await self._feed.changes(self._collection, self._generation)
        stored = await self._feed.texts([change.document_id for change in changes])
        for change in changes:
            self._chunks.pop(change.document_id, None)
            self._languages.pop(change.document_id, None)
        for document_id, one in stored.items():
            language = language_of("\n".join([one.title, *(text.text for text in one.texts[:4])]))
            self._languages[document_id] = language
            self._chunks[document_id] = list(_chunks(document_id, one, language))
        self._generation = max([latest, *(change.generation for change in changes)])
        return self._generation

    async def search(self, text: str, k: int, selection: Selection) -> tuple[tuple[int, float], ...]:
        """Return up to k (key, BM25 score) pairs, best first, of the selected documents only. What stands in quotes in
        `text` must occur as it is; a text without a word that counts finds nothing."""
        asked = wanted(text, set(self._languages.values()))
        every = [chunk for chunks in self._chunks.values() for chunk in chunks]
        scores = {chunk.key: 0.0 for chunk in every if asked and _selected(chunk, selection) and _says(chunk, asked)}
        for field, weight in WEIGHTS.items():
            for forms in asked.words:
                for key, score in _bm25(field, forms, every).items():
                    if key in scores:
                        scores[key] += weight * score
        for phrase in asked.phrases:
            rarity = _idf(len(every), sum(_holds(chunk, phrase) for chunk in every))
            scores = {key: score + rarity for key, score in scores.items()}
        found = [(key, score) for key, score in scores.items() if score > 0]
        return tuple(sorted(found, key=lambda pair: (-pair[1], pair[0]))[: max(k, 0)])

    async def aclose(self) -> None:
        """Nothing is held."""


def _chunks(document_id: str, stored: StoredTexts, language: str) -> Iterable[_Chunk]:
    for one in stored.texts:
        parts = {"title": stored.title, "headings": "\n".join(one.headings), "body": one.text}
        fields = {field: Counter(terms(part, language)) for field, part in parts.items()}
        exact = tuple(tuple(sequence(part)) for part in (stored.title, *one.headings, one.text))
        yield _Chunk(one.key, document_id, tuple(stored.readers), fields, exact)


def _selected(chunk: _Chunk, selection: Selection) -> bool:
    inside = selection.documents is None or chunk.document_id in selection.documents
    return inside and may_read(selection.scope, chunk.readers)


def _says(chunk: _Chunk, asked: Wanted) -> bool:
    return all(_holds(chunk, phrase) for phrase in asked.phrases)


def _holds(chunk: _Chunk, phrase: tuple[str, ...]) -> bool:
    size = len(phrase)
    return any(part[at : at + size] == phrase for part in chunk.exact for at in range(len(part) - size + 1))


def _bm25(field: str, forms: Sequence[str], every: Sequence[_Chunk]) -> dict[int, float]:
    counts = {chunk.key: sum(chunk.fields[field][form] for form in forms) for chunk in every}
    lengths = {chunk.key: chunk.fields[field].total() for chunk in every}
    average = sum(lengths.values()) / max(1, len(every)) or 1.0
    rarity = _idf(len(every), max((sum(form in chunk.fields[field] for chunk in every) for form in forms), default=0))
    return {
        key: rarity * count * (_K1 + 1) / (count + _K1 * (1 - _B + _B * lengths[key] / average))
        for key, count in counts.items()
        if count
    }


def _idf(every: int, count: int) -> float:
    return math.log(1 + (every - count + 0.5) / (count + 0.5))
