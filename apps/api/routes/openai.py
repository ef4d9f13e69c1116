"""OpenAI-compatible chat completions, models and embeddings.

The model `footnote` answers from the default collection, `footnote/NAME` from another one. A request for a language
model goes to its server as it is, and comes back as it is.
"""

from __future__ import annotations

import logging
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

from apps.api.deps import LIMITED, CallerDep, RunningDep
from apps.api.openai_errors import OpenAIRoute
from apps.api.openai_schemas import (
    OWN_MODEL,
    ChatIn,
    Completion,
    EmbeddingsIn,
    embeddings_out,
    model_out,
    models_out,
    question_of,
)
from apps.api.openai_stream import PassingOn, completion_chunks, while_there
from apps.api.state import Running
from apps.event_streams import begun
from contracts import Caller, InvalidInputError, ModelUnavailableError, NotFoundError, PassThrough

router = APIRouter(prefix="/v1", tags=["openai"], route_class=OpenAIRoute)
_log = logging.getLogger(__name__)
_CLIENT_GONE = 499  # nobody reads it; logs and metrics do


@router.post("/chat/completions", dependencies=[LIMITED])
async def chat_completions(body: ChatIn, request: Request, caller: CallerDep, running: RunningDep) -> Response:
    """Answer the last message of the user from documents, with citations; or pass the request on to the language model
    that it names."""
    collection = _collection(body.model)
    if collection is None:
        return await _passed_on(body, request, caller, running)
    question = question_of(body, collection, caller)
    completion = Completion.of(body, running.settings.serving.max_tokens)
    try:
        if not body.stream:
            answer = await while_there(request.receive, running.answering.answer(question))
            if answer is None:
                return Response(status_code=_CLIENT_GONE)
            running.count(answer)
            return JSONResponse(completion.whole(answer))
        events = await begun(running.counted(running.answering.stream(question)))
    except NotFoundError as exc:
        raise await _no_model(body.model, caller, running) from exc
    usage = body.stream_options is not None and body.stream_options.include_usage
    return StreamingResponse(
        completion_chunks(events, completion, include_usage=usage),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


@router.get("/models")
async def models(caller: CallerDep, running: RunningDep) -> dict[str, Any]:
    """List what a request may name as its model."""
    return models_out(await _names(caller, running))


@router.get("/models/{model:path}")
async def model(model: str, caller: CallerDep, running: RunningDep) -> dict[str, Any]:
    """Return a model."""
    if model not in await _names(caller, running):
        raise await _no_model(model, caller, running)
    return model_out(model)


@router.post("/embeddings", dependencies=[LIMITED])
async def embeddings(body: EmbeddingsIn, caller: CallerDep, running: RunningDep) -> JSONResponse:
    """Embed texts with the encoder of a collection."""
    collection, library = _collection(body.model), running.library
    found = await library.collections.find(collection, caller.scope) if collection else None
    if collection is None or (found is None and collection != "default"):
        raise await _no_model(body.model, caller, running)
    texts = [body.input] if isinstance(body.input, str) else body.input
    if not all(text.strip() for text in texts) or not texts:
        raise InvalidInputError("input: there is nothing in a text to embed.")
    embedder = library.open_embedder(found.embedder if found else running.settings.embedding.model)
    vectors = await embedder.embed(texts)
    if body.dimensions not in (None, vectors.shape[1]):
        raise InvalidInputError(f"dimensions={body.dimensions}: this encoder has {vectors.shape[1]}.")
    return JSONResponse(embeddings_out(body, vectors, sum(embedder.count_tokens_many(texts))))


async def _passed_on(body: ChatIn, request: Request, caller: Caller, running: Running) -> Response:
    passing = await _pass_through(running)
    if passing is None or body.model not in passing.models:
        raise await _no_model(body.model, caller, running)
    priority = body.options.get("priority", 0)
    place = running.admission.slot(priority=priority if isinstance(priority, int) else 0)
    return PassingOn(passing.send(body.model, await request.body()), place)


def _collection(model: str) -> str | None:
    """Return the collection that a model answers from; None for a language model."""
    name, slash, collection = model.partition("/")
    if name != OWN_MODEL or (slash and not collection):
        return None
    return collection or "default"


async def _names(caller: Caller, running: Running) -> list[str]:
    collections = await running.library.collections.list(caller.scope)
    passing = await _pass_through(running)
    named = [f"{OWN_MODEL}/{each.name}" for each in collections]
    return [OWN_MODEL, *named, *(passing.models if passing else ())]


async def _pass_through(running: Running) -> PassThrough | None:
    """Return what passes requests on, once it knows the name of a model that only its server knows."""
    try:
        await running.answering.writing.model.prepare()
    except ModelUnavailableError as exc:
        _log.warning("the language model is away: %s", exc)
    return running.pass_through


async def _no_model(name: str, caller: Caller, running: Running) -> NotFoundError:
    names = ", ".join(await _names(caller, running))
    return NotFoundError(f"There is no model {name!r}. There are: {names}.")
