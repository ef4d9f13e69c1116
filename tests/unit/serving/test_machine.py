"""What a machine has."""

from pathlib import Path

import pytest

from serving.machine import available_memory, nvidia_gpus, this_machine

MIB = 1 << 20


def driver(folder: Path, monkeypatch: pytest.MonkeyPatch, *, listing: str, code: int = 0) -> None:
    """Put a driver's tool that prints `listing` in front of all others."""
    tool = folder / "nvidia-smi"
    tool.write_text(f"#!/bin/sh\nprintf '{listing}'\nexit {code}\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


def group(folder: Path, *, limit: str, used: int, cached: int = 0) -> None:
    """Make a control group of version 2."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "memory.max").write_text(f"{limit}\n")
    (folder / "memory.current").write_text(f"{used}\n")
    (folder / "memory.stat").write_text(f"anon 1\ninactive_file {cached}\n")


def test_this_machine_has_memory_and_cores() -> None:
    machine = this_machine()
    assert MIB < machine.memory < 1 << 50
    assert machine.cores >= 1


def test_the_memory_of_each_gpu_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    driver(tmp_path, monkeypatch, listing="0, GPU-a, 24576, 20000\\n1, GPU-b, 24576, 24000\\n")
    assert [(gpu.total, gpu.free) for gpu in nvidia_gpus()] == [
        (24576 * MIB, 20000 * MIB),
        (24576 * MIB, 24000 * MIB),
    ]


@pytest.mark.parametrize(("visible", "free"), [("1", [24000]), ("GPU-b", [24000]), ("", []), ("0,1", [20000, 24000])])
def test_hidden_gpus_are_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, visible: str, free: list[int]
) -> None:
    driver(tmp_path, monkeypatch, listing="0, GPU-a, 24576, 20000\\n1, GPU-b, 24576, 24000\\n")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert [gpu.free // MIB for gpu in nvidia_gpus()] == free


@pytest.mark.parametrize(
    ("listing", "code"), [("No devices were found\\n", 6), ("", 0), ("No devices were found\\n", 0)]
)
def test_a_driver_without_devices_is_no_gpu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, listing: str, code: int
) -> None:
    driver(tmp_path, monkeypatch, listing=listing, code=code)
    assert nvidia_gpus() == ()


def test_the_tightest_group_around_this_process_counts(tmp_path: Path) -> None:
    own = tmp_path / "cgroup"
    own.write_text("0::/slice/container\n")
    group(tmp_path / "root" / "slice", limit=str(9 * MIB), used=5 * MIB, cached=MIB)
    group(tmp_path / "root" / "slice" / "container", limit="max", used=3 * MIB)
    assert available_memory(tmp_path / "root", own) == 5 * MIB
    group(tmp_path / "root" / "slice" / "container", limit=str(6 * MIB), used=3 * MIB)
    assert available_memory(tmp_path / "root", own) == 3 * MIB


def test_a_group_over_its_limit_leaves_nothing(tmp_path: Path) -> None:
    own = tmp_path / "cgroup"
    own.write_text("0::/\n")
    group(tmp_path / "root", limit=str(MIB), used=2 * MIB)
    assert available_memory(tmp_path / "root", own) == 0


def test_groups_of_version_1_count(tmp_path: Path) -> None:
    own = tmp_path / "cgroup"
    own.write_text("5:cpu:/x\n4:memory:/docker/abc\n")
    folder = tmp_path / "root" / "memory" / "docker" / "abc"
    folder.mkdir(parents=True)
    (folder / "memory.limit_in_bytes").write_text(str(8 * MIB))
    (folder / "memory.usage_in_bytes").write_text(str(3 * MIB))
    (folder / "memory.stat").write_text(f"total_inactive_file {MIB}\n")
    assert available_memory(tmp_path / "root", own) == 6 * MIB


def test_no_groups_are_no_limit(tmp_path: Path) -> None:
    assert available_memory(tmp_path / "root", tmp_path / "none") > MIB
