"""Embedders: unit vectors, the same for the same text, near for near texts."""

import asyncio

import numpy as np
import pytest

from contracts import Embedder
from retrieval.embedding.hashing_embedder import HashingEmbedder
from retrieval.embedding.sentence_transformers_embedder import SentenceTransformersEmbedder


@pytest.fixture(scope="module", params=["hashing", "auto", "torch", "openvino"])
def embedder(request: pytest.FixtureRequest) -> Embedder:
    if request.param == "hashing":
        return HashingEmbedder()
    return SentenceTransformersEmbedder(runtime=request.param, batch_tokens=512)


async def test_vectors_are_unit_length_float32(embedder: Embedder) -> None:
    vectors = await embedder.embed(["a tram", "", "x" * 5000, "Straßenbahn 電車 🚋"])
    assert vectors.shape == (4, embedder.dimension)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-3)


async def test_a_text_has_one_vector_whatever_stands_beside_it(embedder: Embedder) -> None:
    alone = await embedder.embed(["when does the museum open"])
    together = await embedder.embed(["a much longer text about something else, " * 5, "when does the museum open"])
    assert alone[0] @ together[1] > 0.9995  # half precision rounds otherwise in another batch


async def test_near_texts_have_near_vectors(embedder: Embedder) -> None:
    query, near, far = await embedder.embed(
        ["when does the museum open", "the museum does open at nine", "soup costs four euros"]
    )
    assert query @ near > query @ far


async def test_no_texts_give_no_vectors(embedder: Embedder) -> None:
    assert len(await embedder.embed([])) == 0


async def test_calls_at_once_each_get_their_own_rows(embedder: Embedder) -> None:
    asked = [[f"{n} trams to the harbour", "and back"][: 1 + n % 2] for n in range(12)]
    alone = [await embedder.embed(texts) for texts in asked]
    together = await asyncio.gather(*(embedder.embed(texts) for texts in asked))
    for one, other in zip(alone, together, strict=True):
        assert one.shape == other.shape
        assert float((one * other).sum(axis=1).min()) > 0.9995
