"""Reranking with a cross-encoder through sentence-transformers, which reads query and passage together."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from contracts import ConfigurationError, Hit
from retrieval.ranking.judged_text import judged_text

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder

_BATCH = 16  # pairs; more gain little on a CPU
_UNTRAINED = ("Model", "ForMaskedLM", "ForPreTraining")  # architectures that have no head to judge with


class CrossEncoderReranker:
    """Port `Reranker`. `model` is a hub id or a folder; it is loaded at the first use, and runs on a thread of its own.

    Pairs of like length share a batch. A passage is read with its title and headings in front; what is longer than the
    model's window is cut off.
    """

    def __init__(self, model: str, *, batch_size: int = _BATCH) -> None:
        self._name = model
        self._batch_size = batch_size
        self._executor = ThreadPoolExecutor(1, "rerank")
        self._model: CrossEncoder | None = None

    @property
    def name(self) -> str:
        """The model's name, part of every cache key."""
        return self._name

    async def score(self, query: str, hits: Sequence[Hit]) -> list[float]:
        """Return a score per hit, higher is better; 0 to 1 with most models. Raises ConfigurationError when the model
        cannot be loaded or is no cross-encoder."""
        pairs = [(query, judged_text(hit)) for hit in hits]
        return await asyncio.get_running_loop().run_in_executor(self._executor, self._score, pairs)

    def _score(self, pairs: list[tuple[str, str]]) -> list[float]:
        if not pairs:
            return []
        if self._model is None:
            self._model = _open(self._name)
        scores = self._model.predict(pairs, batch_size=self._batch_size, show_progress_bar=False)
        return [float(score) for score in scores]


def _open(name: str) -> CrossEncoder:
    from sentence_transformers import CrossEncoder
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    try:
        model = CrossEncoder(name)
    except (OSError, ValueError, KeyError) as exc:  # what transformers raises for what is not there or not a model
        raise ConfigurationError(
            f"Cannot load the reranking model {name!r}: {exc}. "
            "Set FOOTNOTE_RETRIEVAL__RERANKER to the hub id or the folder of a cross-encoder, or leave it empty."
        ) from exc
    (architecture,) = (getattr(model.config, "architectures", None) or [""])[:1]
    if model.num_labels != 1 or architecture.endswith(_UNTRAINED):
        raise ConfigurationError(
            f"The reranking model {name!r} is no cross-encoder that gives one score per pair ({architecture}, "
            f"{model.num_labels} labels). Set FOOTNOTE_RETRIEVAL__RERANKER to one, or leave it empty."
        )
    return model
