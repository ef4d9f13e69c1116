"""Child processes: started, waited for, watched and stopped, so that all of them and nothing else ends with us."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from contracts import FootnoteError, Service

_GUARDIAN = Path(__file__).with_name("guardian.py")
_PROBE_INTERVAL_S = 0.25
_LOG_LINES = 15
_LOG_WIDTH = 500


class ChildDiedError(FootnoteError):
    """A child process ended, or never got ready; the message shows the end of its log."""


@dataclass(frozen=True, slots=True)
class Child:
    """A running child process and where its output goes: into `log`, behind the first `log_began` bytes."""

    name: str
    process: asyncio.subprocess.Process
    log: Path
    log_began: int = 0
    cause: Callable[[str], str] = lambda log: ""

    @property
    def alive(self) -> bool:
        """False once the process has ended."""
        return self.process.returncode is None

    def last_lines(self) -> str:
        """Return the end of the log, indented."""
        lines = self._output().splitlines()[-_LOG_LINES:]
        return "\n".join(f"    {line[:_LOG_WIDTH]}" for line in lines) or "    (nothing)"

    def obituary(self) -> str:
        """Return how the process ended and why, with the end of its log."""
        cause = self.cause(self._output())
        return (
            f"{self.name} ended with exit code {self.process.returncode}. {cause}{'. ' if cause else ''}"
            f"The end of {self.log}:\n{self.last_lines()}"
        )

    def _output(self) -> str:
        if not self.log.exists():
            return ""
        with self.log.open("rb") as log:
            log.seek(self.log_began)
            return log.read().decode(errors="replace")


class Supervisor:
    """Starts services and stops them, last started first.

    Each child runs under a guardian (guardian.py) in a session of its own: a Ctrl-C on the terminal reaches us alone,
    and on Linux no child outlives us even when we are killed.
    """

    def __init__(self, log_dir: Path, *, grace_s: float = 15.0) -> None:
        log_dir.mkdir(parents=True, exist_ok=True)
        self._log_dir = log_dir
        self._grace_s = grace_s
        self._children: list[Child] = []

    async def start(self, service: Service) -> Child:
        """Start a service without waiting for it to be ready."""
        return await self._spawn(service.name, service.argv, service.env, service.cause)

    async def until_ready(self, service: Service, child: Child) -> float:
        """Wait until the service answers; return the seconds waited. Raises ChildDiedError when it ends first or
        takes longer than its timeout."""
        began = time.monotonic()
        while not await asyncio.to_thread(service.ready):
            if not child.alive:
                raise ChildDiedError(child.obituary())
            if time.monotonic() - began > service.timeout_s:
                raise ChildDiedError(
                    f"{service.name} did not answer within {service.timeout_s:.0f} s. The end of {child.log}:\n"
                    f"{child.last_lines()}"
                )
            await _ended_within(child, _PROBE_INTERVAL_S)
        if not child.alive:  # someone else answered in its place
            raise ChildDiedError(child.obituary())
        return time.monotonic() - began

    async def until_done(self, name: str, argv: Sequence[str], env: Mapping[str, str]) -> Child:
        """Run a command to its end; return it with its exit code."""
        child = await self._spawn(name, argv, env)
        await child.process.wait()
        return child

    async def until_any_dies(self, names: Container[str]) -> Child:
        """Wait until one of the children called `names` ends; return it."""
        latest = {child.name: child for child in self._children if child.name in names}
        waits = {asyncio.ensure_future(child.process.wait()): child for child in latest.values()}
        try:
            done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        return waits[done.pop()]

    async def stop(self) -> None:
        """Stop every child, last started first, and wait for each."""
        for child in reversed(self._children):
            if child.alive:
                child.process.terminate()
                await child.process.wait()
        self._children.clear()

    async def _spawn(
        self, name: str, argv: Sequence[str], env: Mapping[str, str], cause: Callable[[str], str] = lambda log: ""
    ) -> Child:
        log = self._log_dir / f"{name.replace(' ', '-')}.log"
        restarted = any(child.name == name for child in self._children)
        with log.open("ab" if restarted else "wb") as output:
            began = output.tell()
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-S", str(_GUARDIAN), str(os.getpid()), str(self._grace_s), *argv),
                env={**os.environ, **env},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        child = Child(name, process, log, began, cause)
        self._children.append(child)
        return child


async def _ended_within(child: Child, seconds: float) -> None:
    try:
        await asyncio.wait_for(child.process.wait(), seconds)
    except TimeoutError:
        return
