"""What routes depend on, as annotated aliases so that a route reads as a sentence. They are coroutines: FastAPI would
call a plain function in a thread, which costs more than all it does."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Path, Request

from apps.answering import Answering
from apps.api.schemas import CollectionName
from apps.api.state import Running
from apps.bootstrap import Library
from contracts import Caller


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
CollectionPath = Annotated[CollectionName, Path(description="The collection's name.")]
