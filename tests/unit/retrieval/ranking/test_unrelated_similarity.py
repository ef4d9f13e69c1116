from collections.abc import Sequence

import numpy as np
import pytest

from contracts import Vectors
from retrieval.embedding.hashing_embedder import HashingEmbedder
from retrieval.ranking.unrelated_similarity import unrelated_similarity


class NarrowEmbedder:
    """Every text lies within a narrow cone, as with many encoders: cosines start at .7."""

    name, dimension = "narrow", 65

    async def embed(self, texts: Sequence[str]) -> Vectors:
        rows = np.random.default_rng(0).normal(size=(len(texts), 64))
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        return np.hstack([0.3**0.5 * rows, np.full((len(texts), 1), 0.7**0.5)]).astype(np.float32)


async def test_it_is_where_an_embedder_s_cosines_begin() -> None:
    assert await unrelated_similarity(NarrowEmbedder()) == pytest.approx(0.7, abs=0.02)
    assert 0 <= await unrelated_similarity(HashingEmbedder()) < 0.4
