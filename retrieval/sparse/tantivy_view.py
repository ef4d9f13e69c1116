"""A Tantivy index as it was at one commit, and the search in it."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from contracts import PUBLIC, Selection
from retrieval.sparse.analysis import WEIGHTS, Wanted, wanted
from retrieval.sparse.langid_language import LANGUAGES
from retrieval.sparse.sealing import Seal
from retrieval.sparse.tantivy_documents import LIMITED, STATE, number_of, schema

_FEW = 5000  # documents that are looked up one by one, at 2 to 4 µs each
_MANY_DELETED = 500  # chunks


@dataclass(frozen=True, slots=True)
class TantivyView:
    """What one commit holds: its generation, the languages of its texts, and whether all of it is for everyone."""

    index: Any
    searcher: Any
    seal: Seal
    generation: int
    languages: tuple[str, ...]
    for_everyone: bool

    def search(self, text: str, k: int, selection: Selection) -> tuple[tuple[int, float], ...]:
        """Return up to k (key, BM25 score) pairs, best first, of the selected documents only."""
        asked = wanted(text, self.languages)
        k = min(k, self.searcher.num_docs)
        if not asked or k <= 0 or not selection.scope or selection.documents == frozenset():
            return ()
        query = self._query(asked)
        if not (self.for_everyone and PUBLIC in selection.scope):
            query = self._only(query, "readers", [self.seal.name(reader) for reader in selection.scope])
        if selection.documents is None:
            return self._keys(self._top(query, k))
        numbers = _numbers(selection.documents)
        if len(numbers) <= _FEW:
            return self._keys(self._top(self._only(query, "number", list(numbers)), k))
        return self._keys(self._deeper(query, k, numbers))

    def mostly_deleted(self, folder: Path) -> tuple[str, ...]:
        """Return the documents that are or were in segments of which most is deleted; once these are written again, the
        segments go. Nothing may be written meanwhile."""
        from tantivy import DocAddress

        found: dict[str, None] = {}
        for number, segment in enumerate(json.loads((folder / "meta.json").read_bytes())["segments"]):
            deleted = (segment["deletes"] or {}).get("num_deleted_docs", 0)
            if deleted >= _MANY_DELETED and deleted * 2 > segment["max_doc"]:
                for at in range(segment["max_doc"]):
                    found |= dict.fromkeys(self.searcher.doc(DocAddress(number, at))["document"])
        return tuple(found)

    def _query(self, asked: Wanted) -> Any:
        from tantivy import Occur, Query

        words = [query for forms in asked.words for field in WEIGHTS for query in self._forms(field, forms)]
        phrases = [(Occur.Must, self._phrase(phrase)) for phrase in asked.phrases]
        return Query.boolean_query([*((Occur.Should, word) for word in words), *phrases])

    def _forms(self, field: str, forms: tuple[str, ...]) -> list[Any]:
        """The forms of one word count as one: a rare one does not weigh more than the most frequent."""
        from tantivy import Query

        sealed = [self.seal.word(form) for form in forms]
        if len(sealed) == 1:
            return [Query.boost_query(Query.term_query(schema(), field, sealed[0], "freq"), WEIGHTS[field])]
        counts = {form: self.searcher.doc_freq(field, form) for form in sealed}
        weight = self._idf(max(counts.values())) * WEIGHTS[field]
        return [
            Query.boost_query(Query.term_query(schema(), field, form, "freq"), weight / self._idf(count))
            for form, count in counts.items()
            if count
        ]

    def _idf(self, count: int) -> float:
        every = max(self.searcher.num_docs, count)
        return math.log(1 + (every - count + 0.5) / (count + 0.5))

    def _phrase(self, phrase: tuple[str, ...]) -> Any:
        from tantivy import Query

        sealed: list[Any] = [self.seal.word(word) for word in phrase]
        if len(sealed) == 1:
            return Query.term_query(schema(), "exact", sealed[0])
        return Query.phrase_query(schema(), "exact", sealed)

    def _only(self, query: Any, field: str, values: Sequence[str | int]) -> Any:
        from tantivy import Occur, Query

        allowed = Query.const_score_query(Query.term_set_query(schema(), field, values), 0.0)
        return Query.boolean_query([(Occur.Must, query), (Occur.Must, allowed)])

    def _top(self, query: Any, k: int) -> list[tuple[float, Any]]:
        found: list[tuple[float, Any]] = self.searcher.search(query, limit=k, count=False).hits
        return found

    def _deeper(self, query: Any, k: int, numbers: frozenset[int]) -> list[tuple[float, Any]]:
        """The same as with the documents in the query: the best of all, as many as it takes until k of them are
        allowed."""
        depth = k
        while True:
            depth = min(depth * 4, self.searcher.num_docs)
            found = self._top(query, depth)
            of = self.searcher.fast_field_values("number", [address for _, address in found])
            allowed = [hit for hit, number in zip(found, of, strict=True) if number in numbers]
            if len(allowed) >= k or len(found) < depth or depth == self.searcher.num_docs:
                return allowed[:k]

    def _keys(self, found: list[tuple[float, Any]]) -> tuple[tuple[int, float], ...]:
        keys = self.searcher.fast_field_values("key", [address for _, address in found])
        return tuple((key, score) for key, (score, _) in zip(keys, found, strict=True))


@lru_cache(4)
def _numbers(documents: frozenset[str]) -> frozenset[int]:
    return frozenset(map(number_of, documents))


def open_index(folder: Path | None) -> Any:
    """Return the index in a folder, made where there is none; in memory without a folder."""
    from tantivy import Index, TextAnalyzerBuilder, Tokenizer

    index = Index(schema(), path=str(folder)) if folder else Index(schema())
    index.register_tokenizer("whitespace", TextAnalyzerBuilder(Tokenizer.whitespace()).build())
    index.config_reader("manual")
    return index


def view_of(index: Any, seal: Seal) -> TantivyView:
    """Return what the index's last commit holds."""
    from tantivy import Query

    index.reload()
    searcher = index.searcher()
    states = searcher.search(Query.term_query(schema(), "state", STATE), limit=1, count=False).hits
    return TantivyView(
        index=index,
        searcher=searcher,
        seal=seal,
        generation=searcher.doc(states[0][1])["generation"][0] if states else 0,
        languages=tuple(language for language in LANGUAGES if searcher.doc_freq("language", language)),
        for_everyone=not searcher.doc_freq("readers", LIMITED),
    )
