"""What a model needs memory for, read from its files without loading it: from config.json and the headers of its weight
files, or from the header of a GGUF file."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contracts import ConfigurationError
from serving.gguf_header import Value, read_gguf_header

_FLOATS = frozenset({"F64", "F32", "F16", "BF16"})  # become the type that the engine computes in
_BYTES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "U64": 8, "I32": 4, "U32": 4, "I16": 2, "U16": 2}
_LONGEST_HEADER = 100_000_000  # bytes, the format's own limit


@dataclass(frozen=True, slots=True)
class ModelShape:
    """`parameters` are weights kept as floating-point numbers, `packed_bytes` what the others take as they are stored.

    `embedding_parameters` of the `parameters` look tokens up and stay as they are when the rest is quantised.
    `kv_values` are the numbers that the KV cache keeps per token, in all layers; 0 where the configuration does not
    tell. `context` is the longest that the model was made for, 0 when it is not told.
    """

    parameters: int
    packed_bytes: int
    embedding_parameters: int
    kv_values: int
    heads: int
    kv_heads: int
    context: int
    quantization: str = ""


def shape_of_folder(folder: Path) -> ModelShape:
    """Return the shape of the model in a Hugging Face folder. Raises ConfigurationError when a file cannot be read."""
    return shape_of(read_config(folder), weights_in(folder))


def shape_of_gguf(file: Path) -> ModelShape:
    """Return the shape of the model in a GGUF file once it is dequantised. Raises ConfigurationError."""
    header = read_gguf_header(file)
    name = f"{header.metadata.get('general.architecture')}."
    told = {key.removeprefix(name): value for key, value in header.metadata.items() if key.startswith(name)}
    heads = _whole(told.get("attention.head_count"))
    kv_heads = _whole(told.get("attention.head_count_kv")) or heads
    size = _whole(told.get("attention.key_length")) or _whole(told.get("embedding_length")) // max(1, heads)
    values = size + (_whole(told.get("attention.value_length")) or size)
    looked_up = sum(header.tensors.get(tensor, 0) for tensor in ("token_embd.weight", "output.weight"))
    return ModelShape(
        parameters=sum(header.tensors.values()),
        packed_bytes=0,
        embedding_parameters=looked_up,
        kv_values=_whole(told.get("block_count")) * kv_heads * values,
        heads=heads,
        kv_heads=kv_heads,
        context=_whole(told.get("context_length")),
    )


def read_config(folder: Path) -> dict[str, Any]:
    """Return the configuration of the model in `folder`. Raises ConfigurationError when there is none."""
    try:
        config = json.loads((folder / "config.json").read_text())
    except (OSError, ValueError) as exc:
        raise ConfigurationError(f"{str(folder)!r} holds no config.json that can be read: {exc}") from exc
    if not isinstance(config, dict):
        raise ConfigurationError(f"{str(folder / 'config.json')!r} holds no JSON object")
    return config


def weights_in(folder: Path) -> dict[str, int]:
    """Return the number of weights by type, as safetensors names types. Files of other formats count as BF16.

    Raises ConfigurationError when there are none, or a file is incomplete.
    """
    files = [file for file in sorted(folder.glob("*.safetensors")) if file.name not in _second_copies(folder)]
    missing = [name for name in _shards(folder) if not (folder / name).is_file()]
    if missing:
        raise ConfigurationError(f"{str(folder)!r} is incomplete: {missing[0]} is missing")
    if not files:
        others = [*folder.glob("*.bin"), *folder.glob("*.pt")]
        if not others:
            raise ConfigurationError(f"{str(folder)!r} holds no weights: safetensors files are needed")
        return {"BF16": sum(file.stat().st_size for file in others) // 2}
    counted: dict[str, int] = {}
    for file in files:
        for kind, weights in _counted_in(file).items():
            counted[kind] = counted.get(kind, 0) + weights
    return counted


def _shards(folder: Path) -> set[str]:
    index = folder / "model.safetensors.index.json"
    try:
        return set(json.loads(index.read_text())["weight_map"].values()) if index.is_file() else set()
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as exc:
        raise ConfigurationError(f"{str(index)!r} cannot be read: {exc}") from exc


def _second_copies(folder: Path) -> set[str]:
    """Mistral's folders hold their weights twice; engines read one of them."""
    return {file.name for file in folder.glob("consolidated*.safetensors") if any(folder.glob("model*.safetensors"))}


def _counted_in(file: Path) -> dict[str, int]:
    """The header is JSON behind its length: github.com/huggingface/safetensors, "Format"."""
    try:
        with file.open("rb") as stream:
            (length,) = struct.unpack("<Q", stream.read(8))
            if length > _LONGEST_HEADER:
                raise ValueError("its header is damaged")
            header = json.loads(stream.read(length))
        tensors = [tensor for name, tensor in header.items() if name != "__metadata__"]
        ends = max((tensor["data_offsets"][1] for tensor in tensors), default=0)
        if file.stat().st_size < 8 + length + ends:
            raise ValueError("it ends too early")
        counted: dict[str, int] = {}
        for tensor in tensors:
            counted[tensor["dtype"]] = counted.get(tensor["dtype"], 0) + math.prod(tensor["shape"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError, struct.error) as exc:
        raise ConfigurationError(f"{str(file)!r} is no safetensors file that can be read: {exc}") from exc
    return counted


def shape_of(config: Mapping[str, Any], weights: Mapping[str, int]) -> ModelShape:
    """Return the shape of a model with this configuration and these numbers of weights by type."""
    text = config.get("text_config") or config  # of a model that sees pictures too
    heads = _whole(text.get("num_attention_heads"))
    kv_heads = _whole(text.get("num_key_value_heads")) or heads
    tied = text.get("tie_word_embeddings", config.get("tie_word_embeddings", True))
    looked_up = _whole(text.get("vocab_size")) * _whole(text.get("hidden_size")) * (1 if tied else 2)
    parameters = sum(count for kind, count in weights.items() if kind in _FLOATS)
    return ModelShape(
        parameters=parameters,
        packed_bytes=sum(count * _BYTES.get(kind, 1) for kind, count in weights.items() if kind not in _FLOATS),
        embedding_parameters=min(parameters, looked_up),
        kv_values=_kv_values(text, heads, kv_heads),
        heads=heads,
        kv_heads=kv_heads,
        context=_context(text),
        quantization=_quantization(config),
    )


def _kv_values(text: Mapping[str, Any], heads: int, kv_heads: int) -> int:
    layers = _whole(text.get("num_hidden_layers"))
    if latent := _whole(text.get("kv_lora_rank")):  # DeepSeek-V2, arXiv 2405.04434, section 2.1
        return layers * (latent + _whole(text.get("qk_rope_head_dim")))
    size = _whole(text.get("head_dim")) or _whole(text.get("hidden_size")) // max(1, heads)
    return 2 * layers * kv_heads * size


def _context(text: Mapping[str, Any]) -> int:
    """Scaled positions reach further than the configuration says, each kind by a rule of its own."""
    scaling = text.get("rope_scaling") or text.get("rope_parameters") or {}
    return 0 if "factor" in scaling else _whole(text.get("max_position_embeddings"))


def _quantization(config: Mapping[str, Any]) -> str:
    found = config.get("quantization_config") or config.get("compression_config") or {}
    return str(found.get("quant_method", "")) if isinstance(found, Mapping) else ""


def _whole(value: Value) -> int:
    return int(value) if isinstance(value, int | float) else 0
