"""What runs inside a worker process of the sandbox: one parser, kept within its limits, without a network."""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
import socket
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing import parent_process
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any, NoReturn, TypeAlias

from contracts import ParsedFile, ParseError, ParseFailure, Parser
from ingestion.parsing.parse_errors import reading
from ingestion.parsing.psutil_memory_limit import MemoryLimit


@dataclass(frozen=True, slots=True)
class Refusal:
    """A ParseError as it travels between processes."""

    reason: ParseFailure
    message: str


Outcome: TypeAlias = ParsedFile | Refusal


@dataclass(frozen=True, slots=True)
class Job:
    """A file to be parsed."""

    path: Path
    called: str
    scratch: Path | None


class _InPlace(ThreadPoolExecutor):
    """Runs in the calling thread what `asyncio.to_thread` is given: here nothing else waits, and threads take time."""

    def submit(self, function: Callable[..., Any], /, *args: Any, **named: Any) -> Future[Any]:
        """Return the future of a call that is over."""
        done: Future[Any] = Future()
        try:
            done.set_result(function(*args, **named))
        except Exception as exc:
            done.set_exception(exc)
        return done


class _Worker:
    """One parser and the event loop that it runs in, made at the first file."""

    def __init__(self, make: Callable[[], Parser], memory: MemoryLimit) -> None:
        self._make = make
        self._memory = memory
        self._parser: Parser | None = None
        self._loop = asyncio.new_event_loop()
        self._loop.set_default_executor(_InPlace())

    def parse(self, job: Job) -> Outcome:
        """Return what the parser says of the file."""
        try:
            with reading(job.called), self._memory:
                self._parser = self._parser or self._make()
                return self._loop.run_until_complete(self._parser.parse(job.path, job.called, scratch=job.scratch))
        except ParseError as exc:
            return Refusal(exc.reason, str(exc))


_worker: _Worker | None = None  # a process has one; the pool can hand a function nothing but its arguments


def prepare_worker(make: Callable[[], Parser], memory_bytes: int) -> None:
    """Set this process up to parse with what `make` returns. Called once, when the process starts."""
    global _worker
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # ends the process also while a library does not return to Python
    _end_with_parent()
    _refuse_network()
    _be_quiet()
    os.environ["OMP_NUM_THREADS"] = "1"  # there is a worker for each core
    _worker = _Worker(make, MemoryLimit(memory_bytes))


def parse_in_worker(jobs: Sequence[Job]) -> list[Outcome]:
    """Parse the files in this process, one after the other."""
    if _worker is None:
        raise RuntimeError("prepare_worker was not called in this process")
    return [_worker.parse(job) for job in jobs]


def _end_with_parent() -> None:
    """End this process when the one that uses it ends, in whatever way: the pipe between them closes then.

    A thread sees that, and on systems that signal it the default action of the signal ends the process, also while a
    library keeps Python's threads from running.
    """
    parent = parent_process()
    if parent is None:
        return
    sentinel = parent.sentinel
    threading.Thread(target=lambda: wait([sentinel]) and os._exit(0), name="parent-watch", daemon=True).start()
    signal.signal(signal.SIGIO, signal.SIG_DFL)
    fcntl.fcntl(sentinel, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(sentinel, fcntl.F_SETFL, fcntl.fcntl(sentinel, fcntl.F_GETFL) | os.O_ASYNC)


def _be_quiet() -> None:
    """Keep what libraries print out of what the program prints."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nowhere, stream)
    os.close(nowhere)


def _refuse_network() -> None:
    """Keep libraries from fetching what a document names."""

    def refuse(*_: Any, **__: Any) -> NoReturn:
        raise OSError("a document is read without a network")

    socket.getaddrinfo = refuse
    socket.create_connection = refuse
    for method in ("connect", "connect_ex", "sendto", "sendmsg"):
        setattr(socket.socket, method, refuse)
