"""Wires search: the views of the catalog, and what becomes of what they find."""

from __future__ import annotations

from typing import TYPE_CHECKING

from apps.settings import LATE_INTERACTION, Settings
from contracts import (
    ChangeFeed,
    ChatModel,
    Condenser,
    DenseIndex,
    Embedder,
    Passages,
    Rephraser,
    Reranker,
    SparseIndex,
    Tracer,
)

if TYPE_CHECKING:
    from retrieval.embedding.embedder_shelf import EmbedderShelf
    from retrieval.questions.summarising import Summariser
    from retrieval.retriever import HybridRetriever
    from retrieval.views import Views


def open_views(settings: Settings, feed: ChangeFeed, catalog: str) -> Views:
    """Return the views of every collection in the catalog of this identity."""
    from retrieval.dense.faiss_index import FaissIndex
    from retrieval.dense.faiss_threads import open_search_threads
    from retrieval.sparse.tantivy_index import TantivyIndex
    from retrieval.views import Views

    threads = open_search_threads()

    def open_dense(collection: str, embedder: Embedder) -> DenseIndex:
        return FaissIndex(
            feed,
            collection,
            embedder=embedder.name,
            dimension=embedder.dimension,
            folder=settings.index_dir,
            catalog=catalog,
            threads=threads,
        )

    def open_sparse(collection: str) -> SparseIndex:
        return TantivyIndex(feed, collection, folder=settings.words_dir, catalog=catalog)

    return Views(open_dense, open_sparse)


def forget_vectors(settings: Settings, collection: str) -> None:
    """Remove a collection's snapshots: they may hold vectors of what was deleted, and are made anew."""
    from retrieval.dense.index_snapshots import remove_snapshots

    remove_snapshots(settings.index_dir, collection)


def remove_views(settings: Settings, collection: str) -> None:
    """Remove all that views keep of a collection on disk; where it still exists it is made anew."""
    from retrieval.sparse.index_folder import remove_index

    forget_vectors(settings, collection)
    remove_index(settings.words_dir, collection)


def open_retriever(
    settings: Settings,
    passages: Passages,
    views: Views,
    embedders: EmbedderShelf,
    tracer: Tracer,
    rephraser: Rephraser | None = None,
) -> HybridRetriever:
    """Return what finds passages in these views."""
    from retrieval.ranking.fusion import Fusion, FusionMethod
    from retrieval.retriever import HybridRetriever, RetrievalPolicy

    retrieval = settings.retrieval
    return HybridRetriever(
        passages=passages,
        views=views,
        open_embedder=embedders.open,
        count_tokens=embedders.open(settings.embedding.model).count_tokens,
        tracer=tracer,
        policy=RetrievalPolicy(
            candidates=retrieval.candidates,
            fusion=Fusion(FusionMethod(retrieval.fusion)),
            rerank_depth=retrieval.rerank_depth,
            diversity=retrieval.diversity,
            expand_tokens=retrieval.expand_tokens,
        ),
        reranker=_reranker(settings),
        rephraser=rephraser,
    )


def open_condenser(settings: Settings, model: ChatModel) -> Condenser:
    """Return what turns a follow-up into a question that stands alone. The packaged model is too small for it."""
    from retrieval.questions.followup_condenser import FollowupCondenser
    from retrieval.questions.llm_condenser import LlmCondenser

    rule = FollowupCondenser()
    condense = settings.retrieval.condense
    by_model = condense == "model" or (condense == "auto" and not settings.has_packaged_model)
    return LlmCondenser(model, fallback=rule) if by_model else rule


def open_summariser(settings: Settings, model: ChatModel) -> Summariser:
    """Return what keeps summaries of long conversations."""
    from retrieval.questions.llm_summariser import LlmSummariser
    from retrieval.questions.rule_summariser import RuleSummariser

    rule = RuleSummariser()
    return rule if settings.has_packaged_model else LlmSummariser(model, fallback=rule)


def open_rephraser(settings: Settings, model: ChatModel) -> Rephraser:
    """Return what says a question in other words."""
    from retrieval.questions.rewording import Hyde, MultiQuery

    return Hyde(model) if settings.retrieval.rephrase == "hyde" else MultiQuery(model)


def _reranker(settings: Settings) -> Reranker | None:
    model, embedding = settings.retrieval.reranker, settings.embedding
    if not model:
        return None
    if model == LATE_INTERACTION:
        from retrieval.ranking.late_interaction_reranker import LateInteractionReranker
        from retrieval.ranking.sentence_transformers_tokens import SentenceTransformersTokens

        tokens = SentenceTransformersTokens(embedding.model, runtime=embedding.runtime, threads=embedding.threads)
        return LateInteractionReranker(tokens)
    from retrieval.ranking.cross_encoder_reranker import CrossEncoderReranker

    return CrossEncoderReranker(model)
