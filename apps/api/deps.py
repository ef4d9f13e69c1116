"""What routes depend on, as annotated aliases so that a route reads as a sentence."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Path, Request

from apps.answering import Answering
from apps.api.schemas import CollectionName
from apps.api.state import Running
from apps.bootstrap import Library
from contracts import Caller


def _running(request: Request) -> Running:
    running: Running = request.app.state.running
    return running


def _library(request: Request) -> Library:
    return _running(request).library


def _answering(request: Request) -> Answering:
    return _running(request).answering


def _caller() -> Caller:
    return Caller()


RunningDep = Annotated[Running, Depends(_running)]
LibraryDep = Annotated[Library, Depends(_library)]
AnsweringDep = Annotated[Answering, Depends(_answering)]
CallerDep = Annotated[Caller, Depends(_caller)]
CollectionPath = Annotated[CollectionName, Path(description="The collection's name.")]
