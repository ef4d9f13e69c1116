"""Hybrid retrieval: a query is searched for by meaning and by words, and what both find becomes one list."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from contracts import (
    Caller,
    Embedder,
    Hit,
    InvalidInputError,
    Passages,
    Query,
    Readable,
    Rephraser,
    Reranker,
    Retrieved,
    Rewording,
    SearchMode,
    Selection,
    Standing,
    Tracer,
    Wording,
)
from retrieval.questions.conversation_context import blended
from retrieval.questions.dense_weight import dense_weight
from retrieval.questions.rewording import weighted
from retrieval.ranking.diversity import most_diverse, without_near_duplicates
from retrieval.ranking.fusion import DENSE, Fusion, fuse
from retrieval.ranking.unrelated_similarity import unrelated_similarity
from retrieval.ranking.widening import widen
from retrieval.sparse.analysis import phrases
from retrieval.steps import Steps
from retrieval.views import Findings, Views, Wanted

_DEEPEST = 16  # times the candidates of a first search: so far it is searched for passages that are not the same again
_LAST = Standing("none", 1 << 60, 0.0)
_SPARE = 2  # times the hits wanted that each view gives at least: some are the same again


@dataclass(frozen=True, slots=True)
class RetrievalPolicy:
    """How what the views find becomes one list. Each view gives `candidates`; the best `rerank_depth` of both are
    judged by the reranker, where there is one. `diversity` above 0, up to 1, trades relevance for variety (MMR).
    `expand_tokens` is how long a passage may become by its neighbours; 0 leaves it as it was found."""

    candidates: int = 100
    fusion: Fusion = field(default_factory=Fusion)
    rerank_depth: int = 20
    diversity: float = 0.0
    expand_tokens: int = 0


@dataclass(frozen=True, slots=True)
class _Search:
    """A query on its way: the collection as it was found, and what the views are asked for."""

    query: Query
    readable: Readable
    embedder: Embedder
    wanted: Wanted
    own_vector: NDArray[np.float32] | None  # where the vector searched for is blended with others
    rewording: Rewording
    steps: Steps


class HybridRetriever:
    """Port `Retriever`. `open_embedder` returns an embedder by its name, `count_tokens` measures passages that are
    widened."""

    def __init__(
        self,
        *,
        passages: Passages,
        views: Views,
        open_embedder: Callable[[str], Embedder],
        count_tokens: Callable[[str], int],
        tracer: Tracer,
        policy: RetrievalPolicy = RetrievalPolicy(),
        reranker: Reranker | None = None,
        rephraser: Rephraser | None = None,
    ) -> None:
        self._passages = passages
        self._views = views
        self._open_embedder = open_embedder
        self._count_tokens = count_tokens
        self._tracer = tracer
        self._policy = policy
        self._reranker = reranker
        self._rephraser = rephraser
        self._unrelated: dict[str, float] = {}  # by embedder

    @property
    def recipe(self) -> str:
        """Everything besides the query and the documents that shapes what is found, part of every cache key."""
        return repr((self._policy, self._reranker and self._reranker.name, self._rephraser and self._rephraser.name))

    async def generation(self, collection: str, caller: Caller) -> int:
        """Return the generation of the collection's last change. Raises NotFoundError as `retrieve` does."""
        return (await self._passages.readable(collection, caller.scope)).generation

    async def retrieve(self, query: Query) -> Retrieved:
        """Return the best hits the caller may see. Raises NotFoundError when there is no such collection for them,
        InvalidInputError for an empty query or a filter that cannot be, and ConfigurationError when a model cannot be
        loaded."""
        if not query.text.strip():
            raise InvalidInputError("The query is empty; say what to look for.")
        readable = await self._passages.readable(query.collection, query.caller.scope)
        while True:
            steps = Steps(self._tracer)
            with steps("retrieve", inputs={"query": query.text, "top_k": query.top_k}) as span:
                search = await self._prepare(query, readable, steps)
                hits, findings = await self._hits(search)
                span.set(outputs=[_brief(hit) for hit in hits], mode=query.mode, generation=min(findings.generations))
            if set(findings.generations) != {readable.generation}:
                searched, readable = readable, await self._passages.readable(query.collection, query.caller.scope)
                if searched.embedder != readable.embedder:
                    continue  # the collection was switched meanwhile, and the vectors searched for are gone
            return Retrieved(hits, min(findings.generations), steps.timings(), search.rewording)

    async def _prepare(self, query: Query, readable: Readable, steps: Steps) -> _Search:
        documents = None
        if query.filters:
            with steps("filter", inputs=[repr(one) for one in query.filters]):
                documents = await self._passages.matching(query.collection, query.filters)
        rewording = Rewording()
        if self._rephraser is not None:
            with steps("reword") as span:
                rewording = await self._rephraser.reword(query.text)
                span.set(outputs=[*rewording.texts, *rewording.passages])
        wordings = (*query.context, *weighted(rewording))
        embedder = self._open_embedder(readable.embedder)
        vector = own_vector = None
        if query.mode is not SearchMode.SPARSE:
            texts = [query.text, *(wording.text for wording in wordings)]
            with steps("embed", inputs={"texts": texts}, model=readable.embedder) as span:
                vectors = await embedder.embed(texts)
                span.set(dimension=vectors.shape[1])
            vector, own_vector = (blended(vectors, wordings), vectors[0]) if wordings else (vectors[0], None)
        wanted = Wanted(
            collection=query.collection,
            selection=Selection(query.caller.scope, documents),
            texts=() if query.mode is SearchMode.DENSE else (Wording(query.text, 1.0), *query.context),
            vector=vector,
            depth=max(self._policy.candidates, _SPARE * query.top_k),
        )
        return _Search(query, readable, embedder, wanted, own_vector, rewording, steps)

    async def _hits(self, search: _Search) -> tuple[tuple[Hit, ...], Findings]:
        """Return the best hits, searching deeper while too much of what is found is the same again: windows and parents
        come once per sentence, and copies once per document."""
        findings = await self._views.find(search.wanted, search.readable, search.embedder, search.steps)
        hits = await self._best(search, findings)
        depth = search.wanted.depth
        while len(hits) < search.query.top_k and not findings.exhausted(depth):
            depth *= 2
            if depth > _DEEPEST * self._policy.candidates:
                break
            deeper = replace(search.wanted, depth=depth)
            findings = await self._views.find(deeper, search.readable, search.embedder, search.steps)
            hits = await self._best(search, findings)
        if self._policy.expand_tokens:
            with search.steps("expand"):
                hits = await widen(hits, self._passages.neighbours, self._policy.expand_tokens, self._count_tokens)
        return tuple(hits), findings

    async def _best(self, search: _Search, findings: Findings) -> list[Hit]:
        """Return the best hits of what was found."""
        query = search.query
        with search.steps("fusion") as span:
            fused = fuse(findings.rankings, findings.similarities, await self._fusion(search))
            fused = _saying_what_is_quoted(query, fused, findings)
            span.set(candidates=len(fused))
        choosy = self._reranker is not None or self._policy.diversity > 0
        with search.steps("fetch"):
            found = await self._fetch(query, fused, max(query.top_k, self._policy.rerank_depth if choosy else 0))
        hits = _with_standings(found, findings)
        if search.own_vector is not None:
            vectors = await self._views.vectors(query.collection, list(found))
            hits = _like_query(
                hits, {found[key].chunk.id: vector for key, vector in vectors.items()}, search.own_vector
            )
        if self._reranker is not None and hits:
            with search.steps("rerank", model=self._reranker.name):
                hits = await _reranked(self._reranker, query.text, hits)
        if self._policy.diversity and findings.similarities:
            with search.steps("diversity"):
                hits = most_diverse(hits, await self._vectors(query, found), self._policy.diversity)
        return hits[: query.top_k]

    async def _fusion(self, search: _Search) -> Fusion:
        """Return how both views are joined for this embedder and query."""
        if search.wanted.vector is None:
            return self._policy.fusion
        embedder = search.embedder
        if embedder.name not in self._unrelated:
            self._unrelated[embedder.name] = await unrelated_similarity(embedder)
        fusion = replace(self._policy.fusion, unrelated=self._unrelated[embedder.name])
        return fusion.weighted(dense_weight(embedder, search.query.text))

    async def _vectors(self, query: Query, found: Mapping[int, Hit]) -> dict[str, NDArray[np.float32]]:
        """Return the vectors of hits by chunk id."""
        vectors = await self._views.vectors(query.collection, list(found))
        return {found[key].chunk.id: vector for key, vector in vectors.items()}

    async def _fetch(self, query: Query, fused: Sequence[tuple[int, float]], needed: int) -> dict[int, Hit]:
        """Return the best distinct hits by key, as many as are needed if there are so many."""
        hits: dict[int, Hit] = {}
        for start in range(0, len(fused), needed):
            some = fused[start : start + needed]
            passages = await self._passages.hydrate([key for key, _ in some])
            for rank, (key, score) in enumerate(some, start=start + 1):
                if key in passages:
                    hit = Hit(*passages[key], score=score, standings=(Standing("fusion", rank, score),))
                    # A change between looking up who may see what and fetching must not show what it hides.
                    if _readable(hit, query):
                        hits[key] = hit
            hits = _distinct(hits)
            if len(hits) >= needed:
                break
        return dict(list(hits.items())[:needed])


