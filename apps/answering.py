"""A question becomes a cited answer: guard, remember, cache, retrieve, write, check, cite, store."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import uuid
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from apps.cached_answers import CachedAnswers, Evidence, Lookup, released_again
from apps.draft import Emit, Event, Found
from apps.event_streams import events_of, ignore
from apps.json_answer import check_schema
from apps.personal_data import RestoringEmit, escaped, renumbered, restored
from apps.single_flight import SingleFlight
from apps.stages import Stages
from apps.turn import Turn
from apps.writing import Writing
from contracts import (
    Admission,
    Answer,
    AnswerKey,
    AnswerMode,
    BlockedError,
    Condenser,
    FootnoteError,
    GuardPolicies,
    Guards,
    Hit,
    Memory,
    Message,
    ModelUnavailableError,
    PromptBuilder,
    Query,
    Question,
    Readable,
    Remembered,
    Retrieved,
    Retriever,
    SearchMode,
    StoreUnavailableError,
    Tracer,
    Usage,
    Verdict,
    Wording,
)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AnsweringPolicy:
    """How answers are made. `mode` says which views are searched. A passage is no evidence below the cosine similarity
    `floor`. `history_tokens` are what the model and a follow-up see of the conversation."""

    top_k: int = 8
    mode: SearchMode = SearchMode.HYBRID
    prompt_sources: int = 3
    floor: float = 0.25
    history_tokens: int = 600


@dataclass(frozen=True, slots=True)
class Answering:
    """The online use case over its ports. `context` says what a question that was condensed is searched for together
    with, from the conversation; `is_answerable` whether passages may answer a question at all; `restore`
    puts values back in place of their placeholders. `admission` says when an answer may be made by the model."""

    policies: GuardPolicies
    cached: CachedAnswers
    admission: Admission
    condenser: Condenser
    retriever: Retriever
    prompts: PromptBuilder
    writing: Writing
    memory: Memory
    tracer: Tracer
    is_answerable: Callable[[str, Sequence[Hit]], bool] = lambda *_: True
    restore: Callable[[str, Mapping[str, str]], str] = lambda text, mapping: text
    policy: AnsweringPolicy = AnsweringPolicy()
    context: Callable[[str, str, Sequence[Message]], tuple[Wording, ...]] = lambda *_: ()
    _flights: SingleFlight = field(default_factory=SingleFlight)
    _background: dict[str, asyncio.Task[None]] = field(default_factory=dict)

    async def answer(self, question: Question) -> Answer:
        """Return the whole answer.

        Raises BlockedError, InvalidInputError, NotFoundError, ConfigurationError, StoreUnavailableError,
        OverloadedError, and ModelUnavailableError where only the model could answer.
        """
        return await self._answer(question, ignore)

    def stream(self, question: Question) -> AsyncGenerator[Event]:
        """Yield what is found, each sentence once it is checked, each citation, what guards found, and last the answer.

        Raises as `answer` does. Closing the stream cancels the work, down to the model server.
        """
        return events_of(lambda emit: self._answer(question, emit))

    async def aclose(self) -> None:
        """Wait for what is done after answers: first turns that are stored, summaries of long conversations."""
        await asyncio.gather(*self._background.values(), return_exceptions=True)

    async def _answer(self, question: Question, emit: Emit) -> Answer:
        session = question.conversation_id or uuid.uuid4().hex
        principal = question.caller.principal
        with self.tracer.span("query", session=session, user=principal) as trace:
            stages = Stages(self.tracer)
            guards = self.policies.guards(question.collection)
            if question.schema is not None:
                check_schema(question.schema)
            verdict, ahead = await self._admit(question, guards, stages)
            if verdict.restore:
                verdict = renumbered(verdict, repr(ahead.remembered))
            trace.set(inputs={"question": verdict.text, "collection": question.collection})

            values = escaped(verdict.restore) if question.schema is not None else verdict.restore

            def put_back(said: str) -> str:
                return self.restore(said, values)

            emit = RestoringEmit(emit, put_back) if verdict.restore else emit
            turn = await self._turn(replace(question, text=verdict.text), ahead.remembered, guards, stages, emit)
            answer = await self._cached_or_new(turn, ahead)
            answer = replace(answer, trace_id=trace.trace_id, conversation_id=session, timings=stages.timings())
            if question.history is None:
                said = [Message("user", turn.text), Message("assistant", answer.text)]
                storing = self._remember(session, principal, said)
                if question.conversation_id is None:
                    self._afterwards(storing, session)  # nobody can go on with it before this answer is out
                else:
                    await storing
                    self._afterwards(self.memory.summarise(session, principal, self.policy.history_tokens))
            trace.set(
                outputs={"answer": answer.text, "citations": [_brief(answer, c.marker) for c in answer.citations]},
                cache=answer.cache,
                abstained=answer.abstained,
                finish=answer.finish,
                mode=answer.mode,
                generation=answer.generation,
                prompt_version=self.prompts.version,
                policy_version=guards.version,
            )
            return restored(answer, put_back) if verdict.restore else answer

    async def _admit(self, question: Question, guards: Guards, stages: Stages) -> tuple[Verdict, _Ahead]:
        """Return the guard's verdict, and what was looked up meanwhile. The trace sees the question only after personal
        data was taken out. Raises BlockedError."""
        looking = asyncio.ensure_future(self._look_ahead(question, guards, stages))
        try:
            with stages("guard", inputs={"characters": len(question.text)}, policy=guards.version) as span:
                verdict = await guards.input.check(question.text)
                span.set(outputs={"text": verdict.text, "violations": [v.rule for v in verdict.violations]})
                if verdict.blocked:
                    raise BlockedError(verdict.violations)
            return verdict, await looking
        finally:
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)

    async def _look_ahead(self, question: Question, guards: Guards, stages: Stages) -> _Ahead:
        """Return what is remembered of the conversation, and what is cached for the first question of one: it stands
        alone, and mostly leaves the guard as it came."""
        readable = asyncio.ensure_future(self.retriever.readable(question.collection, question.caller))
        try:
            remembered = await self._recall(question)
            await self._prepare_model(question)
            if remembered != Remembered() or not self.cached.serves(question) or question.fresh:
                return _Ahead(remembered, await readable)
            turn = await self._turn(question, remembered, guards, stages, ignore)
            lookup = await self.cached.look_up(turn, self._recipe())
            return _Ahead(remembered, await readable, lookup)
        finally:
            readable.cancel()
            await asyncio.gather(readable, return_exceptions=True)

    async def _recall(self, question: Question) -> Remembered:
        if question.history is not None:
            return Remembered(question.history)
        if question.conversation_id is None:
            return Remembered()
        if (first_turn := self._background.get(question.conversation_id)) is not None:
            await asyncio.shield(first_turn)
        principal = question.caller.principal
        return await self.memory.recall(question.conversation_id, principal, self.policy.history_tokens)

    async def _turn(
        self, question: Question, remembered: Remembered, guards: Guards, stages: Stages, emit: Emit
    ) -> Turn:
        summary = (Message("system", remembered.summary),) if remembered.summary else ()
        history = (*summary, *remembered.messages)
        standalone = await self.condenser.condense(question.text, history)
        query = Query(
            text=standalone,
            collection=question.collection,
            caller=question.caller,
            top_k=question.top_k or self.policy.top_k,
            filters=question.filters,
            mode=self.policy.mode,
            context=self.context(question.text, standalone, history),
        )
        seen = () if standalone == question.text else history
        return Turn(question, question.text, query, seen, guards, stages, emit)

    async def _cached_or_new(self, turn: Turn, ahead: _Ahead) -> Answer:
        question, evidence = turn.question, Evidence(turn, self._retrieve, self._sources)
        if not (self.cached.serves(question) and ahead.readable.cached):
            return await self._new(turn, evidence, None)
        generation = ahead.readable.generation
        if question.fresh:
            key = self.cached.key(turn, self._recipe())
        else:
            as_it_came = ahead.lookup if ahead.lookup and ahead.lookup.query == turn.query else None
            lookup = as_it_came or await self.cached.look_up(turn, self._recipe())
            answer = await self.cached.find(lookup, turn, evidence, generation)
            if answer is not None:
                await self._release_again(turn, answer)
                return answer
            key = lookup.key

        async def make(emit: Emit) -> Answer:
            return await self._new(replace(turn, emit=emit), evidence, key)

        flight = f"{key.exact} {generation} {question.fresh}"
        answer, shared = await self._flights.run(flight, turn.emit, make)
        return replace(answer, cache="shared", usage=Usage()) if shared else answer

    async def _new(self, turn: Turn, evidence: Evidence, key: AnswerKey | None) -> Answer:
        """Make an answer, and keep it under the key."""
        question = turn.question
        admitted = self.admission.slot(priority=question.priority, patience_s=question.patience_s)
        async with admitted if question.mode is AnswerMode.GROUNDED else contextlib.nullcontext():
            draft = await self.writing.write(turn, await evidence.sources(), await evidence.get())
        answer = draft.answer("off" if key is None else "miss", (await evidence.get()).generation)
        if key is not None and draft.keeps:
            await self.cached.put(key, turn.query.text, answer, evidence)
        return answer

    async def _release_again(self, turn: Turn, answer: Answer) -> None:
        await turn.emit(Found(tuple(citation.hit for citation in answer.citations), answer.generation, cached=True))
        events: list[Event] = [*released_again(answer), *answer.citations, *answer.violations]
        for event in events:
            await turn.emit(event)

    async def _prepare_model(self, question: Question) -> None:
        try:
            if question.mode is AnswerMode.GROUNDED:
                await self.writing.model.prepare()
        except ModelUnavailableError as exc:
            _log.warning("the language model is away: %s", exc)  # what follows finds out for itself

    def _recipe(self) -> tuple[str, ...]:
        """Return whatever shapes every answer, for the cache key."""
        return (
            self.writing.model.name,
            self.prompts.version,
            repr(self.writing.limits),
            repr(self.policy),
            self.retriever.recipe,
        )

    async def _retrieve(self, turn: Turn) -> Retrieved:
        retrieved = await self.retriever.retrieve(turn.query)
        turn.stages.add(retrieved.timings)
        return retrieved

    def _sources(self, turn: Turn, retrieved: Retrieved) -> tuple[Hit, ...]:
        """Return the passages that an answer may rest on; none when they hardly answer the question."""
        quarantined = turn.guards.quarantined

        def is_evidence(hit: Hit) -> bool:
            close = hit.similarity is not None and hit.similarity >= self.policy.floor
            # What no reader can see may be there to mislead: it is found, but no answer rests on it.
            return close and not hit.chunk.hidden and quarantined.isdisjoint(hit.chunk.flags)

        evidence = [hit for hit in retrieved.hits if is_evidence(hit)]
        if not self.is_answerable(turn.query.text, evidence):
            return ()
        return tuple(evidence[: self.policy.prompt_sources])

    async def _remember(self, session: str, principal: str, said: Sequence[Message]) -> None:
        """Add a turn to the conversation. Its answer is out already, and is not lost when that fails."""
        try:
            await self.memory.append(session, principal, said)
        except StoreUnavailableError as exc:
            _log.warning("a turn is not remembered: %s", exc)

    def _afterwards(self, work: Coroutine[Any, Any, None], session: str = "") -> None:
        """Do what nobody waits for, but who goes on with the conversation `session`; what fails there is logged, and
        tried again after the next turn."""

        async def logged() -> None:
            try:
                await work
            except FootnoteError as exc:
                _log.warning("the conversation could not be summarised: %s", exc)

        key = session or uuid.uuid4().hex
        task = self._background[key] = asyncio.create_task(logged())
        task.add_done_callback(lambda _: self._background.pop(key, None))


@dataclass(frozen=True, slots=True)
class _Ahead:
    """What was looked up while the guard was checking: `lookup` is for the question as it came."""

    remembered: Remembered
    readable: Readable
    lookup: Lookup | None = None


def _brief(answer: Answer, marker: int) -> dict[str, object]:
    hit = next(citation.hit for citation in answer.citations if citation.marker == marker)
    return {"marker": marker, "source": hit.document.source, "page": hit.chunk.page}
