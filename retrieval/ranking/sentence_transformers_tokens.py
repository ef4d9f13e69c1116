"""Token vectors of a sentence encoder through sentence-transformers, by the runtime that its sentence vectors take."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from contracts import ConfigurationError
from retrieval.embedding.encoder_runtime import Runtime, open_encoder
from retrieval.embedding.sentence_transformers_embedder import PACKAGED_MODEL, packaged_model

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

_BATCH = 8  # texts


@dataclass(frozen=True, slots=True)
class TokenVectors:
    """The tokens of a text, special ones left out: their numbers in the vocabulary, and unit vectors of shape
    (tokens, dimension)."""

    ids: tuple[int, ...]
    vectors: NDArray[np.float16]


class SentenceTransformersTokens:
    """`model` is a hub id, a folder, or empty for the packaged all-MiniLM-L6-v2; it is loaded at the first use, apart
    from the embedder's own, so that questions do not wait for passages. One call at a time."""

    def __init__(self, model: str = "", *, runtime: Runtime = "auto", threads: int = 0) -> None:
        self._model_name = model
        self._runtime = runtime
        self._threads = threads
        self._model: SentenceTransformer | None = None

    @property
    def name(self) -> str:
        """Name of the model."""
        return self._model_name or PACKAGED_MODEL

    def encode(self, texts: Sequence[str]) -> list[TokenVectors]:
        """Return the token vectors of each text, as far as the model reads it. Raises ConfigurationError when the model
        cannot be loaded."""
        model = self._open()
        encoded: dict[int, TokenVectors] = {}
        for rows in _alike(texts):
            for row, one in zip(rows, _encode(model, [texts[row] for row in rows]), strict=True):
                encoded[row] = one
        return [encoded[row] for row in range(len(texts))]

    def _open(self) -> SentenceTransformer:
        if self._model is None:
            try:
                self._model = open_encoder(
                    self._model_name or str(packaged_model()), self._runtime, threads=self._threads
                )
            except (OSError, ValueError) as exc:
                raise ConfigurationError(f"Cannot load {self.name!r} to rerank with: {exc}.") from exc
        return self._model


def _alike(texts: Sequence[str]) -> Iterator[list[int]]:
    """Yield rows of texts of like length, which need little padding."""
    order = sorted(range(len(texts)), key=lambda row: len(texts[row]))
    for start in range(0, len(order), _BATCH):
        yield order[start : start + _BATCH]


def _encode(model: SentenceTransformer, texts: list[str]) -> Iterator[TokenVectors]:
    import torch
    from sentence_transformers.util import batch_to_device

    with torch.inference_mode():
        features = batch_to_device(model.preprocess(texts), model.device)
        vectors = model[0](features)["token_embeddings"]
        vectors = torch.nn.functional.normalize(vectors.float(), dim=-1).cpu().numpy().astype(np.float16)
    ids = features["input_ids"].cpu().numpy()
    special = np.isin(ids, model.tokenizer.all_special_ids) | (features["attention_mask"].cpu().numpy() == 0)
    for row, left_out in enumerate(special):
        yield TokenVectors(tuple(ids[row][~left_out].tolist()), vectors[row][~left_out])