def _saying_what_is_quoted(query: Query, fused: list[tuple[int, float]], findings: Findings) -> list[tuple[int, float]]:
    """Return those that hold the phrases of the query; all where none does, since a question may quote what is said
    elsewhere."""
    said = next((ranking.found for ranking in findings.rankings if ranking.view != DENSE), ())
    if not said or not phrases(query.text):
        return fused
    keys = {key for key, _ in said}
    return [pair for pair in fused if pair[0] in keys]


def _readable(hit: Hit, query: Query) -> bool:
    return hit.document.collection == query.collection and not set(query.caller.scope).isdisjoint(hit.document.readers)


def _distinct(hits: Mapping[int, Hit]) -> dict[int, Hit]:
    """Return the hits without those whose passage, or nearly the same text, came before."""
    passages: dict[tuple[str, tuple[int, int]], int] = {}
    for key, hit in hits.items():
        passages.setdefault((hit.document.id, hit.chunk.span), key)
    kept = {hit.chunk.id for hit in without_near_duplicates([hits[key] for key in passages.values()])}
    return {key: hits[key] for key in passages.values() if hits[key].chunk.id in kept}


def _with_standings(found: Mapping[int, Hit], findings: Findings) -> list[Hit]:
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


def _like_query(
    hits: Sequence[Hit], vectors: Mapping[str, NDArray[np.float32]], query: NDArray[np.float32]
) -> list[Hit]:
    """Return the hits with their similarity to the query itself: what colours a search makes no evidence."""
    known = {chunk: float(vector @ query) for chunk, vector in vectors.items()}
    return [replace(hit, similarity=known.get(hit.chunk.id)) for hit in hits]


async def _reranked(reranker: Reranker, query: str, hits: Sequence[Hit]) -> list[Hit]:
    scores = await reranker.score(query, hits)
    best = sorted(zip(hits, scores, strict=True), key=lambda pair: -pair[1])
    return [
        replace(hit, score=score, standings=(*hit.standings, Standing("rerank", rank, score)))
        for rank, (hit, score) in enumerate(best, start=1)
    ]


def _brief(hit: Hit) -> dict[str, object]:
    return {"id": hit.chunk.id, "source": hit.document.source, "score": round(hit.score, 4)}
