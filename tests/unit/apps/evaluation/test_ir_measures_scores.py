"""Measures, against what is worked out by hand."""

import math

import pytest

from apps.evaluation.ir_measures_scores import measures, score

QRELS = {"1": {"a": 2, "b": 1, "z": 0}, "2": {"c": 1}, "3": {"d": 1}}
RANKINGS = {"1": ["x", "a", "z", "b"], "2": ["c", "a"]}  # nothing was found for 3


def test_the_measures_are_those_worked_out_by_hand() -> None:
    scores = score(RANKINGS, QRELS, measures(100))
    ideal = 2 / math.log2(2) + 1 / math.log2(3)
    assert scores["nDCG@10"] == pytest.approx([(2 / math.log2(3) + 1 / math.log2(5)) / ideal, 1, 0])
    assert scores["MAP"] == pytest.approx([(1 / 2 + 2 / 4) / 2, 1, 0])
    assert scores["MRR@10"] == pytest.approx([1 / 2, 1, 0])
    assert scores["Recall@5"] == pytest.approx([1, 1, 0])


def test_each_measure_looks_as_deep_as_its_name_says() -> None:
    ranking = [f"n{place}" for place in range(200)]
    ranking[7], ranking[60], ranking[150] = "a", "b", "c"
    scores = score({"1": ranking}, {"1": {"a": 1, "b": 1, "c": 1, "d": 1}}, measures(1000))
    assert scores["Recall@5"] == [0]
    assert scores["Recall@10"] == [1 / 4]
    assert scores["Recall@100"] == [2 / 4]
    assert scores["MRR@10"] == [1 / 8]
    assert scores["MAP"] == pytest.approx([(1 / 8 + 2 / 61 + 3 / 151) / 4])


def test_the_order_given_is_the_order_scored() -> None:
    """trec_eval breaks ties by name; here there are none to break."""
    assert score({"1": ["a", "b"]}, {"1": {"a": 1}}, ["MRR@10"]) == {"MRR@10": [1.0]}
    assert score({"1": ["b", "a"]}, {"1": {"b": 1}}, ["MRR@10"]) == {"MRR@10": [1.0]}


def test_what_looks_deeper_than_was_searched_is_left_out() -> None:
    assert measures(100) == ("nDCG@10", "MAP", "MRR@10", "Recall@5", "Recall@10", "Recall@100")
    assert "Recall@100" not in measures(50)
