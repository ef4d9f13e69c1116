"""Embedders by model name, each made once: collections name the one that made their vectors."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock

from contracts import SentenceEncoder
from retrieval.embedding.sentence_transformers_embedder import PACKAGED_MODEL


class EmbedderShelf:
    """Opens embedders and keeps them. `make` gets a hub id, a folder, or "" for the packaged model; it loads nothing.

    Example: ``EmbedderShelf(SentenceTransformersEmbedder).open("all-MiniLM-L6-v2")``
    """

    def __init__(self, make: Callable[[str], SentenceEncoder]) -> None:
        self._make = make
        self._made: dict[str, SentenceEncoder] = {}
        self._lock = Lock()

    def open(self, name: str) -> SentenceEncoder:
        """Return the embedder of this name; the packaged one answers to "" and to its own name. The model is loaded at
        its first use, and only then is an unknown name found out."""
        name = name or PACKAGED_MODEL
        with self._lock:
            if name not in self._made:
                self._made[name] = self._make("" if name == PACKAGED_MODEL else name)
            return self._made[name]
