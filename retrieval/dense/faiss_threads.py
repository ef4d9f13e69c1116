"""The threads that FAISS searches on."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any


def load_faiss() -> Any:
    """Return FAISS, untyped: its stubs leave out what its Python layer adds. The first import takes a moment."""
    import faiss

    return faiss


def open_search_threads(count: int | None = None) -> ThreadPoolExecutor:
    """Return a pool with a thread per core, or `count`. FAISS keeps an OpenMP pool per calling thread: here each search
    has one thread, and as many searches run at once as there are threads."""
    return ThreadPoolExecutor(count or os.cpu_count() or 1, "faiss", initializer=_one_thread)


def _one_thread() -> None:
    load_faiss().omp_set_num_threads(1)


def use_half_of_the_cores() -> None:
    """Let FAISS work on this thread with half of the cores, so that searches find a free one."""
    load_faiss().omp_set_num_threads(max(1, (os.cpu_count() or 1) // 2))
