"""What tests of caches are made of: an entry, and a real Redis."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from apps.supervisor import Child, Supervisor
from cache.redis_server import redis_service
from contracts import Answer, CachedAnswer, Citation, Usage
from tests.library import hit

ENTRY = CachedAnswer(
    Answer(
        text="It opens in May [1].",
        citations=(Citation(1, hit("handbook", "The museum opens in May."), "matched"),),
        grounded=True,
        abstained=False,
        cache="miss",
        generation=7,
        trace_id="tr-1",
        conversation_id="c",
        usage=Usage(10, 5),
        timings={"generate": 12.5},
    ),
    evidence=("chunk-1",),
    documents=("handbook", "guide"),
    question="when does the museum open",
)


@asynccontextmanager
async def redis_server(logs: Path, *options: str) -> AsyncIterator[tuple[str, Child]]:
    """Run a Redis with these options besides ours; yield its URL and its guardian."""
    with TemporaryDirectory() as short:  # a socket's path may not be long
        service = redis_service(Path(short) / "redis.sock")
        service = replace(service, argv=(*service.argv, *options))
        supervisor = Supervisor(logs)
        child = await supervisor.start(service)
        try:
            await supervisor.until_ready(service, child)
            yield service.url, child
        finally:
            await supervisor.stop()


@asynccontextmanager
async def restarted(logs: Path) -> AsyncIterator[tuple[str, Callable[[], Awaitable[None]]]]:
    """Run a Redis; yield its URL and what kills it and starts another one in its place."""
    with TemporaryDirectory() as short:
        service = redis_service(Path(short) / "redis.sock")
        supervisor = Supervisor(logs, grace_s=0.2)

        async def restart() -> None:
            await supervisor.stop()
            await supervisor.until_ready(service, await supervisor.start(service))

        await restart()
        try:
            yield service.url, restart
        finally:
            await supervisor.stop()
