"""A collection's cutting chooses its splitter, and headings leave room for the passage that is embedded behind them."""

import pytest

from apps.bootstrap import build_splitter
from apps.embedding_batches import heading_line
from contracts import ChunkStrategy, ConfigurationError, Cutting
from tests.word_tokens import WordTokens


def test_each_strategy_has_its_splitter() -> None:
    names = [build_splitter(WordTokens(), Cutting(strategy, 100, 10)).name for strategy in ChunkStrategy]
    assert [name.split("-1 ")[0].split("-2 ")[0].replace("-", "_") for name in names] == list(ChunkStrategy)


@pytest.mark.parametrize("strategy", [one for one in ChunkStrategy if one is not ChunkStrategy.SENTENCE_WINDOW])
def test_an_overlap_as_large_as_the_chunk_is_refused(strategy: ChunkStrategy) -> None:
    with pytest.raises(ConfigurationError, match="overlap"):
        build_splitter(WordTokens(), Cutting(strategy, 32, 32))


def test_a_heading_line_is_the_title_and_the_headings_once_each() -> None:
    assert heading_line("Tram", ("Tram", "Hours")) == "Tram > Hours"


def test_a_heading_line_is_short_in_any_script() -> None:
    assert len(heading_line("x" * 500, ["y" * 500] * 9).encode()) == 163
    assert len(heading_line("あ" * 500, [f"い{i}" * 500 for i in range(9)]).encode()) <= 240
