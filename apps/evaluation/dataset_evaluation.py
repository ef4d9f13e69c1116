"""The use case: a dataset is indexed, searched by the product's own retriever, scored, and recorded as a run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from apps.evaluation.beir_dataset import Dataset
from apps.evaluation.corpus_index import IndexedCorpus, index_corpus
from apps.evaluation.evaluation_record import dataset_json, evaluation_json, run_metrics
from apps.evaluation.evaluation_workplace import Workplace, open_workplace
from apps.evaluation.judged_runs import Search, document_search
from apps.evaluation.retrieval_evaluation import Evaluation, evaluate
from contracts import InvalidInputError, RunLog, SearchMode

if TYPE_CHECKING:
    from apps.bootstrap import Library

RERANKED = "reranked"
MODES = (*(mode.value for mode in (SearchMode.DENSE, SearchMode.SPARSE, SearchMode.HYBRID)), RERANKED)
NO_RERANKER = "no reranker is configured: name one in FOOTNOTE_RETRIEVAL__RERANKER"
_COLLECTION = "evaluation"


class OnStage(Protocol):
    """Hears what begins, and in how many steps; returns what hears how many of them are done."""

    def __call__(self, name: str, total: int) -> Callable[[int], None]:
        """Take the news."""
        ...


@dataclass(frozen=True, slots=True)
class EvaluatedDataset:
    """An evaluation with all that shaped it. `recipe` tells modes and settings of the retriever, `index` is the folder
    in which the corpus stays indexed."""

    dataset: Dataset
    evaluation: Evaluation
    corpus: IndexedCorpus
    embedder: str
    cutting: str
    recipe: str
    index: Path

    def to_json(self) -> dict[str, Any]:
        """Return all of it for programs."""
        return {
            "dataset": dataset_json(self.dataset),
            "index": {"folder": str(self.index), "chunks": self.corpus.chunks, "embedded": self.corpus.added},
            "embedder": self.embedder,
            "cutting": self.cutting,
            "retriever": self.recipe,
            **evaluation_json(self.evaluation),
        }

    async def record(self, log: RunLog, files: Sequence[Path]) -> bool:
        """Store it as a run; return whether it was stored."""
        dataset = self.dataset
        params = {
            "dataset": dataset.name,
            "dataset_digest": dataset.digest,
            "split": dataset.split,
            "documents": str(dataset.documents),
            "queries": str(len(dataset.queries)),
            "chunks": str(self.corpus.chunks),
            "embedder": self.embedder,
            "cutting": self.cutting,
            "retriever": self.recipe,
            "modes": ",".join(self.evaluation.modes),
            "depth": str(self.evaluation.depth),
            "seed": str(self.evaluation.seed),
        }
        name = f"eval retrieval {dataset.name} {dataset.split}"
        return await log.record(name, params, run_metrics(self.evaluation), files)


async def evaluate_dataset(
    opened: Library,
    dataset: Dataset,
    modes: Sequence[str],
    *,
    depth: int = 100,
    seed: int = 0,
    fresh: bool = False,
    on_stage: OnStage,
) -> EvaluatedDataset:
    """Index the dataset where that was not done yet, and evaluate `modes` on it, `reranked` only where a reranker is
    configured. Raises InvalidInputError when that leaves nothing."""
    async with open_workplace(opened, dataset.digest, fresh=fresh) as place:
        indexing = place.plain.indexing
        wanted = [mode for mode in modes if mode != RERANKED or place.reranking]
        if not wanted:
            raise InvalidInputError(f"There is nothing to evaluate: {NO_RERANKER}.")
        on_document = on_stage(f"Indexing {dataset.name}", dataset.documents)
        corpus = await index_corpus(indexing, dataset.passages(), _COLLECTION, on_document)
        hears: dict[str, Callable[[int], None]] = {}

        def on_query(mode: str, done: int) -> None:
            if mode not in hears:
                hears[mode] = on_stage(f"Searching, {mode}", len(dataset.queries))
            hears[mode](done)

        found = await evaluate(
            {mode: _search(place, mode, corpus) for mode in wanted},
            dataset.queries,
            dataset.qrels,
            depth=depth,
            seed=seed,
            on_query=on_query,
        )
        return EvaluatedDataset(
            dataset=dataset,
            evaluation=found,
            corpus=corpus,
            embedder=indexing.embedder,
            cutting=indexing.open_splitter(indexing.cutting, indexing.embedder).name,
            recipe=(place.reranking or place.plain).retriever.recipe,
            index=place.folder,
        )


def _search(place: Workplace, mode: str, corpus: IndexedCorpus) -> Search:
    library = place.reranking if mode == RERANKED and place.reranking else place.plain
    asked = SearchMode.HYBRID if mode == RERANKED else SearchMode(mode)
    each = corpus.chunks / max(1, corpus.documents)
    return document_search(library.retriever, _COLLECTION, asked, chunks_per_document=each)
