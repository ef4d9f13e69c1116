"""Keeps a worker process within its memory, which the rest of the machine needs too."""

from __future__ import annotations

import os
import resource
import threading
import time

import psutil

OUT_OF_MEMORY = 91  # the exit status of a process that went over its limit
_SECONDS_BETWEEN_LOOKS = 0.05


class MemoryLimit:
    """Ends this process with OUT_OF_MEMORY when it holds more than `limit` bytes while `watching`.

    What is held counts (resident memory), not address space, of which ONNX Runtime and others map much more than they
    use. Twice the limit in one go is refused by the system (on Linux), as a MemoryError that a parser can still tell.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._process = psutil.Process()
        self._busy = threading.Event()
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
        twice = 2 * limit if hard == resource.RLIM_INFINITY else min(2 * limit, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (twice, hard))
        threading.Thread(target=self._watch, name="memory-limit", daemon=True).start()

    def __enter__(self) -> None:
        self._busy.set()

    def __exit__(self, *_: object) -> None:
        self._busy.clear()

    def _watch(self) -> None:
        while self._busy.wait():
            if self._process.memory_info().rss > self._limit:
                os._exit(OUT_OF_MEMORY)
            time.sleep(_SECONDS_BETWEEN_LOOKS)


def workers_within(memory_mb: int) -> int:
    """Return how many processes of `memory_mb` MiB to run: one less than there are cores, if memory suffices."""
    cores = (os.cpu_count() or 2) - 1
    fitting: int = (psutil.virtual_memory().total >> 20) // memory_mb
    return max(1, min(cores, fitting))
