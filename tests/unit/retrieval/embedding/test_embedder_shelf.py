from pathlib import Path

import numpy as np
import pytest

from contracts import ConfigurationError
from retrieval.embedding.embedder_shelf import EmbedderShelf
from retrieval.embedding.sentence_transformers_embedder import SentenceTransformersEmbedder
from tests.small_encoder import make_small_encoder


@pytest.fixture
def shelf() -> EmbedderShelf:
    return EmbedderShelf(lambda model: SentenceTransformersEmbedder(model, runtime="torch"))


def test_the_packaged_model_has_two_names_and_is_made_once(shelf: EmbedderShelf) -> None:
    assert shelf.open("") is shelf.open("all-MiniLM-L6-v2")
    assert shelf.open("").name == "all-MiniLM-L6-v2"
    assert shelf.open("").dimension == 384


async def test_another_model_is_opened_by_its_folder(shelf: EmbedderShelf, tmp_path: Path) -> None:
    small = shelf.open(str(make_small_encoder(tmp_path / "small", dimension=32)))
    other = shelf.open(str(make_small_encoder(tmp_path / "other", dimension=32, seed=1)))
    assert (small.name, small.dimension, small.max_tokens) == (str(tmp_path / "small"), 32, 126)
    first, second = await small.embed(["a tram"]), await other.embed(["a tram"])
    assert float(first[0] @ second[0]) < 0.9


def test_a_name_that_no_model_has_is_found_out_at_its_first_use(shelf: EmbedderShelf, tmp_path: Path) -> None:
    embedder = shelf.open(str(tmp_path / "no-such-model"))
    with pytest.raises(ConfigurationError, match=r"no-such-model.*FOOTNOTE_EMBEDDING__MODEL"):
        _ = embedder.dimension


async def test_the_same_seed_makes_the_same_encoder(shelf: EmbedderShelf, tmp_path: Path) -> None:
    one, two = (shelf.open(str(make_small_encoder(tmp_path / name))) for name in ("one", "two"))
    np.testing.assert_array_equal(await one.embed(["a tram"]), await two.embed(["a tram"]))
