"""What the machine that computes the model has: memory, cores, graphics processors."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_CGROUPS = Path("/sys/fs/cgroup")
_MIB = 1 << 20
_DRIVER_TIMEOUT_S = 20.0


@dataclass(frozen=True, slots=True)
class Gpu:
    """A graphics processor's memory in bytes."""

    total: int
    free: int


@dataclass(frozen=True, slots=True)
class Machine:
    """`memory` is in bytes, what new processes can take; `bfloat16` is whether the CPU multiplies it itself."""

    memory: int
    cores: int
    bfloat16: bool
    gpus: tuple[Gpu, ...] = ()


def this_machine() -> Machine:
    """Return what this machine has now."""
    return Machine(available_memory(), _cores(), has_native_bfloat16(), nvidia_gpus())


def nvidia_gpus() -> tuple[Gpu, ...]:
    """Return the NVIDIA devices that the driver lists and CUDA_VISIBLE_DEVICES leaves; none without a driver."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return ()
    query = [tool, "--query-gpu=index,uuid,memory.total,memory.free", "--format=csv,noheader,nounits"]
    try:
        listing = subprocess.run(query, capture_output=True, text=True, check=False, timeout=_DRIVER_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        return ()
    if listing.returncode != 0:
        return ()
    rows = [[field.strip() for field in line.split(",")] for line in listing.stdout.splitlines()]
    return tuple(_gpu(row[2], row[3]) for row in rows if len(row) == 4 and _is_visible(row[0], row[1]))


def _gpu(total: str, free: str) -> Gpu:
    """A device that shares the machine's memory tells no number of its own: it has none to count on."""
    return Gpu(*(int(field) * _MIB if field.isdigit() else 0 for field in (total, free)))


def _is_visible(index: str, uuid: str) -> bool:
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    return visible is None or any(
        name == index or (name and uuid.startswith(name)) for name in visible.replace(" ", "").split(",")
    )


def available_memory(cgroups: Path = _CGROUPS, own: Path = Path("/proc/self/cgroup")) -> int:
    """Return the bytes that new processes can take; the limits of a container and of the groups around it count."""
    import psutil

    return min([int(psutil.virtual_memory().available), *_left_in_groups(cgroups, own)])


def _left_in_groups(cgroups: Path, own: Path) -> Iterator[int]:
    """Yield what each control group, of version 2 or 1, that holds this process leaves, where it has a limit."""
    try:
        lines = [line.split(":", 2) for line in own.read_text().splitlines()]
    except OSError:
        lines = [["0", "", "/"]]
    for _, controllers, path in lines:
        if controllers == "":
            yield from _left_upwards(cgroups, path, "memory.max", "memory.current", "inactive_file")
        elif "memory" in controllers.split(","):
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
            yield from _left_upwards(cgroups / "memory", path, *names)


def _left_upwards(root: Path, path: str, limit: str, usage: str, cached: str) -> Iterator[int]:
    group = root / path.lstrip("/")
    for folder in (group, *group.parents):
        if folder == root or root in folder.parents:
            try:
                counts = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
                used = int((folder / usage).read_text()) - int(counts[cached])
                yield max(0, int((folder / limit).read_text()) - used)
            except (OSError, ValueError, KeyError):  # no limit ("max"), or no such group
                continue


def has_native_bfloat16() -> bool:
    """Return whether the CPU multiplies bfloat16 itself, or nothing tells; emulated, that takes 50 times as long as
    float32 (a prompt of 2,000 tokens 75 s, measured on a CPU without AVX-512)."""
    told = Path("/proc/cpuinfo")
    return not told.exists() or bool(re.search(r"\b(?:avx512_bf16|amx_bf16|bf16)\b", told.read_text()))


def _cores() -> int:
    """Return how many processors this process may use; a container's quota of time counts."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = (_CGROUPS / "cpu.max").read_text().split()
        return max(1, min(cores, int(quota) // int(period)))
    except (OSError, ValueError):  # no quota ("max"), or no such control group
        return cores
