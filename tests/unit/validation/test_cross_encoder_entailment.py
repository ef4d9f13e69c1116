"""Entailment by a real cross-encoder, tiny and random: which label counts, and what is refused."""

import json
from pathlib import Path

import pytest

from contracts import ConfigurationError
from tests.small_cross_encoder import make_small_cross_encoder
from validation.guardrails.guardrails_offline import silence_guardrails
from validation.support.cross_encoder_entailment import CrossEncoderEntailment, entailment_label
from validation.support.groundedness import entailed

PASSAGES = ("the hut opens in may", "dogs stay outside")


def nli_model(folder: Path, *labels: str) -> str:
    make_small_cross_encoder(folder, labels=len(labels))
    path = folder / "config.json"
    config = json.loads(path.read_text())
    config["id2label"] = dict(enumerate(labels))
    config["label2id"] = {label: number for number, label in enumerate(labels)}
    path.write_text(json.dumps(config))
    return str(folder)


async def test_the_label_of_entailment_is_read_from_the_models_configuration(tmp_path: Path) -> None:
    pair = [(PASSAGES[0], "it opens in may")]
    scores = []
    for at in range(3):
        labels = ["contradiction", "neutral", "other"]
        labels[at] = "ENTAILMENT"
        (score,) = await CrossEncoderEntailment(nli_model(tmp_path / str(at), *labels)).score(pair)
        scores.append(score)
    assert sum(scores) == pytest.approx(1.0)  # the same weights, so the three labels share one distribution
    assert len({round(score, 6) for score in scores}) == 3


async def test_a_sentence_is_as_entailed_as_by_its_best_passage(tmp_path: Path) -> None:
    model = CrossEncoderEntailment(nli_model(tmp_path, "contradiction", "entailment", "neutral"))
    each = await model.score([(passage, "it opens") for passage in PASSAGES])
    assert await entailed("it opens", PASSAGES, model) == pytest.approx(max(each))
    assert await entailed("it opens", (), model) == 0.0


async def test_a_model_that_knows_no_entailment_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="none of them says entailment"):
        await CrossEncoderEntailment(nli_model(tmp_path, "good", "bad")).score([("a", "b")])


async def test_a_model_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="Cannot load the entailment model"):
        await CrossEncoderEntailment(str(tmp_path / "none")).score([("a", "b")])


def test_labels_are_found_under_other_names() -> None:
    assert entailment_label("m", {0: "neutral", 1: "Entailment"}) == 1
    assert entailment_label("m", {0: "entailment", 1: "not_entailment"}) == 0


async def test_the_validator_fails_below_its_threshold(tmp_path: Path) -> None:
    silence_guardrails()
    from guardrails_ai.types import FailResult, PassResult

    from validation.guardrails.guardrails_entailment import Entailed

    folder = nli_model(tmp_path, "contradiction", "entailment", "neutral")
    metadata = {"passages": PASSAGES}
    passed = await Entailed(folder, threshold=0.0).async_validate("it opens [1]", metadata)
    assert isinstance(passed, PassResult)
    failed = await Entailed(folder, threshold=1.0).async_validate("it opens [1]", metadata)
    assert isinstance(failed, FailResult)
    model = CrossEncoderEntailment(folder)
    assert failed.metadata["entailment"] == pytest.approx(await entailed("it opens", PASSAGES, model))
