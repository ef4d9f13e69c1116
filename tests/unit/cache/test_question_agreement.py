"""Minimal pairs: what may share an answer and what must not, however near the vectors say it is."""

import random
import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cache.question_agreement import agrees

NEAR = 0.98
OTHERWISE = {
    "a number": ("How much did sales rise in 2021?", "How much did sales rise in 2022?"),
    "a number in words": ("What are the two kinds of leave?", "What are the three kinds of leave?"),
    "parts of a number": ("Is 3.5 the limit?", "Is 5.3 the limit?"),
    "a date": ("What happened on 2024-01-02?", "What happened on 2024-02-01?"),
    "a sign": ("Is -5 degrees too cold?", "Is 5 degrees too cold?"),
    "digits of another script": ("كم عدد الموظفين في ٢٠٢١؟", "كم عدد الموظفين في ٢٠٢٢؟"),
    "a month": ("What was the revenue in March?", "What was the revenue in April?"),
    "a unit": ("Is 5 kg allowed as hand luggage?", "Is 5 pounds allowed as hand luggage?"),
    "a currency": ("How much is the fee in $?", "How much is the fee in €?"),
    "a version": ("What is new in v2.1.0?", "What is new in v2.10.0?"),
    "a code": ("What does load_dataset return?", "What does save_dataset return?"),
    "a name": ("Who led Apple when it went public?", "Who led Google when it went public?"),
    "a name in front": ("Is the plan of Berlin approved?", "Is the plan of Munich approved?"),
    "not": ("Which states are members of the union?", "Which states are not members of the union?"),
    "n't": ("Why does the export work?", "Why doesn't the export work?"),
    "twice not": ("Which court did not say that it is not legal?", "Which court did say that it is not legal?"),
    "never": ("Who signed the treaty?", "Who never signed the treaty?"),
    "without": ("Can I travel with a visa?", "Can I travel without a visa?"),
    "except": ("Which days is it open?", "Which days except Sunday is it open?"),
    "un-": ("Is the contract lawful?", "Is the contract unlawful?"),
    "dis-": ("Which clause did they agree on?", "Which clause did they disagree on?"),
    "in-": ("Which costs are direct?", "Which costs are indirect?"),
    "opposite verbs": ("How do I enable notifications?", "How do I disable notifications?"),
    "opposite sides": ("What happens before the audit?", "What happens after the audit?"),
    "extremes": ("What is the minimum deposit?", "What is the maximum deposit?"),
    "open and close": ("When does the shop open?", "When does the shop close?"),
    "rising and falling": ("Why did profits increase last year?", "Why did profits decrease last year?"),
    "first and last": ("What was the first release?", "What was the last release?"),
    "import and export": ("How can I import contacts?", "How can I export contacts?"),
    "comparison": ("Is tea healthier than coffee?", "Is coffee healthier than tea?"),
    "from and to": ("How do I convert PDF to Word?", "How do I convert Word to PDF?"),
    "from A to B": ("What trains go from Rome to Paris?", "What trains go from Paris to Rome?"),
    "who does it": ("Does the landlord pay the tenant?", "Does the tenant pay the landlord?"),
    "places of words": ("Can a bad person become good?", "Can a good person become bad?"),
    "active and passive": ("Who defeated Montcalm at Quebec?", "Who was defeated by Montcalm at Quebec?"),
    "who and when": ("Who founded the company?", "When was the company founded?"),
    "why and how": ("Why was the bridge built?", "How was the bridge built?"),
    "how many and how much": ("How many litres of milk are sold?", "How much is the milk sold for?"),
    "where and when": ("Where was the treaty signed?", "When was the treaty signed?"),
    "another": ("What is one use of primes?", "What is another use of primes?"),
    "rank": ("What is the busiest port in Europe?", "What is the second-busiest port in Europe?"),
    "superlative": ("What city has an old bridge?", "What city has the most old bridges?"),
    "one sense turned": ("A statement that is true.", "A statement that is false."),
    "German number": ("Wie hoch ist die Gebühr ab 2023?", "Wie hoch ist die Gebühr ab 2024?"),
    "German negation": ("Ist die Frist bindend?", "Ist die Frist nicht bindend?"),
    "Spanish noun": ("¿Dónde está la casa de Ana?", "¿Dónde está la tumba de Ana?"),
    "Chinese character": ("合同的开始日期是什么?", "合同的结束日期是什么?"),
}
THE_SAME = {
    "blanks and case": ("what is the refund policy", "What is the refund policy?"),
    "contraction": ("What's the refund policy?", "What is the refund policy?"),
    "thousands": ("Who has 1,000 employees?", "Who has 1000 employees?"),
    "number in words": ("Which 3 rules apply?", "Which three rules apply?"),
    "negated otherwise": ("Why can't I log in?", "Why am I unable to log in?"),
    "forms of a word": ("How do I install the printer?", "How to do the installation of the printer?"),
    "synonym": ("How do I purchase a licence?", "How do I buy a licence?"),
    "time asked otherwise": ("When was the company founded?", "In what year was the company founded?"),
    "way asked otherwise": ("How do I reset my password?", "What is the best way to reset my password?"),
    "reason asked otherwise": ("Why did the price fall?", "What is the reason the price fell?"),
    "phrase in front": ("In 2019, who led the party?", "Who led the party in 2019?"),
    "politeness": ("How do I reset my password?", "Please tell me how I can reset my password?"),
    "name in lower case": ("Where was Goethe born?", "where was goethe born?"),
    "code in a name": ("What does datasets.Metric do?", "What does the datasets Metric do?"),
    "article": ("What is the notice period in Spain?", "What is notice period in Spain?"),
    "answered": ("Yes, it runs on Linux.", "It runs on Linux."),
    "German article": ("Wo liegt der Hafen?", "Wo liegt der Hafen"),
}
PIECES = [
    "who",
    "how",
    "many",
    "what",
    "is",
    "the",
    "not",
    "before",
    "after",
    "first",
    "Paris",
    "Rome",
    "12",
    "3.5",
    "kg",
]
PIECES += ["$", "load_x", "don't", "é", "中", "٣", "?", ".", ",", "\n"]
TEXTS = st.one_of(
    st.text(max_size=80),
    st.lists(
        st.sampled_from(PIECES),
        max_size=12,
    ).map(" ".join),
)


