"""Questions: cited answers, whole or streamed, and searches for passages."""

from __future__ import annotations

from fastapi import APIRouter, Response

from apps.api.deps import LIMITED, AnsweringDep, CallerDep, LibraryDep, RunningDep
from apps.api.errors import RESPONSES
from apps.api.schemas import AnswerOut, QueryIn, SearchIn, SearchOut, answer_out, filters_of, search_out
from apps.api.sse import answer_events, event_stream
from contracts import Query, Question

router = APIRouter(prefix="/v1", tags=["answers"], responses=RESPONSES, dependencies=[LIMITED])


@router.post("/query", response_model=AnswerOut)
async def query(body: QueryIn, answering: AnsweringDep, caller: CallerDep, running: RunningDep) -> Response | AnswerOut:
    """Answer a question from a collection. With `"stream": true` the answer comes as Server-Sent Events: retrieval,
    token, citation, violation, done, or error."""
    question = Question(
        text=body.question,
        collection=body.collection,
        caller=caller,
        conversation_id=body.conversation_id,
        top_k=body.top_k,
        filters=filters_of(body.filters),
        mode=body.mode,
        schema=body.json_schema,
        priority=body.priority,
        patience_s=body.patience_s,
        fresh=body.fresh,
    )
    if not body.stream:
        answer = await answering.answer(question)
        running.count(answer)
        return answer_out(answer)
    return await event_stream(answer_events(running.counted(answering.stream(question))))


@router.post("/search")
async def search(body: SearchIn, library: LibraryDep, answering: AnsweringDep, caller: CallerDep) -> SearchOut:
    """Find passages without asking the model."""
    mode = body.mode or library.settings.retrieval.mode
    query = Query(body.query, body.collection, caller, body.top_k, filters_of(body.filters), mode)
    with answering.tracer.span("search", inputs={"query": body.query}, user=caller.principal):
        found = await library.retriever.retrieve(query)
    return search_out(body.query, found, explain=body.explain)
