"""Puts a set's files into a library of their own and asks its questions, as a user would, and under two controls:
with the gold passages in place of the search (oracle), and of the model alone (closed-book)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

from apps.answering import Answering
from apps.bootstrap import Library, open_answering, open_library, open_model
from apps.settings import Settings
from apps.sources import FileList, Source, local_file
from contracts import Answer, AnswerMode, BlockedError, ChatModel, Filter, Message, Prompt, Question
from observability.recording_tracer import NullTracer
from tests.evaluation.answer_outcomes import Control, Outcome, outcome_of
from tests.evaluation.answer_tasks import AnswerSet, Task
from tests.evaluation.answer_watch import WatchedChatModel, WatchedRetriever, watching
from tests.evaluation.gold_passages import gold_hits

CONTROLS: tuple[Control, ...] = ("rag", "oracle", "closed-book")
_COLLECTION = "evaluation"
_CLOSED_BOOK = "Answer the question."
OnDone = Callable[[Outcome], None]


@dataclass(frozen=True, slots=True)
class Desk:
    """Where the questions of one set are asked."""

    asked: AnswerSet
    library: Library
    answering: Answering
    model: ChatModel
    mode: AnswerMode

    async def ask(self, task: Task, control: Control) -> Outcome | None:
        """Return the outcome; None where the control makes no sense for the task."""
        if control == "closed-book":
            return await self._closed_book(task) if task.answerable and self.mode is AnswerMode.GROUNDED else None
        if control == "oracle" and not (task.evidence or task.documents):
            return None
        evidence = gold_hits(task, _COLLECTION) if control == "oracle" and task.evidence else None
        question = await self._question(task, only=task.documents if control == "oracle" else ())
        with watching(evidence) as sheet:
            started = time.perf_counter()
            answer: Answer | BlockedError
            try:
                answer = await self.answering.answer(question)
            except BlockedError as exc:
                answer = exc
            seconds = time.perf_counter() - started
            return outcome_of(self.asked, task, control, answer=answer, sheet=sheet, seconds=seconds)

    async def _question(self, task: Task, only: Sequence[str]) -> Question:
        conversation = uuid4().hex
        filters = (Filter("source", any_of=tuple(only)),) if only else ()
        question = Question(task.question, _COLLECTION, conversation_id=conversation, filters=filters, mode=self.mode)
        if task.history:
            await self.library.memory.append(conversation, question.caller.principal, task.history)
        return question

    async def _closed_book(self, task: Task) -> Outcome:
        messages = (Message("system", _CLOSED_BOOK), *task.history, Message("user", task.question))
        serving = self.library.settings.serving
        with watching() as sheet:
            started = time.perf_counter()
            prompt = Prompt(messages, "closed-book", ())
            tokens = self.model.stream(prompt, max_tokens=serving.max_tokens, temperature=serving.temperature)
            async with aclosing(tokens):
                async for _ in tokens:
                    pass
            reply = sheet.calls[0].written.strip()
        return Outcome(
            set=self.asked.name,
            control="closed-book",
            task=task,
            reply=reply,
            refused=not reply,
            finish="complete",
            written=(reply,),
            seconds=time.perf_counter() - started,
        )


@asynccontextmanager
async def open_desk(asked: AnswerSet, settings: Settings, folder: Path, mode: AnswerMode) -> AsyncGenerator[Desk]:
    """Open the library in `folder`, which is filled with the set's files unless they are there, with the cache off."""
    place = folder / f"{asked.name}-{asked.digest}"
    cache = settings.cache.model_copy(update={"enabled": False})
    settings = settings.model_copy(update={"data_dir": place / "library", "cache": cache})
    chat = open_model(settings)
    model = WatchedChatModel(chat)
    library = open_library(settings, NullTracer(), model)
    try:
        await _index(library, asked, place / "files")
        library = replace(library, retriever=WatchedRetriever(library.retriever))
        answering = open_answering(library, NullTracer(), model)
        # As the API does before it is ready: what loads for long at the first question would count as a failed check.
        await library.open_embedder(library.indexing.embedder).embed([asked.name])
        await answering.policies.guards(_COLLECTION).input.check(asked.name)
        yield Desk(asked, library, answering, model, mode)
    finally:
        await asyncio.gather(library.aclose(), chat.close())


async def ask_all(
    desk: Desk, tasks: Iterable[tuple[Task, Control]], *, concurrency: int, on_done: OnDone
) -> list[Outcome]:
    """Ask everything, so many at once, and return the outcomes in the order of the tasks."""
    room = asyncio.Semaphore(concurrency)

    async def ask(task: Task, control: Control) -> Outcome | None:
        async with room:
            outcome = await desk.ask(task, control)
        if outcome:
            on_done(outcome)
        return outcome

    work: list[Awaitable[Outcome | None]] = [ask(task, control) for task, control in tasks]
    return [outcome for outcome in await asyncio.gather(*work) if outcome]


async def _index(library: Library, asked: AnswerSet, folder: Path) -> None:
    sources = [_source(name, content, folder) for name, content in asked.files.items()]
    known = FileList(await library.states.states(_COLLECTION))
    async for done in library.indexing.index_all(sources, _COLLECTION, known):
        if done.reason:
            raise SystemExit(f"{done.source!r} could not be indexed: {done.message}")


def _source(name: str, content: str | Path, folder: Path) -> Source:
    path = content
    if isinstance(path, str):
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / name
        path.write_text(str(content), encoding="utf-8")
    return Source(name, local_file(path), _COLLECTION)