@pytest.mark.parametrize("pair", OTHERWISE.values(), ids=OTHERWISE.keys())
def test_what_decides_a_question_must_agree(pair: tuple[str, str]) -> None:
    assert not agrees(*pair, NEAR)
    assert not agrees(*reversed(pair), NEAR)


@pytest.mark.parametrize("pair", THE_SAME.values(), ids=THE_SAME.keys())
def test_the_same_in_other_words_agrees(pair: tuple[str, str]) -> None:
    assert agrees(*pair, NEAR)
    assert agrees(*reversed(pair), NEAR)


@pytest.mark.parametrize("pair", THE_SAME.values(), ids=THE_SAME.keys())
def test_texts_that_are_far_apart_never_agree(pair: tuple[str, str]) -> None:
    assert not agrees(*pair, 0.7)


def test_one_word_for_another_needs_nearer_vectors_than_a_question_put_otherwise() -> None:
    assert not agrees("How should one invest in gold?", "How should one invest in oil?", 0.93)
    assert agrees("How can I lose weight quickly?", "What's a fast way of losing weight?", 0.93)


def test_long_texts_are_shared_only_when_they_are_equal() -> None:
    long = "What does this say? " + "word " * 400
    assert agrees(long, long, 1.0)
    assert not agrees(long, long + "too", 0.999)


def test_a_similarity_that_is_no_number_agrees_with_nothing() -> None:
    assert not agrees("What is it?", "what is it?", float("nan"))


@given(TEXTS, TEXTS, st.floats(-1, 1))
def test_it_does_not_matter_which_question_is_the_cached_one(one: str, other: str, similarity: float) -> None:
    assert agrees(one, other, similarity) == agrees(other, one, similarity)


@given(TEXTS, st.floats(allow_nan=True))
def test_a_text_agrees_with_itself(text: str, similarity: float) -> None:
    assert agrees(text, text, similarity)


@given(TEXTS.filter(lambda text: re.search(r"\d", text)), st.integers(0, 10**6), st.integers(0, 10**6))
def test_another_number_never_agrees(text: str, seed: int, number: int) -> None:
    digits = random.Random(seed).choice(list(re.finditer(r"\d+", text)))
    assume(int(digits[0]) != number)
    changed = text[: digits.start()] + str(number) + text[digits.end() :]
    assert not agrees(text, changed, 1.0)


@given(st.text(alphabet=st.characters(), max_size=1300), st.text(max_size=1300))
def test_no_text_raises(one: str, other: str) -> None:
    agrees(one, other, 0.99)
