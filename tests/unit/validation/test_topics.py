"""Topics are compared by meaning, banned words by their letters."""

import unicodedata
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from validation.banned_words import BannedList
from validation.guardrails.guardrails_offline import offline_guard, silence_guardrails
from validation.topics import Topic

_WORDS = ("card", "lost", "tax", "pension", "weather")


async def encode(texts: Sequence[str]) -> NDArray[np.float32]:
    """A unit vector of the words in each text."""
    rows = np.array([[word in text.lower() for word in _WORDS] + [True] for text in texts], np.float32)
    rows[:, -1] = 0.1
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.mark.parametrize(
    ("question", "denied", "allowed", "passes"),
    [
        ("How do I pay less tax?", ["tax"], [], False),
        ("I lost my card", ["tax"], [], True),
        ("I lost my card", ["card"], ["lost card"], True),
        ("My card", ["card"], ["lost card"], False),
        ("Will the weather hold?", [], ["card", "tax"], False),
        ("How do I pay less tax?", [], ["card", {"name": "money", "examples": ["tax"]}], True),
        ("Anything", [], [], True),
    ],
)
def test_a_question_is_judged_by_the_closest_topic(
    question: str, denied: list[str], allowed: list[str], passes: bool
) -> None:
    silence_guardrails()
    from validation.guardrails.guardrails_topics import Topics

    guard = offline_guard(Topics(denied, allowed, encode=encode))
    assert guard.validate(question).validation_passed is passes


def test_a_topic_is_a_name_or_a_name_with_examples() -> None:
    assert Topic.of({"name": "lost_card", "examples": ["I lost it"]}).texts == ("lost card", "I lost it")
    with pytest.raises(ValueError, match="is no topic"):
        Topic.of({"examples": ["I lost it"]})


@pytest.mark.parametrize(
    ("word", "text", "found"),
    [
        ("Foo", "foo, FOO and food", ["foo", "FOO"]),
        ("two words", "Two  Words\nand two wordsmiths", ["Two  Words"]),
        ("C++", "c++ and c++11", ["c++", "c++"]),
        ("привет", "Привет! приветствие", ["Привет"]),
        ("禁止", "これは禁止です", ["禁止"]),
        ("café", unicodedata.normalize("NFD", "un café"), [unicodedata.normalize("NFD", "café")]),
        ("cafe", "café", []),
        ("straße", "STRASSE", ["STRASSE"]),
        ("#tag", "a #TAG", ["#TAG"]),
        ("", "nothing", []),
    ],
)
def test_banned_words_are_whole_words_in_any_script(word: str, text: str, found: list[str]) -> None:
    assert [text[start:end] for start, end in BannedList([word]).find(text)] == found


def test_of_words_that_begin_together_the_longest_is_found() -> None:
    assert BannedList(["new", "new york"]).find("in New York") == [(3, 11)]


def test_banned_words_in_a_plain_guard() -> None:
    silence_guardrails()
    from validation.guardrails.guardrails_topics import BannedWords

    assert offline_guard(BannedWords(["darn"])).validate("Darn it.").validated_output == "[…] it."
