"""What is read of a model before it is loaded."""

import json
from pathlib import Path

import pytest

from contracts import ConfigurationError
from serving.model_shape import ModelShape, shape_of_folder, shape_of_gguf
from tests.unit.serving.model_files import LLAMA, gguf_file, hf_folder, safetensors, small_gguf


def test_a_folder_tells_weights_heads_and_what_a_token_takes(tmp_path: Path) -> None:
    shape = shape_of_folder(hf_folder(tmp_path, tensors={"BF16": 10_000}))
    assert shape == ModelShape(
        parameters=10_000,
        packed_bytes=0,
        embedding_parameters=6_400,
        kv_values=2 * 2 * 2 * 8,
        heads=8,
        kv_heads=2,
        context=8192,
    )


def test_a_gguf_file_tells_the_same_as_the_folder_made_of_it(tmp_path: Path) -> None:
    folder = hf_folder(tmp_path / "folder", tensors={"BF16": 64 * 100 + 64 * 64})
    assert shape_of_gguf(small_gguf(tmp_path / "model.gguf")) == shape_of_folder(folder)


def test_quantised_weights_count_as_they_are_stored(tmp_path: Path) -> None:
    config = LLAMA | {"quantization_config": {"quant_method": "awq"}}
    shape = shape_of_folder(hf_folder(tmp_path, config=config, tensors={"BF16": 7000, "I32": 500, "I8": 30}))
    assert (shape.parameters, shape.packed_bytes, shape.quantization) == (7000, 2030, "awq")


def test_a_model_that_sees_pictures_keeps_its_text_apart(tmp_path: Path) -> None:
    folder = hf_folder(tmp_path, config={"architectures": ["X"], "text_config": LLAMA | {"head_dim": 16}})
    assert shape_of_folder(folder).kv_values == 2 * 2 * 2 * 16


def test_latent_attention_keeps_less(tmp_path: Path) -> None:
    folder = hf_folder(tmp_path, config=LLAMA | {"kv_lora_rank": 512, "qk_rope_head_dim": 64})
    assert shape_of_folder(folder).kv_values == 2 * (512 + 64)


def test_scaled_positions_tell_no_limit(tmp_path: Path) -> None:
    scaled = hf_folder(tmp_path, config=LLAMA | {"rope_scaling": {"rope_type": "yarn", "factor": 4.0}})
    assert shape_of_folder(scaled).context == 0


def test_weights_that_lie_there_twice_are_loaded_once(tmp_path: Path) -> None:
    folder = hf_folder(tmp_path, tensors={"BF16": 100})
    safetensors(folder / "consolidated.safetensors", {"BF16": 100})
    assert shape_of_folder(folder).parameters == 100


@pytest.mark.parametrize("kept", [0, 7, 60, -1])
def test_a_file_that_ends_too_early_is_told(tmp_path: Path, kept: int) -> None:
    file = hf_folder(tmp_path) / "model.safetensors"
    file.write_bytes(file.read_bytes()[:kept])
    with pytest.raises(ConfigurationError, match=r"model\.safetensors"):
        shape_of_folder(tmp_path)


def test_a_missing_part_is_told(tmp_path: Path) -> None:
    folder = hf_folder(tmp_path)
    index = {"weight_map": {"a": "model.safetensors", "b": "model-2.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(ConfigurationError, match=r"model-2\.safetensors is missing"):
        shape_of_folder(folder)


def test_a_folder_without_weights_is_told(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(LLAMA))
    with pytest.raises(ConfigurationError, match="no weights"):
        shape_of_folder(tmp_path)


@pytest.mark.parametrize("config", ["", "[]", "{"])
def test_a_configuration_that_cannot_be_read_is_told(tmp_path: Path, config: str) -> None:
    (hf_folder(tmp_path) / "config.json").write_text(config)
    with pytest.raises(ConfigurationError, match=r"config\.json"):
        shape_of_folder(tmp_path)


@pytest.mark.parametrize("content", [b"", b"GGUF", b"PK\x03\x04 not a model", b"GGUF" + b"\xff" * 40])
def test_what_is_no_gguf_file_is_told(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "model.gguf"
    file.write_bytes(content)
    with pytest.raises(ConfigurationError, match="no GGUF file"):
        shape_of_gguf(file)


def test_a_gguf_file_cut_anywhere_in_its_header_is_told(tmp_path: Path) -> None:
    file = small_gguf(tmp_path / "model.gguf")
    whole = file.read_bytes()
    for length in range(0, len(whole), 7):
        file.write_bytes(whole[:length])
        with pytest.raises(ConfigurationError):
            shape_of_gguf(file)


def test_a_gguf_file_without_heads_has_a_kv_cache_of_unknown_size(tmp_path: Path) -> None:
    file = gguf_file(tmp_path / "m.gguf", metadata={"general.architecture": "mamba"}, tensors={"a": (4, 4)})
    assert shape_of_gguf(file).kv_values == 0
