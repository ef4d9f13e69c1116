"""The life of a running stack: its parts brought up side by side, watched, started again, and stopped."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from apps.keeping_alive import keep_alive
from apps.run_file import Part, RunFile
from apps.services import computing_environment, footnote_command, footnote_services, model_service, store_services
from apps.settings import Settings
from apps.supervisor import Child, Supervisor
from contracts import FootnoteError, Service


class Progress(Protocol):
    """Hears what is being done."""

    def begin(self, name: str, doing: str) -> None:
        """`name` is under way."""
        ...

    def end(self, name: str, done: str) -> None:
        """`name` is done."""
        ...

    def say(self, line: str) -> None:
        """Something else is worth telling."""
        ...


class Stack:
    """Every process that the settings ask for."""

    def __init__(self, settings: Settings, run_file: RunFile, progress: Progress) -> None:
        self._settings = settings
        self._run_file = run_file
        self._progress = progress
        self._supervisor = Supervisor(settings.data_dir / "logs")
        self._parts: dict[str, Part] = {}
        self._services: dict[str, Service] = {}

    async def bring_up(self, samples: Sequence[Path]) -> None:
        """Start every part, the slowest first, and ingest `samples` meanwhile; return once all of them are ready.

        Raises the FootnoteError of the first part that fails.
        """
        try:
            async with asyncio.TaskGroup() as group:
                if not self._settings.serving.base_url:
                    group.create_task(self._bring_up_model())
                for service in (*store_services(self._settings), *footnote_services(self._settings)):
                    group.create_task(self._bring_up(service))
                if samples:
                    group.create_task(self.ingest("samples", samples))
        except* FootnoteError as failures:
            raise first_failure(failures) from None

    async def ingest(self, name: str, paths: Sequence[Path]) -> None:
        """Ingest files and folders in a process of its own; failed documents are told, they stop nothing."""
        self._progress.begin(name, "ingesting")
        command = footnote_command("ingest", *(str(path) for path in paths))
        child = await self._supervisor.until_done(name, command, computing_environment(self._settings))
        if child.process.returncode == 0:
            self._progress.end(name, "ingested")
        else:
            self._progress.end(name, "not all ingested")
            self._progress.say(f"Not all of {name} could be ingested. The end of {child.log}:\n{child.last_lines()}")

    async def watch(self) -> None:
        """Start again whatever dies, until it dies too often: then raise ChildDiedError."""
        await keep_alive(self._supervisor, self._services, say=self._progress.say, start_again=self._start_again)

    async def stop(self) -> None:
        """Stop every process that was started."""
        await self._supervisor.stop()

    async def _bring_up_model(self) -> None:
        name = "model server"
        self._progress.begin(name, "preparing the model")
        await self._bring_up(await model_service(self._settings, lambda doing: self._progress.begin(name, doing)))

    async def _bring_up(self, service: Service) -> None:
        self._progress.begin(service.name, "starting")
        child = await self._start(service)
        await self._supervisor.until_ready(service, child)
        self._note(service, "ready", child)
        self._progress.end(service.name, "ready")

    async def _start(self, service: Service) -> Child:
        child = await self._supervisor.start(service)
        self._services[service.name] = service
        self._note(service, "starting", child)
        return child

    async def _start_again(self, service: Service) -> None:
        """Its readiness is not waited for: should it die again, the watch sees it."""
        child = await self._start(service)
        self._note(service, "restarted", child)

    def _note(self, service: Service, state: str, child: Child) -> None:
        self._parts[service.name] = Part(service.name, state, service.url, child.process.pid)
        self._run_file.write(tuple(self._parts.values()))


def first_failure(failures: BaseExceptionGroup[FootnoteError]) -> FootnoteError:
    """Return the first error of a task group, to be told alone: the others mostly follow from it."""
    found = failures.exceptions[0]
    return first_failure(found) if isinstance(found, BaseExceptionGroup) else found
