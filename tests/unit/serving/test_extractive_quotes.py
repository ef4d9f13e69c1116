"""Answers of quotes: whole sentences of the sources, each where it stands, none twice."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from contracts import Vectors
from serving.extractive_quotes import quotes
from tests.library import hit

HUT = hit("hut", "The hut has 60 beds. Quiet hours are from 22:00 to 06:00.  Boots stay in the boot room.")
RULES = hit("rules", "Soup is served at noon. Quiet hours are from 22:00 to 06:00.")
TABLE = "| Item | Price |\n| --- | --- |\n| Soup | 4 euros |\n| Packed lunch | 9.50 euros |"
PRICES = replace(HUT, chunk=replace(HUT.chunk, text=f"What things cost.\n\n{TABLE}"))


async def test_the_best_sentence_is_quoted_where_it_stands() -> None:
    (quote,) = await quotes("When are quiet hours?", [HUT], 1)
    assert (quote.marker, quote.text) == (1, "Quiet hours are from 22:00 to 06:00.")
    assert HUT.chunk.text[slice(*quote.span)] == quote.text


async def test_what_says_the_same_again_is_left_out() -> None:
    found = await quotes("When are quiet hours?", [HUT, RULES], 3)
    assert [quote.text for quote in found].count("Quiet hours are from 22:00 to 06:00.") == 1


async def test_a_source_keeps_the_order_of_its_text() -> None:
    found = await quotes("How many beds has the hut and when are quiet hours?", [RULES, HUT], 3)
    for marker in (1, 2):
        spans = [quote.span for quote in found if quote.marker == marker]
        assert spans == sorted(spans)


async def test_a_row_of_a_table_can_be_read_alone() -> None:
    (quote,) = await quotes("What does a packed lunch cost?", [PRICES], 1)
    assert quote.text == "Item: Packed lunch; Price: 9.50 euros"
    assert PRICES.chunk.text[slice(*quote.span)] == "| Packed lunch | 9.50 euros |"


async def test_vectors_join_the_words() -> None:
    async def encode(texts: Sequence[str]) -> Vectors:
        return np.array(
            [[1.0, 0.0] if "boot" in text.lower() or "?" in text else [0.0, 1.0] for text in texts], np.float32
        )

    (quote,) = await quotes("Where does one put wet shoes?", [HUT], 1, encode)
    assert quote.text == "Boots stay in the boot room."


async def test_no_sources_give_no_quotes() -> None:
    assert await quotes("Anything?", []) == []
