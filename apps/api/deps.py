"""What routes depend on, as annotated aliases so that a route reads as a sentence. They are coroutines: FastAPI would
call a plain function in a thread, which costs more than all it does."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Path, Request

from apps.answering import Answering
from apps.api.schemas import CollectionName
from apps.api.state import Running
from apps.bootstrap import Library
from contracts import Caller, Rate, RateLimitedError


async def _running(request: Request) -> Running:
    running: Running = request.app.state.running
    return running


async def _library(request: Request) -> Library:
    return (await _running(request)).library


async def _answering(request: Request) -> Answering:
    return (await _running(request)).answering


async def _caller() -> Caller:
    return Caller()


RunningDep = Annotated[Running, Depends(_running)]
LibraryDep = Annotated[Library, Depends(_library)]
AnsweringDep = Annotated[Answering, Depends(_answering)]
CallerDep = Annotated[Caller, Depends(_caller)]


async def _within_rate(running: RunningDep, caller: CallerDep) -> None:
    """Raise RateLimitedError when the caller asks more often than it may."""
    api = running.settings.api
    if api.requests_per_minute:
        rate = Rate(api.requests_per_minute, api.burst or api.requests_per_minute)
        wait_s = await running.library.caches.limiter.take(caller.principal, rate)
        if wait_s:
            raise RateLimitedError(f"At most {api.requests_per_minute:g} requests a minute are served.", wait_s)


LIMITED = Depends(_within_rate)
CollectionPath = Annotated[CollectionName, Path(description="The collection's name.")]
