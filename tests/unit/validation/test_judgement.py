"""What is said of a sentence: markers, support, the quotes behind it, or why nothing supports it."""

import pytest

from tests.library import hit
from validation.guardrails.guardrails_offline import silence_guardrails
from validation.support.judgement import judge
from validation.support.quotes import quote_span, sentence_spans

HITS = (
    hit("hut", "Dogs stay out. The hut opens on 1 May 2024. Tea is free."),
    hit("climb", "The climb takes two hours. It leads over the moraine."),
)
PASSAGES = tuple(f"{one.document.title}\n{one.chunk.text}" for one in HITS)


def test_a_supported_sentence_comes_with_what_it_quotes() -> None:
    judged = judge("The hut opens on 1 May 2024 [1][9].", PASSAGES, HITS)
    assert (judged.text, judged.markers, judged.attributed_by) == ("The hut opens on 1 May 2024 [1].", (1,), "model")
    assert judged.support == 1.0
    (quote,) = judged.quotes
    assert quote is not None
    assert HITS[0].chunk.text[slice(*quote)] == "The hut opens on 1 May 2024."


@pytest.mark.parametrize(
    ("sentence", "reason"),
    [
        ("The hut opens on 2 May 2024 [1].", "number"),
        ("The hut in Zermatt opens on 1 May 2024.", "name"),
        ("The hut does not open on 1 May 2024.", "contradiction"),
        ("Helicopters land beside glaciers.", "words"),
    ],
)
def test_an_unsupported_sentence_says_why(sentence: str, reason: str) -> None:
    judged = judge(sentence, PASSAGES, HITS)
    assert not judged.supported
    assert (judged.markers, judged.quotes, judged.reason) == ((), (), reason)
    assert "[" not in judged.text


def test_nothing_is_supported_without_passages() -> None:
    judged = judge("The hut opens [1].", ())
    assert (judged.supported, judged.support, judged.text) == (False, 0.0, "The hut opens.")


def test_a_quote_spans_neighbours_when_the_sentence_needs_both() -> None:
    text = "Intro. The climb takes two hours. It leads over the moraine and the glacier. Bye."
    span = quote_span("The climb takes 2 hours and leads over the moraine and the glacier.", text)
    assert span is not None
    assert text[slice(*span)] == "The climb takes two hours. It leads over the moraine and the glacier."


def test_nothing_like_it_is_no_quote() -> None:
    assert quote_span("Helicopters land here.", "The hut opens in May.") is None
    assert quote_span("Anything.", "") is None


def test_a_row_of_a_table_is_quoted_whole() -> None:
    text = "| Item | Price |\n| --- | --- |\n| Soup | 4 euros |\n| Packed lunch | 9.50 euros |"
    span = quote_span("A packed lunch costs 9.50 euros.", text)
    assert span is not None
    assert text[slice(*span)] == "| Packed lunch | 9.50 euros |"


def test_sentences_are_found_where_they_stand() -> None:
    text = "  One is here. \n\nDr. Weber is there.  Three? 你好。再见。"
    assert [text[start:end] for start, end in sentence_spans(text)] == [
        "One is here.",
        "Dr. Weber is there.",
        "Three?",
        "你好。",
        "再见。",
    ]


def test_the_validator_hands_on_the_judgement() -> None:
    silence_guardrails()
    from guardrails_ai.types import FailResult, PassResult

    from validation.guardrails.guardrails_citations import NoRefusal, Supported

    metadata = {"passages": PASSAGES, "hits": HITS, "question": "When does it open?"}
    passed = Supported(min_support=0.6).validate("The hut opens on 1 May 2024.", metadata)
    assert isinstance(passed, PassResult)
    assert passed.value_override == "The hut opens on 1 May 2024 [1]."
    assert passed.metadata["judged"]["quotes"] == ((15, 43),)
    failed = Supported(min_support=0.6).validate("The hut opens on 2 May 2024 [1].", metadata)
    assert isinstance(failed, FailResult)
    assert failed.fix_value == "The hut opens on 2 May 2024."
    assert failed.metadata["judged"]["reason"] == "number"
    assert isinstance(NoRefusal().validate("The sources do not say.", metadata), FailResult)
    assert isinstance(NoRefusal().validate("The hut opens.", metadata), PassResult)
