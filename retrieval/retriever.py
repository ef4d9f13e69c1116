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
from retrieval.hits import brief, decisive, distinct, is_readable, like_query, reranked, with_standings
from retrieval.questions.conversation_context import blended
from retrieval.questions.dense_weight import dense_weight
from retrieval.questions.rewording import weighted
from retrieval.ranking.diversity import most_diverse
from retrieval.ranking.fusion import Fusion, fuse
from retrieval.ranking.unrelated_similarity import unrelated_similarity
from retrieval.ranking.widening import widen
from retrieval.steps import Steps
from retrieval.views import Findings, Views, Wanted

_DEEPEST = 16  # times the candidates of a first search: so far it is searched for passages that are not the same again
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

    async def readable(self, collection: str, caller: Caller) -> Readable:
        """Return the collection's state. Raises NotFoundError as `retrieve` does."""
        return await self._passages.readable(collection, caller.scope)

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
                span.set(outputs=[brief(hit) for hit in hits], mode=query.mode, generation=min(findings.generations))
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
        while len(hits) < search.query.top_k and depth < _DEEPEST * self._policy.candidates:
            if all(len(ranking.found) < depth for ranking in decisive(search.query, findings)):
                break  # there is nothing more to find
            depth *= 2
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
            taken = {key for ranking in decisive(query, findings) for key, _ in ranking.found}
            fused = [pair for pair in fused if pair[0] in taken]
            span.set(candidates=len(fused))
        choosy = self._reranker is not None or self._policy.diversity > 0
        with search.steps("fetch"):
            found = await self._fetch(query, fused, max(query.top_k, self._policy.rerank_depth if choosy else 0))
        hits = with_standings(found, findings)
        if search.own_vector is not None:
            hits = like_query(hits, await self._vectors(query, found), search.own_vector)
        if self._reranker is not None and hits:
            with search.steps("rerank", model=self._reranker.name):
                hits = await reranked(self._reranker, query.text, hits)
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
                    if is_readable(hit, query):
                        hits[key] = hit
            hits = distinct(hits)
            if len(hits) >= needed:
                break
        return dict(list(hits.items())[:needed])
