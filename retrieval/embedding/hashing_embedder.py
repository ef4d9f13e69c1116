"""A deterministic embedder without a model: words hashed into dimensions. For tests, and honest about it."""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence

import numpy as np

from contracts import Vectors


class HashingEmbedder:
    """Port `Embedder`: texts that share words have a high cosine similarity."""

    def __init__(self, dimension: int = 256) -> None:
        self._dimension = dimension

    @property
    def name(self) -> str:
        """Name of the model."""
        return f"hashing-{self._dimension}"

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return self._dimension

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """Return an array of shape (len(texts), dimension), float32, rows of unit length."""
        array = np.zeros((len(texts), self._dimension), dtype=np.float32)
        for row, text in zip(array, texts, strict=True):
            for word in re.findall(r"\w+", text.lower()) or [""]:
                row[zlib.crc32(word.encode()) % self._dimension] += 1
        return array / np.linalg.norm(array, axis=1, keepdims=True) if len(texts) else array
