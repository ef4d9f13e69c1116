"""Sentences must be found early, kept whole, and not depend on how the stream was cut."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from validation.sentences import MAX_CHARS, SentenceStream

PIECES = st.sampled_from(
    [
        *[
            "The hut opens. ",
            "Dr. ",
            "e.g. ",
            "3.5 ",
            "No. 5 ",
            "9.30 a.m. ",
            "[1]",
            " [2].",
            "\n",
            "\n\n",
            "- ",
            "1. ",
        ],
        *["```\n", "x = 1. \n", "好。", "Why? ", "Yes! ", '"Quoted." ', " ", "\t", "Am 1. Mai ", "…", "J. R. ", "**"],
    ]
)
TEXTS = st.one_of(st.lists(PIECES, max_size=30).map("".join), st.text(max_size=200))


def split(*pieces: str) -> list[str]:
    stream = SentenceStream()
    return [sentence for piece in pieces for sentence in stream.feed(piece)] + stream.flush()


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("Dr. Weber left. He returns.", ["Dr. Weber left. ", "He returns."]),
        ("See e.g. No. 5 at 9.30 a.m. on Monday. Done.", ["See e.g. No. 5 at 9.30 a.m. on Monday. ", "Done."]),
        ("It costs 3.5 francs. Why?", ["It costs 3.5 francs. ", "Why?"]),
        ("J. R. R. Tolkien wrote it. Good.", ["J. R. R. Tolkien wrote it. ", "Good."]),
        ("Am 1. Mai öffnet die Hütte. Gut.", ["Am 1. Mai öffnet die Hütte. ", "Gut."]),
        ("It opens on May 1. It closes.", ["It opens on May 1. ", "It closes."]),
        ("It opens [1]. It closes. [2] More.[1] End", ["It opens [1]. ", "It closes. [2] ", "More.[1] ", "End"]),
        ("Bring:\n\n1. A rope. It helps.\n2. Boots", ["Bring:\n\n", "1. A rope. ", "It helps.\n", "2. Boots"]),
        ("Run:\n```sh\nls . \n\ncat x\n```\nDone.", ["Run:\n", "```sh\nls . \n\ncat x\n```\n", "Done."]),
        ("开放。关闭！好", ["开放。", "关闭！", "好"]),
        ("**Bold.** Next.", ["**Bold.** ", "Next."]),
        ("  Lead. Trail.\n", ["  Lead. ", "Trail.\n"]),
        ("", []),
        (" ", [" "]),
    ],
)
def test_sentences(text: str, sentences: list[str]) -> None:
    assert split(text) == sentences


@given(text=TEXTS, cuts=st.lists(st.integers(0, 300), max_size=20))
def test_the_pieces_of_the_stream_do_not_matter(text: str, cuts: list[int]) -> None:
    bounds = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    pieces = [text[start:end] for start, end in pairwise(bounds)]
    whole = split(text)
    assert split(*pieces) == whole
    assert split(*text) == whole


@given(text=TEXTS)
def test_nothing_is_lost(text: str) -> None:
    sentences = split(text)
    assert "".join(sentences) == text
    assert all(sentences)


def test_a_sentence_leaves_as_soon_as_the_next_word_is_complete() -> None:
    stream = SentenceStream()
    assert stream.feed("The hut opens. It") == []
    assert stream.feed(" ") == ["The hut opens. "]


def test_text_without_punctuation_is_cut() -> None:
    sentences = split("word " * 1000)
    assert len(sentences) > 1
    assert max(map(len, sentences)) <= MAX_CHARS + len("word ")


def test_a_stream_can_be_used_again_after_flush() -> None:
    stream = SentenceStream()
    stream.feed("One. Two")
    stream.flush()
    assert stream.feed("Three. Four ") == ["Three. "]
