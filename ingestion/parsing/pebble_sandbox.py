"""Runs a parser in worker processes with limits of time and memory, so that no file can harm more than itself."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, cast

from contracts import ParsedFile, ParseError, ParseFailure, Parser
from ingestion.parsing.file_groups import FileGroups
from ingestion.parsing.media_types import BINARY_TYPES, expected_type
from ingestion.parsing.psutil_memory_limit import OUT_OF_MEMORY
from ingestion.parsing.sandbox_worker import Job, Outcome, Refusal, parse_in_worker, prepare_worker

if TYPE_CHECKING:
    from pebble import ProcessPool

_SMALL = 1 << 15  # bytes
_GROUP_SECONDS = 30.0
_GRACE_SECONDS = 30.0
_MOST_DEATHS = 3  # a worker may die of what an earlier file left in it, but hardly three times
_MOST_FAILURES = 20


class SandboxedParser:
    """Parses with what `make` returns, made once in each of `workers` processes; they start at the first file.

    `make` must be importable by the processes: a function of a module, or a `functools.partial` of one. A file may
    take `seconds` and a worker hold `memory_mb` MiB. Cancelling a parse ends its worker. When nothing was parsed for
    `idle_seconds` the workers end, for what they have loaded takes memory.

    Example: ``SandboxedParser(partial(build_parser, options), workers=4, seconds=300, memory_mb=2048)``
    """

    def __init__(
        self, make: Callable[[], Parser], *, workers: int, seconds: float, memory_mb: int, idle_seconds: float = 300
    ) -> None:
        self._make = make
        self._workers = workers
        self._seconds = seconds
        self._memory_mb = memory_mb
        self._idle_seconds = idle_seconds
        self._parsing = 0
        self._rest: asyncio.TimerHandle | None = None
        self._pool: ProcessPool | None = None
        self._lock = threading.Lock()
        self._places = asyncio.Semaphore(2 * workers)  # one file under way, one at hand for each worker
        self._groups = FileGroups(self._parse_group, self._parse_alone, workers)

    async def parse(self, path: Path, name: str | None = None, *, scratch: Path | None = None) -> ParsedFile:
        """Return the text of the file.

        Raises ParseError, and nothing else, whatever the file does: with what the parser says, or TIMEOUT, TOO_LARGE
        (more memory than allowed), CORRUPT (it crashed the reader), INTERNAL.
        """
        job = Job(path, name or path.name, scratch)
        with self._awake():
            outcome = await (self._groups.parse(job) if _is_small_text(job) else self._parse_alone(job))
        if isinstance(outcome, Refusal):
            raise ParseError(outcome.reason, outcome.message)
        return outcome

    async def _parse_alone(self, job: Job) -> Outcome:
        deaths = failures = 0  # of the worker that read this file; of the pool, which is no fault of the file
        while True:
            try:
                return (await self._send([job], self._seconds))[0]
            except TimeoutError:
                what = f"{job.called!r} took more than {self._seconds:g} seconds to read"
                raise ParseError(ParseFailure.TIMEOUT, f"{what}. Split it or raise the limit.") from None
            except Exception as exc:
                deaths += _is_death(exc)
                failures += not _is_death(exc)
                if deaths == _MOST_DEATHS or failures == _MOST_FAILURES:
                    raise self._died(job.called, exc) from exc

    async def _parse_group(self, jobs: Sequence[Job]) -> Sequence[Outcome]:
        return await self._send(jobs, min(_GROUP_SECONDS, self._seconds))

    async def _send(self, jobs: Sequence[Job], seconds: float) -> Sequence[Outcome]:
        async with self._places:
            pool = self._pool
            if pool is None:
                pool = await asyncio.to_thread(self._open)
            try:
                # Pebble keeps the time of the file; all it can wait for is one other file. More, and the pool is stuck.
                async with asyncio.timeout(self._seconds + seconds + _GRACE_SECONDS) as stuck:
                    task = pool.schedule(parse_in_worker, args=(jobs,), timeout=seconds)
                    return cast(Sequence[Outcome], await asyncio.wrap_future(task))
            except Exception as exc:
                if stuck.expired() or not (_is_death(exc) or isinstance(exc, TimeoutError)):
                    self._discard(pool)
                    raise BrokenProcessPool(str(exc)) from exc
                raise

    async def close(self) -> None:
        """End the workers, when nothing is being parsed; a later parse starts new ones."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            await asyncio.to_thread(_end, pool)

    @contextmanager
    def _awake(self) -> Iterator[None]:
        """Keep the workers for the time of the block, and a while longer."""
        self._parsing += 1
        if self._rest:
            self._rest.cancel()
        try:
            yield
        finally:
            self._parsing -= 1
            if not self._parsing:
                loop = asyncio.get_running_loop()
                self._rest = loop.call_later(self._idle_seconds, lambda: self._discard(self._pool))

    def _open(self) -> ProcessPool:
        from pebble import ProcessPool

        with self._lock:
            if self._pool is None:
                # Never a plain fork: this process has threads, and may hold models.
                forkserver = "forkserver" in multiprocessing.get_all_start_methods()
                context = multiprocessing.get_context("forkserver" if forkserver else "spawn")
                if forkserver:
                    context.set_forkserver_preload(
                        ["__main__", "ingestion.parsing.sandbox_worker", _module(self._make)]
                    )
                self._pool = ProcessPool(
                    max_workers=self._workers,
                    initializer=prepare_worker,
                    initargs=(self._make, self._memory_mb << 20),
                    context=context,
                )
                self._pool.schedule(os.getpid)  # starting takes a while: not in the event loop
            return self._pool

    def _discard(self, pool: ProcessPool | None) -> None:
        with self._lock:
            if pool is not None and self._pool is pool:
                self._pool = None
                threading.Thread(target=_end, args=(pool,), daemon=True).start()

    def _died(self, called: str, exc: Exception) -> ParseError:
        status = getattr(exc, "exitcode", None)
        if status in (OUT_OF_MEMORY, -signal.SIGKILL):  # the latter is what the system does when memory runs out
            message = (
                f"{called!r} needs more than {self._memory_mb} MiB of memory to be read. Split it, or raise the limit."
            )
            return ParseError(ParseFailure.TOO_LARGE, message)
        if status is not None:
            how = signal.Signals(-status).name if status < 0 else f"exit status {status}"
            message = f"{called!r} is damaged: the library that reads it crashed ({how}). Save it again or convert it."
            return ParseError(ParseFailure.CORRUPT, message)
        message = f"{called!r} could not be read because its worker process failed: {type(exc).__name__}: {exc}"
        return ParseError(ParseFailure.INTERNAL, message)


def _is_small_text(job: Job) -> bool:
    try:
        return job.path.stat().st_size <= _SMALL and expected_type(job.called) not in BINARY_TYPES
    except OSError:
        return False


def _is_death(exc: Exception) -> bool:
    """Tell whether one worker died, and its file is known: Pebble's ProcessExpired."""
    return hasattr(exc, "exitcode")


def _module(make: Callable[[], Parser]) -> str:
    return getattr(make, "func", make).__module__


def _end(pool: ProcessPool) -> None:
    pool.stop()  # type: ignore[no-untyped-call]
    pool.join()
