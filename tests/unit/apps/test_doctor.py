"""What `footnote doctor` finds."""

import os
import socket
from pathlib import Path

import pytest

from apps.doctor import Check, check_port, examine
from apps.services import available_memory
from apps.settings import ApiSettings, CacheSettings, ObservabilitySettings, ServingSettings, Settings
from tests.unit.serving.model_files import hf_folder


def settings(folder: Path, **changes: object) -> Settings:
    return Settings.model_validate({"data_dir": folder, **changes})


def by_name(checks: tuple[Check, ...]) -> dict[str, Check]:
    return {check.name: check for check in checks}


@pytest.mark.enable_socket
def test_a_taken_port_is_told_with_its_holder_and_another_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        check = check_port("API", "127.0.0.1", port, "FOOTNOTE_API__PORT")
        assert not check.ok
        assert f"(process {os.getpid()})" in check.found
        assert "FOOTNOTE_API__PORT=" in check.remedy
        assert f"FOOTNOTE_API__PORT={port}" not in check.remedy.split()
    assert check_port("API", "127.0.0.1", port, "FOOTNOTE_API__PORT").ok


@pytest.mark.enable_socket
def test_two_parts_on_one_port_are_told(tmp_path: Path) -> None:
    found = examine(settings(tmp_path, api=ApiSettings(port=18790), serving=ServingSettings(port=18790)))
    assert "FOOTNOTE_SERVING__PORT" in by_name(found)["port 18790"].remedy


@pytest.mark.enable_socket
def test_parts_that_run_elsewhere_need_nothing_here(tmp_path: Path) -> None:
    away = settings(
        tmp_path,
        serving=ServingSettings(base_url="http://elsewhere/v1"),
        cache=CacheSettings(url="redis://elsewhere"),
        observability=ObservabilitySettings(mlflow_url="http://elsewhere"),
    )
    names = set(by_name(examine(away)))
    assert "redis-server" not in names
    assert "model server" not in names
    assert [name for name in names if name.startswith("port")] == ["port 8000 (API)"]


def have_gpu(folder: Path, monkeypatch: pytest.MonkeyPatch, *, listing: str) -> None:
    """Put a driver's tool that prints `listing` in front of all others."""
    tool = folder / "nvidia-smi"
    tool.write_text(f"#!/bin/sh\necho '{listing}'\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)


@pytest.mark.enable_socket
def test_with_a_gpu_neither_libnuma_nor_the_memory_of_the_cpu_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    greedy = settings(tmp_path, serving=ServingSettings(kv_cache_gb=1 << 20))
    have_gpu(tmp_path, monkeypatch, listing="no devices")
    assert "libnuma" in by_name(examine(greedy))
    have_gpu(tmp_path, monkeypatch, listing="0, GPU-a, 24576, 24000")
    found = by_name(examine(settings(tmp_path)))
    assert "libnuma" not in found
    assert found["memory"].ok
    assert "GPU memory" in found["model"].found


@pytest.mark.enable_socket
def test_too_little_memory_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    have_gpu(tmp_path, monkeypatch, listing="no devices")
    greedy = settings(tmp_path, serving=ServingSettings(kv_cache_gb=1 << 20))
    check = by_name(examine(greedy))["model"]
    assert "1048576.0 GB of KV cache" in check.found
    assert "FOOTNOTE_SERVING__KV_CACHE_GB" in check.found
    assert not check.ok


@pytest.mark.enable_socket
def test_memory_for_the_model_but_not_for_the_rest_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    have_gpu(tmp_path, monkeypatch, listing="no devices")
    fits = available_memory() / (1 << 30) - 3.5  # beside weights and working memory, without the 2 GB of the rest
    found = by_name(examine(settings(tmp_path, serving=ServingSettings(kv_cache_gb=fits))))
    assert found["model"].ok
    assert "FOOTNOTE_SERVING__KV_CACHE_GB" in found["memory"].remedy


def test_a_running_stack_holds_its_own_ports_and_memory(tmp_path: Path) -> None:
    names = set(by_name(examine(settings(tmp_path), running=True)))
    assert not [name for name in names if name.startswith(("port", "memory"))]


def test_a_data_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    check = by_name(examine(settings(tmp_path / "file" / "data"), running=True))["data folder"]
    assert "FOOTNOTE_DATA_DIR" in check.remedy


def test_a_folder_without_a_model_is_told(tmp_path: Path) -> None:
    wrong = settings(tmp_path, serving=ServingSettings(model=str(tmp_path)))
    assert "config.json" in by_name(examine(wrong, running=True))["model"].found
    hf_folder(tmp_path)
    assert by_name(examine(wrong, running=True))["model"].ok


def test_a_damaged_model_is_told(tmp_path: Path) -> None:
    hf_folder(tmp_path / "model")
    (tmp_path / "model" / "model.safetensors").write_bytes(b"half")
    damaged = settings(tmp_path, serving=ServingSettings(model=str(tmp_path / "model")))
    assert "model.safetensors" in by_name(examine(damaged, running=True))["model"].found
