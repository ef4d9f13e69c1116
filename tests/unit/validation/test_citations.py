"""A sentence may carry only markers of passages that say what it says."""

import pytest

from validation.support.citations import (
    cited_markers,
    find_support,
    keep_markers,
    place_markers,
    settle,
    without_markers,
)
from validation.support.terms import terms_of

HUT = "Hut guide\nThe hut opens on 1 May 2024. Dogs are not allowed in the dormitory, but they are on the terrace."
CLIMB = "Hut guide\nSummer\nThe climb takes two hours. 1,500 visitors come each year."
PASSAGES = (HUT, CLIMB)


@pytest.mark.parametrize(
    ("sentence", "markers"),
    [
        ("It opens [1].", (1,)),
        ("It opens [2, 1] and closes [2].", (2, 1)),
        ("It opens [1][3].", (1, 3)),
        ("It opens [Source 2].", (2,)),
        ("In [2024] it opened.", ()),
        ("See [1](http://example.org).", ()),
    ],
)
def test_markers_are_read(sentence: str, markers: tuple[int, ...]) -> None:
    assert cited_markers(sentence) == markers


def test_markers_that_name_no_passage_go() -> None:
    assert keep_markers("It opens [1][7] in May [0] [2, 9].", 2) == "It opens [1] in May [2]."
    assert keep_markers("It opens [1, 2].", 2) == "It opens [1, 2]."


@pytest.mark.parametrize(
    ("text", "placed"),
    [
        ("The hut opens on 1 May.", "The hut opens on 1 May [1][2]."),
        ("Really?!", "Really [1][2]?!"),
        ("The hut", "The hut [1][2]"),
        ("It opens at 9 a.m.", "It opens at 9 a.m. [1][2]"),
        ("**It opens.**", "**It opens [1][2].**"),
        ("```\nls\n```", "```\nls\n```\n[1][2]"),
    ],
)
def test_markers_stand_before_the_final_punctuation(text: str, placed: str) -> None:
    assert place_markers(text, (1, 2)) == placed
    assert without_markers(placed) == text


@pytest.mark.parametrize(
    ("sentence", "text", "attributed_by"),
    [
        ("The hut opens on 1 May [1].", "The hut opens on 1 May [1].", "model"),
        ("The hut opens on 1 May [1][2].", "The hut opens on 1 May [1].", "model"),
        ("The hut opens on 1 May [2].", "The hut opens on 1 May [1].", "matched"),
        ("The hut opens on May 1st.", "The hut opens on May 1st [1].", "matched"),
        ("The hut is open from 2024-05-01.", "The hut is open from 2024-05-01 [1].", "matched"),
        ("According to the source, the climb takes 2 hours.", None, "matched"),
        ("1500.", "1500 [2].", "matched"),
        ("Summer.", "Summer [2].", "matched"),
        ("\n- The climb takes two hours. ", "\n- The climb takes two hours [2]. ", "matched"),
        (
            "The hut opens on 1 May and has 1500 visitors a year.",
            "The hut opens on 1 May and has 1500 visitors a year [1][2].",
            "matched",
        ),
    ],
)
def test_supported_sentences(sentence: str, text: str | None, attributed_by: str) -> None:
    settled = settle(sentence, PASSAGES, 0.6)
    assert settled is not None
    assert settled.attributed_by == attributed_by
    assert settled.text == (text or sentence.replace(".", " [2]."))
    assert settled.markers == cited_markers(settled.text)


@pytest.mark.parametrize(
    "sentence",
    [
        "The hut opens on 2 May [1].",
        "The hut opens on 1 June [1].",
        "The hut opens on 1 May 2025 [1].",
        "The climb takes three hours [2].",
        "Dogs are allowed in the dormitory [1].",
        "The hut does not open on 1 May [1].",
        "Helicopters land beside the glacier [1].",
        "Sure!",
        "Of course.",
        "Monday.",
        "[1]",
        " ",
        "",
    ],
)
def test_unsupported_sentences_are_dropped(sentence: str) -> None:
    assert settle(sentence, PASSAGES, 0.6) is None


@pytest.mark.parametrize(
    ("sentence", "supported"),
    [
        ("The cancellation fee is 12 euros per bed.", True),
        ("The cancellation fee is 30 euros per bed.", False),
        ("Beds cost 30 euros.", True),
        ("A bed costs 30 euros, and the cancellation fee is 12 euros.", True),
    ],
)
def test_a_number_of_another_fact_does_not_count(sentence: str, supported: bool) -> None:
    passage = "The cancellation fee is 12 euros per bed. Beds cost 30 euros."
    assert (settle(sentence, (passage,), 0.6) is not None) == supported


def test_a_number_counts_under_its_heading_and_beside_another_number() -> None:
    passage = "The Monday tour takes 2 hours. It costs 30 euros.\nCancellation fee\n12 euros"
    for sentence in ("The Monday tour costs 30 euros.", "The cancellation fee is 12 euros."):
        assert settle(sentence, (passage,), 0.6) is not None


def test_there_is_no_support_without_passages() -> None:
    assert settle("The hut opens [1].", (), 0.6) is None


def test_the_score_is_the_share_of_content_words() -> None:
    support = find_support("The hut opens for skiers and cyclists.", (HUT,), 0.5)
    assert support is not None
    assert support.score == pytest.approx(0.5)
    assert find_support("The hut opens for skiers and cyclists.", (HUT,), 0.6) is None


def test_the_earlier_of_equal_passages_wins() -> None:
    support = find_support("The hut opens.", (CLIMB, HUT, HUT), 0.6)
    assert support is not None
    assert support.markers == (2,)


def test_a_list_number_is_no_claim() -> None:
    assert terms_of("7. The hut opens.").numbers == frozenset()


def test_numbers_are_compared_by_value() -> None:
    assert terms_of("1,500 or 1’500 at 09:30 for 12.0").numbers == {"1500", "9.30", "12"}
