"""A script, run with the model server's Python: turns a GGUF file, or the one in a package, into a Hugging Face folder.

Usage: ``python transformers_export.py FILE|PACKAGE FOLDER``. Engines read the folder at full speed everywhere, whereas
GGUF kernels exist on some devices only; weights are dequantised to bfloat16.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path


def find_gguf(package: str) -> Path:
    """Return the one GGUF file that the installed package carries, without importing the package."""
    spec = find_spec(package)
    folders = spec.submodule_search_locations if spec else None
    files = [file for folder in folders or () for file in Path(folder).glob("*.gguf")]
    if len(files) != 1:
        raise SystemExit(f"package {package!r} should carry one GGUF file, found {len(files)}")
    return files[0]


def export(gguf: Path, folder: Path) -> None:
    """Write weights, tokenizer, chat template and generation settings of the model in `gguf` to `folder`."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
    model = AutoModelForCausalLM.from_pretrained(
        gguf.parent, gguf_file=gguf.name, dtype=torch.bfloat16, quantization_config=GgufConfig(dequantize=True)
    )
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


if __name__ == "__main__":
    origin = Path(sys.argv[1])
    export(origin if origin.is_file() else find_gguf(sys.argv[1]), Path(sys.argv[2]))
