"""What a question is searched for together with."""

import numpy as np
import pytest

from contracts import Message, Wording
from retrieval.questions.conversation_context import blended, conversation_context


def asked(*questions: str) -> list[Message]:
    return [each for text in questions for each in (Message("user", text), Message("assistant", f"About {text}"))]


def test_a_first_question_has_no_context() -> None:
    assert conversation_context("How old is the hut?", "How old is the hut?", ()) == ()


def test_what_was_asked_before_counts_less_than_the_question() -> None:
    (earlier,) = conversation_context("How old is it?", "How old is it?", asked("Where is the hut?", "Who built it?"))
    assert earlier.text == "Where is the hut? Who built it?"
    assert 0 < earlier.weight < 1


def test_a_question_put_anew_keeps_its_own_words() -> None:
    own, earlier = conversation_context("How old is it?", "How old is the hut?", asked("Where is the hut?"))
    assert own.text == "How old is it?"
    assert earlier.weight < 1 + own.weight


def test_only_the_last_questions_count_and_none_twice() -> None:
    history = asked("one", "two", "three", "four", "four", "now")
    assert [each.text for each in conversation_context("now", "now", history)] == ["four"]
    assert [each.text for each in conversation_context("new", "new", asked("one", "two", "three", "four"))] == [
        "two three four"
    ]


def test_a_summary_of_what_came_before_is_not_searched_for() -> None:
    earlier = Message("system", "Asked: How many beds are there? Answered: Forty.")
    history = asked("Where is the hut?")
    assert conversation_context("now", "now", (earlier, *history)) == conversation_context("now", "now", history)
    assert conversation_context("now", "now", (earlier,)) == ()


def test_the_same_question_again_has_the_context_of_a_first_one() -> None:
    assert conversation_context("now", "now", asked("now")) == ()


def test_a_blend_ranks_by_the_weighted_sum_of_similarities() -> None:
    drawn = np.random.default_rng(0)
    passages, vectors = drawn.normal(size=(20, 8)), drawn.normal(size=(3, 8)).astype(np.float32)
    context = (Wording("a", 0.5), Wording("b", 2.0))
    vector = blended(np.vstack([vectors, np.ones((2, 8), np.float32)]), context)  # further rows are others'
    assert np.linalg.norm(vector) == pytest.approx(1)
    by_hand = passages @ vectors[0] + 0.5 * (passages @ vectors[1]) + 2 * (passages @ vectors[2])
    assert np.argsort(passages @ vector).tolist() == np.argsort(by_hand).tolist()


def test_a_query_alone_is_its_own_blend() -> None:
    vectors = np.array([[0.6, 0.8]], dtype=np.float32)
    assert blended(vectors, ()) == pytest.approx([0.6, 0.8])
