import numpy as np
import pytest

from contracts import Hit
from retrieval.ranking.diversity import most_diverse, without_near_duplicates
from tests.unit.retrieval.ranking.hits import hit

FARE = "The ferry to the island leaves at 9:30 from pier 4, and a single ticket costs 7 euros."


def kept(*texts: str) -> list[str]:
    hits = [hit(text, document=f"d{i}") for i, text in enumerate(texts)]
    return [one.chunk.text for one in without_near_duplicates(hits)]


@pytest.mark.parametrize(
    "again",
    [
        FARE,
        FARE.upper(),
        "The ferry to the island leaves  at 9:30\nfrom pier 4 — and a single ticket costs 7 euros",
        "**Ferry to island** leaves at 9:30 from the pier 4, and a single ticket costs 7 euros",
        "leaves at 9:30 from pier 4, and a single ticket",
    ],
    ids=["copy", "case", "spacing", "articles", "part"],
)
def test_what_adds_nothing_is_left_out(again: str) -> None:
    assert kept(FARE, "Something else.", again) == [FARE, "Something else."]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("7 euros", "8 euros"),
        ("7 euros", "-7 euros"),
        ("euros", "dollars"),
        ("pier 4", "pier 14"),
        ("9:30 from pier 4", "4:30 from pier 9"),
        ("at 9", "> 9"),
        ("ferry", "tram"),
        ("island", "harbour"),
        ("leaves", "never leaves"),
    ],
)
def test_passages_that_differ_in_anything_that_matters_stay(old: str, new: str) -> None:
    other = FARE.replace(old, new)
    assert kept(FARE, other) == [FARE, other]


def test_the_longer_passage_stays_where_the_shorter_is_better_ranked() -> None:
    assert kept("The ferry leaves at 9:30", "The ferry leaves at 9:30 and 11:00") == [
        "The ferry leaves at 9:30",
        "The ferry leaves at 9:30 and 11:00",
    ]


def test_other_scripts_and_texts_without_words_are_compared_too() -> None:
    assert kept("電車は十分ごとに出る。", "電車は十分ごとに出る", "電車は二十分ごとに出る。") == [
        "電車は十分ごとに出る。",
        "電車は二十分ごとに出る。",
    ]
    assert kept("…", "—", "word") == ["…", "word"]


def three() -> tuple[list[Hit], dict[str, np.ndarray]]:
    hits = [hit("a", position=0, score=1.0), hit("b", position=1, score=0.9), hit("c", position=2, score=0.5)]
    vectors = {"d1.0": [1.0, 0.0], "d1.1": [0.99, 0.14], "d1.2": [0.0, 1.0]}
    return hits, {name: np.array(row, np.float32) for name, row in vectors.items()}


def test_no_weight_keeps_the_order_and_some_brings_up_what_is_different() -> None:
    hits, vectors = three()
    assert [one.chunk.text for one in most_diverse(hits, vectors, 0.0)] == ["a", "b", "c"]
    diverse = most_diverse(hits, vectors, 0.6)
    assert [one.chunk.text for one in diverse] == ["a", "c", "b"]
    assert [(one.standings[-1].step, one.standings[-1].rank) for one in diverse] == [
        ("diversity", 1),
        ("diversity", 2),
        ("diversity", 3),
    ]


def test_hits_without_vectors_or_with_one_score_are_ordered_too() -> None:
    hits, _ = three()
    assert [one.chunk.text for one in most_diverse(hits, {}, 0.5)] == ["a", "b", "c"]
    assert most_diverse([], {}, 0.5) == []
    assert len(most_diverse([hit("x"), hit("y", position=1)], {}, 1.0)) == 2
