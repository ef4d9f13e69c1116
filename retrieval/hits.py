"""From what the views found to hits: which of them count, and what is known of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from contracts import Hit, Query, Reranker, Standing, may_read
from retrieval.ranking.diversity import without_near_duplicates
from retrieval.ranking.fusion import DENSE, Ranking
from retrieval.sparse.analysis import phrases
from retrieval.views import Findings

_LAST = Standing("none", 1 << 60, 0.0)


def decisive(query: Query, findings: Findings) -> Sequence[Ranking]:
    """Return the rankings of which the hits are taken: all, or where something is found that the query quotes, that by
    words, which requires it. A question may also quote what is said elsewhere."""
    by_words = [ranking for ranking in findings.rankings if ranking.view != DENSE][:1]
    quoted = phrases(query.text) and any(ranking.found for ranking in by_words)
    return by_words if quoted else findings.rankings


def is_readable(hit: Hit, query: Query) -> bool:
    """Return whether the hit is in the collection searched, and for the caller."""
    return hit.document.collection == query.collection and may_read(query.caller.scope, hit.document.readers)


def distinct(hits: Mapping[int, Hit]) -> dict[int, Hit]:
    """Return the hits without those whose passage, or nearly the same text, came before."""
    passages: dict[tuple[str, tuple[int, int]], int] = {}
    for key, hit in hits.items():
        passages.setdefault((hit.document.id, hit.chunk.span), key)
    kept = {hit.chunk.id for hit in without_near_duplicates([hits[key] for key in passages.values()])}
    return {key: hits[key] for key in passages.values() if hits[key].chunk.id in kept}


def with_standings(found: Mapping[int, Hit], findings: Findings) -> list[Hit]:
    """Return the hits with their best standing in each view, and their similarity to the query."""
    standings: dict[int, dict[str, Standing]] = {key: {} for key in found}
    for ranking in findings.rankings:
        for rank, (key, score) in enumerate(ranking.found, start=1):
            if key in found and rank < standings[key].get(ranking.view, _LAST).rank:
                standings[key][ranking.view] = Standing(ranking.view, rank, score)
    return [
        replace(
            hit,
            similarity=findings.similarities.get(key),
            standings=(*standings[key].values(), *hit.standings),
        )
        for key, hit in found.items()
    ]


def like_query(
    hits: Sequence[Hit], vectors: Mapping[str, NDArray[np.float32]], query: NDArray[np.float32]
) -> list[Hit]:
    """Return the hits with their similarity to the query itself: what colours a search makes no evidence."""
    known = {chunk: float(vector @ query) for chunk, vector in vectors.items()}
    return [replace(hit, similarity=known.get(hit.chunk.id)) for hit in hits]


async def reranked(reranker: Reranker, query: str, hits: Sequence[Hit]) -> list[Hit]:
    """Return the hits in the reranker's order."""
    scores = await reranker.score(query, hits)
    best = sorted(zip(hits, scores, strict=True), key=lambda pair: -pair[1])
    return [
        replace(hit, score=score, standings=(*hit.standings, Standing("rerank", rank, score)))
        for rank, (hit, score) in enumerate(best, start=1)
    ]


def brief(hit: Hit) -> dict[str, object]:
    """Return what a trace says of a hit."""
    return {"id": hit.chunk.id, "source": hit.document.source, "score": round(hit.score, 4)}
