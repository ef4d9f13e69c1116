"""A script, run with the model server's Python: finds a model at the Hugging Face hub and downloads what engines read.

Usage: ``python huggingface_download.py look|fetch MODEL``. Prints JSON: the configuration and the number of weights by
type, or the folder.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

_WEIGHTS = ("*.safetensors",)
_OLD_WEIGHTS = ("*.bin",)
_REST = ("*.json", "*.txt", "*.model", "*.jinja", "*.tiktoken", "*.py")
_NEVER = ("original/*", "onnx/*", "openvino/*", "training_args.bin", "consolidated*")
_TIMEOUT_S = 10.0


def cached_folder(model: str) -> Path | None:
    """Return the folder of a model that was downloaded before, however much of it; the hub is not asked."""
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(model, "config.json")
    return Path(found).parent if isinstance(found, str) else None


def look(model: str) -> dict[str, Any]:
    """Return what the hub tells of a model before anything but its configuration is downloaded."""
    from huggingface_hub import HfApi, hf_hub_download

    told = HfApi().model_info(model, timeout=_TIMEOUT_S, files_metadata=True)
    sizes = {file.rfilename: file.size or 0 for file in told.siblings or []}
    if "config.json" not in sizes:
        ggufs = sorted(name for name in sizes if name.endswith(".gguf"))
        raise SystemExit(
            f"{model} has no config.json; of its GGUF files ({', '.join(ggufs[:4])}) download one and name the file"
            if ggufs
            else f"{model} has no config.json, so it is no language model that can be loaded"
        )
    weights = dict(told.safetensors.parameters) if told.safetensors else {}
    stored = sum(size for name, size in sizes.items() if name.endswith(_weights_of(sizes)[0].removeprefix("*")))
    config = json.loads(Path(hf_hub_download(model, "config.json", etag_timeout=_TIMEOUT_S)).read_text())
    return {"config": config, "weights": weights or {"BF16": stored // 2}}


def fetch(model: str) -> dict[str, Any]:
    """Download the weights, tokenizer and configuration of a model; what is there already is not loaded again."""
    from huggingface_hub import HfApi, snapshot_download

    names = [file.rfilename for file in HfApi().model_info(model, timeout=_TIMEOUT_S).siblings or []]
    wanted = [*_weights_of(names), *_REST]
    folder = snapshot_download(model, allow_patterns=wanted, ignore_patterns=[*_NEVER], etag_timeout=_TIMEOUT_S)
    return {"folder": folder}


def _weights_of(names: Any) -> tuple[str, ...]:
    return _WEIGHTS if any(name.endswith(".safetensors") for name in names) else _OLD_WEIGHTS


if __name__ == "__main__":
    try:
        print(json.dumps({"look": look, "fetch": fetch}[sys.argv[1]](sys.argv[2])))
    except Exception as exc:  # the last line of the trace of such an error says less than its first one
        raise SystemExit(f"{type(exc).__name__}: {str(exc).strip() or 'no message'}".replace("\n", " ")) from exc
