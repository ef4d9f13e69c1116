"""Summaries of whole documents, and answers to questions about one."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from apps.api.access import readable_document
from apps.api.deps import LIMITED, CallerDep, CollectionPath, LibraryDep, RunningDep
from apps.api.errors import RESPONSES
from apps.api.schemas import AnswerOut, DocumentId, answer_out
from apps.api.sse import answer_events, event_stream
from apps.summarizing import Summarizing, Wanted

router = APIRouter(prefix="/v1/collections", tags=["documents"], responses=RESPONSES)


class SummaryIn(BaseModel):
    """What is wanted of a document: a summary, or the answer to a question."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"question": "", "stream": False}]})

    question: str = Field("", max_length=20_000)
    stream: bool = False


def _summarizing(request: Request) -> Summarizing:
    summarizing: Summarizing = request.app.state.running.summarizing
    return summarizing


SummarizingDep = Annotated[Summarizing, Depends(_summarizing)]


@router.post("/{collection}/documents/{document_id}/summary", response_model=AnswerOut, dependencies=[LIMITED])
async def summary(
    collection: CollectionPath,
    document_id: DocumentId,
    library: LibraryDep,
    summarizing: SummarizingDep,
    caller: CallerDep,
    running: RunningDep,
    body: SummaryIn | None = None,
) -> Response | AnswerOut:
    """Summarise a document, or answer a question from all of it, by as many calls of the model as it takes. Each
    sentence is checked and cited as in an answer. With `"stream": true` it comes as Server-Sent Events, as an answer
    does."""
    asked = body or SummaryIn()
    found = await readable_document(library, caller, collection, document_id)
    wanted = Wanted(found, caller, asked.question)
    if not asked.stream:
        answer = await summarizing.summarize(wanted)
        running.count(answer)
        return answer_out(answer)
    return await event_stream(answer_events(running.counted(summarizing.stream(wanted))))
