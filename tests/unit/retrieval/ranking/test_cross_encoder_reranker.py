from pathlib import Path

import pytest

from contracts import ConfigurationError
from retrieval.ranking.cross_encoder_reranker import CrossEncoderReranker
from tests.small_cross_encoder import make_small_cross_encoder
from tests.small_encoder import make_small_encoder
from tests.unit.retrieval.ranking.hits import hit


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(make_small_cross_encoder(tmp_path_factory.mktemp("reranker")))


async def test_each_hit_gets_the_score_of_its_own_pair(model: str) -> None:
    from sentence_transformers import CrossEncoder

    hits = [hit("soup, " * size, position=size, title="Menu", headings=("Starters",)) for size in range(1, 20)]
    scores = await CrossEncoderReranker(model, batch_size=4).score("what is there to eat?", hits)
    pairs = [("what is there to eat?", f"Menu > Starters\n{one.chunk.text}") for one in hits]
    expected = CrossEncoder(model, device="cpu").predict(pairs, show_progress_bar=False)
    assert scores == pytest.approx([float(score) for score in expected], abs=1e-4)
    assert len(set(scores)) > 1


async def test_nothing_to_rank_and_texts_longer_than_the_window_are_no_trouble(model: str) -> None:
    reranker = CrossEncoderReranker(model)
    assert await reranker.score("soup", []) == []
    assert len(await reranker.score("soup", [hit("soup " * 5000), hit("", position=1)])) == 2
    assert reranker.name == model


@pytest.mark.parametrize("kind", ["missing", "encoder", "classifier"])
async def test_what_is_no_cross_encoder_is_refused_with_what_to_do(kind: str, tmp_path: Path) -> None:
    if kind == "encoder":
        make_small_encoder(tmp_path / kind)
    if kind == "classifier":
        make_small_cross_encoder(tmp_path / kind, labels=3)
    with pytest.raises(ConfigurationError, match=f"{kind}'.*RERANKER"):
        await CrossEncoderReranker(str(tmp_path / kind)).score("soup", [hit("soup")])
