"""Vectors count less where the embedder hardly knows the language."""

import pytest

from retrieval.embedding.hashing_embedder import HashingEmbedder
from retrieval.questions.dense_weight import dense_weight


class Knowing(HashingEmbedder):
    def __init__(self, fluency: float) -> None:
        super().__init__()
        self._fluency = fluency

    def fluency(self, text: str) -> float:
        return self._fluency


def test_a_known_language_counts_in_full() -> None:
    assert dense_weight(Knowing(1.0), "a question") == dense_weight(Knowing(0.92), "a question") == 1


def test_the_less_is_known_the_less_it_counts() -> None:
    weights = [dense_weight(Knowing(share / 10), "a question") for share in range(11)]
    assert weights == sorted(weights)
    assert 0.2 < dense_weight(Knowing(0.6), "a question") < 0.3


def test_an_unknown_language_only_orders_what_words_do_not() -> None:
    assert 0 < dense_weight(Knowing(0.0), "a question") < 0.01


def test_an_embedder_that_cannot_tell_counts_in_full() -> None:
    assert dense_weight(HashingEmbedder(), "سؤال") == pytest.approx(1)
