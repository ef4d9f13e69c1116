"""Small stand-ins for models: folders and GGUF files with true headers and weights of zeros."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path

Value = int | str | list[str]
_SIZES = {"F32": 4, "BF16": 2, "F8_E4M3": 1, "I8": 1, "I32": 4}
LLAMA = {
    "architectures": ["LlamaForCausalLM"],
    "num_hidden_layers": 2,
    "num_attention_heads": 8,
    "num_key_value_heads": 2,
    "hidden_size": 64,
    "vocab_size": 100,
    "max_position_embeddings": 8192,
    "tie_word_embeddings": True,
}


def hf_folder(folder: Path, *, config: Mapping[str, object] = LLAMA, tensors: Mapping[str, int] | None = None) -> Path:
    """Make a Hugging Face folder whose one safetensors file has a tensor of so many weights per type."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config))
    safetensors(folder / "model.safetensors", tensors or {"BF16": 10_000})
    return folder


def safetensors(file: Path, tensors: Mapping[str, int]) -> None:
    """Write a file with a tensor of so many weights per type."""
    header, end = {}, 0
    for kind, weights in tensors.items():
        begin, end = end, end + weights * _SIZES[kind]
        header[kind.lower()] = {"dtype": kind, "shape": [weights], "data_offsets": [begin, end]}
    text = json.dumps({"__metadata__": {"format": "pt"}, **header}).encode()
    file.write_bytes(struct.pack("<Q", len(text)) + text + bytes(end))


def gguf_file(
    file: Path, *, metadata: Mapping[str, int | str | list[str]], tensors: Mapping[str, Sequence[int]]
) -> Path:
    """Write a GGUF file's header, version 3, without the weights."""
    parts = [b"GGUF", struct.pack("<IQQ", 3, len(tensors), len(metadata))]
    for key, value in metadata.items():
        parts.append(_text(key) + _value(value))
    for name, shape in tensors.items():
        sizes = b"".join(struct.pack("<Q", size) for size in shape)
        parts.append(_text(name) + struct.pack("<I", len(shape)) + sizes + struct.pack("<IQ", 0, math.prod(shape)))
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"".join(parts))
    return file


def small_gguf(file: Path) -> Path:
    """Write the header of a GGUF file with the shape of LLAMA."""
    metadata: dict[str, Value] = {
        "general.architecture": "llama",
        "tokenizer.ggml.tokens": ["a", "bc"],
        "llama.block_count": 2,
        "llama.embedding_length": 64,
        "llama.attention.head_count": 8,
        "llama.attention.head_count_kv": 2,
        "llama.context_length": 8192,
    }
    return gguf_file(file, metadata=metadata, tensors={"token_embd.weight": (64, 100), "blk.0.attn_q.weight": (64, 64)})


def _text(text: str) -> bytes:
    return struct.pack("<Q", len(text.encode())) + text.encode()


def _value(value: Value) -> bytes:
    if isinstance(value, int):
        return struct.pack("<II", 4, value)
    if isinstance(value, str):
        return struct.pack("<I", 8) + _text(value)
    return struct.pack("<IIQ", 9, 8, len(value)) + b"".join(_text(each) for each in value)
