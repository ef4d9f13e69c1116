import asyncio
import logging
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from contracts import ConfigurationError, Vectors
from retrieval.embedding.encoder_runtime import Runtime
from retrieval.embedding.sentence_transformers_embedder import SentenceTransformersEmbedder, packaged_model
from tests.small_encoder import make_small_encoder

TEXTS = [
    "the tram to the harbour leaves every ten minutes, on Sundays every twenty",
    "soup",
    "€ 4.20 for a bowl of soup; bread is free — 無料",
    "A long one. " * 200,
    "",
    *(f"line {i} of the timetable: " + "a stop, " * i for i in range(40)),
]
RUNTIMES: tuple[Runtime, ...] = ("auto", "torch", "openvino")


@pytest.fixture(scope="module")
def truth() -> Vectors:
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(packaged_model()), device="cpu")
    return np.asarray(model.encode(TEXTS, normalize_embeddings=True, show_progress_bar=False))


@pytest.mark.parametrize("runtime", RUNTIMES)
async def test_each_runtime_agrees_with_the_model_in_float32(runtime: Runtime, truth: Vectors) -> None:
    embedder = SentenceTransformersEmbedder(runtime=runtime)
    vectors = await embedder.embed(TEXTS)
    assert float((vectors * truth).sum(axis=1).min()) > 0.999
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert embedder.name == "all-MiniLM-L6-v2"


async def test_a_runtime_that_would_change_the_vectors_is_not_taken(tmp_path: Path) -> None:
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(make_small_encoder(tmp_path / "calm")), device="cpu")
    for weights in model.parameters():
        weights.data *= 40  # attention and activations tip over at the slightest rounding
    model.save(str(tmp_path / "touchy"), create_model_card=False)
    truth = model.encode(TEXTS, normalize_embeddings=True, show_progress_bar=False)
    vectors = await SentenceTransformersEmbedder(str(tmp_path / "touchy")).embed(TEXTS)
    assert float((vectors * truth).sum(axis=1).min()) > 0.999


async def test_texts_are_embedded_in_small_batches_of_like_length(monkeypatch: pytest.MonkeyPatch) -> None:
    embedder = SentenceTransformersEmbedder(runtime="torch", batch_tokens=64)
    encode, batches = embedder._encode, []

    def recorded(texts: list[str]) -> Vectors:
        batches.append(texts)
        return encode(texts)

    monkeypatch.setattr(embedder, "_encode", recorded)
    await embedder.embed(TEXTS)
    assert sorted(text for batch in batches for text in batch) == sorted(TEXTS)
    assert all(len(batch) == 1 or len("".join(batch).encode()) <= 64 * 4 for batch in batches)
    longest = [max(len(text.encode()) for text in batch) for batch in batches]
    assert longest == sorted(longest, reverse=True)


async def test_a_query_does_not_wait_for_many_texts(tmp_path: Path) -> None:
    embedder = SentenceTransformersEmbedder(str(make_small_encoder(tmp_path)), runtime="torch", batch_tokens=128)
    await embedder.embed(["warm"])
    many = asyncio.create_task(embedder.embed([f"a long text, number {i}, of very many " * 4 for i in range(2000)]))
    await asyncio.sleep(0.01)
    await embedder.embed(["a query"])
    assert not many.done()
    assert (await many).shape == (2000, 64)


def test_tokens_are_counted_without_a_limit() -> None:
    embedder = SentenceTransformersEmbedder(runtime="torch")
    assert embedder.max_tokens == 254
    assert embedder.count_tokens("tram " * 1000) == 1000
    assert embedder.count_tokens_many(["tram", "", "tram " * 1000]) == [1, 0, 1000]


def without_mean_pooling_over_text(folder: Path) -> Path:
    """Return a model that is no transformer: a table of word vectors."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(packaged_model() / "tokenizer.json"))
    module = StaticEmbedding(tokenizer, embedding_dim=16)
    SentenceTransformer(modules=[module], device="cpu").save(str(folder), create_model_card=False)
    return folder


async def test_what_openvino_cannot_run_runs_on_torch(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = without_mean_pooling_over_text(tmp_path / "static")
    embedder = SentenceTransformersEmbedder(str(folder))
    with caplog.at_level(logging.WARNING, "retrieval"):
        assert (await embedder.embed(["a tram", "a tram", "soup"])).shape == (3, 16)
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert embedder.count_tokens("a tram") == 2
    with pytest.raises(ConfigurationError, match="FOOTNOTE_EMBEDDING__RUNTIME"):
        _ = SentenceTransformersEmbedder(str(folder), runtime="openvino").dimension


def test_openvino_tells_nobody_that_it_is_used(tmp_path: Path) -> None:
    model = make_small_encoder(tmp_path / "small")
    code = (
        "from retrieval.embedding.sentence_transformers_embedder import SentenceTransformersEmbedder as E;"
        f"print(E({str(model)!r}, runtime='openvino').dimension)"
    )
    environment = {**os.environ, "HOME": str(tmp_path), "CI": "", "HF_HUB_OFFLINE": "1"}
    root = Path(__file__).parents[4]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, env=environment, capture_output=True, text=True)
    assert done.stdout.strip() == "64", done.stderr
    assert not (tmp_path / "intel").exists()


def test_an_english_model_knows_which_texts_are_not_english() -> None:
    embedder = SentenceTransformersEmbedder(runtime="torch")
    assert embedder.fluency("when does the last tram leave") == 1
    assert embedder.fluency("когда отправляется последний трамвай") < 0.1
