import asyncio
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from contracts import ConfigurationError
from retrieval.ranking.late_interaction_reranker import LateInteractionReranker
from retrieval.ranking.sentence_transformers_tokens import SentenceTransformersTokens
from tests.small_encoder import make_small_encoder
from tests.unit.retrieval.ranking.hits import hit


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> SentenceTransformersTokens:
    return SentenceTransformersTokens(str(make_small_encoder(tmp_path_factory.mktemp("encoder"))), runtime="torch")


def test_token_vectors_do_not_depend_on_what_shares_the_batch(tokens: SentenceTransformersTokens) -> None:
    texts = ["soup", "", "a long line about the harbour", "x" * 500, *(f"line {i}" for i in range(20))]
    together = tokens.encode(texts)
    for text, one in zip(texts, together, strict=True):
        (alone,) = tokens.encode([text])
        assert one.ids == alone.ids
        np.testing.assert_allclose(one.vectors, alone.vectors, atol=2e-3)
        assert one.vectors.shape == (len(one.ids), 64)
    assert [len(one.ids) for one in together[:2]] == [4, 0]


async def test_a_passage_with_the_query_s_words_comes_before_its_equals(tokens: SentenceTransformersTokens) -> None:
    hits = [hit("zzz zzz", title=""), hit("harbour", position=1, title=""), hit("", position=2, title="")]
    scores = await LateInteractionReranker(tokens).score("harbour", hits)
    assert scores[1] == max(scores) == pytest.approx(1.5, abs=0.01)
    assert scores[2] == min(scores) == pytest.approx(1.0)


async def test_the_score_so_far_counts_and_hits_past_the_depth_stay_behind(tokens: SentenceTransformersTokens) -> None:
    hits = [hit(f"line {i}", position=i, score=1 - i / 10) for i in range(6)]
    scores = await LateInteractionReranker(tokens, depth=3).score("line", hits)
    assert sorted(scores[3:], reverse=True) == scores[3:]
    assert max(scores[3:]) < max(scores[:3])
    far = [replace(hits[0], score=100.0), hits[1]]
    scores = await LateInteractionReranker(tokens).score("line 1", far)
    assert scores[0] > scores[1]


async def test_many_callers_queries_without_words_and_kept_passages(tokens: SentenceTransformersTokens) -> None:
    reranker = LateInteractionReranker(tokens)
    hits = [hit(f"line {i}", position=i) for i in range(3)]
    assert await reranker.score("line", []) == []
    assert await reranker.score("", hits) == [1.0, 1.0, 1.0]
    first, *others = await asyncio.gather(*(reranker.score("line 2", hits) for _ in range(5)))
    assert all(other == pytest.approx(first) for other in others)
    zero = [replace(one, score=0.0) for one in hits]
    assert max(await reranker.score("line 2", zero)) == pytest.approx(0.5)


async def test_a_model_that_cannot_be_loaded_is_named(tmp_path: Path) -> None:
    reranker = LateInteractionReranker(SentenceTransformersTokens(str(tmp_path / "missing")))
    with pytest.raises(ConfigurationError, match="missing"):
        await reranker.score("soup", [hit("soup")])
