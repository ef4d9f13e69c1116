from __future__ import annotations

import pytest

from tests.evaluation.answer_metrics import (
    contains,
    exact_match,
    f1,
    knowledge_precision,
    number_recall,
    rouge_l_recall,
    tokens,
)


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("The  Normans' “leader”, a Rollo!", "en", ["normans", "leader", "rollo"]),
        ("Der Zug fährt um die Alpen.", "de", ["zug", "fährt", "um", "alpen"]),
        ("El río y los Alpes", "es", ["río", "y", "alpes"]),
        ("في القرن العاشر", "ar", ["في", "قرن", "عاشر"]),
        ("黑豹队308分。", "zh", ["黑", "豹", "队", "308", "分"]),
        ("½ of ＡＢＣ", "en", ["12", "of", "abc"]),
    ],
)
def test_tokens_are_levelled_by_language(text: str, language: str, expected: list[str]) -> None:
    assert tokens(text, language) == expected


def test_exact_match_asks_for_the_whole_answer_and_takes_any_gold() -> None:
    assert exact_match("the 10th century.", ["11th", "10th Century"]) == 1
    assert exact_match("In the 10th century", ["10th century"]) == 0
    assert exact_match("", ["10th century"]) == 0


def test_f1_weighs_what_is_missing_and_what_is_too_much() -> None:
    assert f1("Rollo was the leader", ["Rollo"]) == pytest.approx(2 / 4)
    assert f1("Denmark", ["Denmark, Iceland and Norway", "Sweden"]) == pytest.approx(2 / 5)
    assert f1("Rollo Rollo", ["Rollo"]) == pytest.approx(2 / 3)
    assert f1("nobody", ["Rollo"]) == 0


def test_an_answer_contains_whole_words_in_a_row() -> None:
    assert contains("They came in the 10th and 11th centuries [1].", ["10th and 11th centuries"]) == 1
    assert contains("11th and 10th centuries", ["10th and 11th centuries"]) == 0
    assert contains("In 3081 points", ["308"]) == 0
    assert contains("anything", ["The"]) == 0  # nothing but an article


def test_rouge_l_recall_counts_words_in_the_same_order() -> None:
    assert rouge_l_recall("click add test case then repeat", ["click the add test case button"]) == pytest.approx(4 / 5)
    assert rouge_l_recall("case test add click", ["click add test case"]) == pytest.approx(1 / 4)
    assert rouge_l_recall("", ["click"]) == 0


def test_number_recall_reads_numbers_however_they_are_grouped() -> None:
    assert number_recall("about 82959 and 3", ["$82,959 million, up 3%"]) == 1
    assert number_recall("1982", ["$82 million"]) == 0
    assert number_recall("5", ["no number at all"]) is None


def test_knowledge_precision_is_the_share_of_words_that_the_sources_have() -> None:
    assert knowledge_precision("Rollo led Vikings", ["Rollo was a Viking", "he led them"]) == pytest.approx(2 / 3)
    assert knowledge_precision("", ["Rollo"]) == 0
