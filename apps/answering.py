"""A question becomes a cited answer: guard, cache, retrieve, prompt, generate, guard, cite, store."""

from __future__ import annotations

import asyncio
import hashlib
import json
import uuid
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, replace

import anyio

from apps.draft import Draft, Emit, Event, Found, Released
from apps.stages import Stages
from contracts import (
    Answer,
    AnswerCache,
    BlockedError,
    CachedAnswer,
    ChatModel,
    Citation,
    Condenser,
    Hit,
    InputGuard,
    Memory,
    Message,
    OutputGuard,
    Prompt,
    PromptBuilder,
    Query,
    Question,
    Retrieved,
    Retriever,
    SentenceStream,
    Tracer,
    Usage,
)


@dataclass(frozen=True, slots=True)
class AnsweringPolicy:
    """How answers are made. `floor` is the cosine similarity below which a passage is no evidence; `history` counts
    the messages a follow-up sees; `give_up_after` unsupported sentences in a row the model is stopped."""

    top_k: int = 8
    prompt_sources: int = 3
    floor: float = 0.25
    max_tokens: int = 160
    temperature: float = 0.0
    history: int = 4
    give_up_after: int = 2


@dataclass(frozen=True, slots=True)
class Answering:
    """The online use case over its ports."""

    input_guard: InputGuard
    cache: AnswerCache
    condenser: Condenser
    retriever: Retriever
    prompts: PromptBuilder
    model: ChatModel
    sentences: Callable[[], SentenceStream]
    output_guard: OutputGuard
    memory: Memory
    tracer: Tracer
    policy: AnsweringPolicy = AnsweringPolicy()
    cache_enabled: bool = True

    async def answer(self, question: Question) -> Answer:
        """Return the whole answer.

        Raises BlockedError, InvalidInputError, NotFoundError, ModelUnavailableError or StoreUnavailableError.
        """

        async def ignore(event: Event) -> None:
            pass

        return await self._answer(question, ignore)

    async def stream(self, question: Question) -> AsyncGenerator[Event]:
        """Yield what is found, each sentence once it is checked, each citation, and last the answer itself.

        Raises as `answer` does. Closing the stream cancels the work, down to the model server.
        """
        send, receive = anyio.create_memory_object_stream[Event](max_buffer_size=64)

        async def produce() -> None:
            async with send:
                await send.send(await self._answer(question, send.send))

        # A task of its own keeps the trace's context in one place, wherever the reader runs.
        producer = asyncio.create_task(produce())
        try:
            async with receive:
                async for event in receive:
                    yield event
            await producer
        finally:
            producer.cancel()
            await asyncio.gather(producer, return_exceptions=True)

    async def _answer(self, question: Question, emit: Emit) -> Answer:
        stages = Stages(self.tracer)
        session = question.conversation_id or uuid.uuid4().hex
        with self.tracer.span(
            "query",
            inputs={"question": question.text, "collection": question.collection},
            session=session,
            user=question.caller.principal,
        ) as trace:
            text = await self._guarded(question.text, stages)
            history = await self.memory.recent(session, question.caller.principal, self.policy.history)
            standalone = await self.condenser.condense(text, history)
            if standalone == text:
                history = ()
            key = self._cache_key(question, standalone, history)
            answer, retrieved = await self._from_cache(key, question, standalone, stages, emit)
            if answer is None:
                retrieved = retrieved or await self._retrieve(question, standalone, stages)
                sources = self._sources(retrieved)
                await emit(Found(sources, retrieved.generation, cached=False))
                answer = await self._generate(question, text, sources, retrieved, history, stages, emit)
                if self.cache_enabled:
                    await self.cache.put(key, CachedAnswer(answer, tuple(hit.chunk.id for hit in sources)))
            answer = replace(answer, trace_id=trace.trace_id, conversation_id=session, timings=stages.timings())
            await self.memory.append(
                session, question.caller.principal, [Message("user", text), Message("assistant", answer.text)]
            )
            trace.set(
                outputs={"answer": answer.text, "citations": [_brief(c) for c in answer.citations]},
                cache=answer.cache,
                abstained=answer.abstained,
                generation=answer.generation,
            )
            return answer

    async def _guarded(self, text: str, stages: Stages) -> str:
        with stages("guard", inputs={"question": text}) as span:
            verdict = await self.input_guard.check(text)
            span.set(outputs={"text": verdict.text, "violations": [v.rule for v in verdict.violations]})
            if verdict.blocked:
                raise BlockedError(verdict.violations)
            return verdict.text

    def _cache_key(self, question: Question, standalone: str, history: Sequence[Message]) -> str:
        parts = (
            " ".join(standalone.lower().split()),
            [message.content for message in history],
            question.collection,
            question.caller.scope,
            sorted(question.filters.items()),
            self.model.name,
            self.prompts.version,
            question.top_k or self.policy.top_k,
            repr(self.policy),
        )
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()

    async def _from_cache(
        self, key: str, question: Question, standalone: str, stages: Stages, emit: Emit
    ) -> tuple[Answer | None, Retrieved | None]:
        """Return the cached answer if its evidence still holds, else what was retrieved to find out, if anything."""
        if not self.cache_enabled:
            return None, None
        retrieved = None
        with stages("cache", inputs={"key": key}) as span:
            entry = await self.cache.get(key)
            current = await self.retriever.generation(question.collection) if entry else 0
            fresh = entry is not None and entry.answer.generation == current
            span.set(outputs={"found": entry is not None, "same_generation": fresh})
        if entry is not None and not fresh:
            retrieved = await self._retrieve(question, standalone, stages)
            if tuple(hit.chunk.id for hit in self._sources(retrieved)) == entry.evidence:
                entry = replace(entry, answer=replace(entry.answer, generation=retrieved.generation))
                await self.cache.put(key, entry)
            else:
                await self.cache.drop(key)
                entry = None
        if entry is None:
            return None, retrieved
        answer = replace(entry.answer, cache="exact", usage=Usage())
        await emit(Found(tuple(citation.hit for citation in answer.citations), answer.generation, cached=True))
        await emit(Released(answer.text))
        for citation in answer.citations:
            await emit(citation)
        return answer, None

    async def _retrieve(self, question: Question, standalone: str, stages: Stages) -> Retrieved:
        retrieved = await self.retriever.retrieve(
            Query(
                text=standalone,
                collection=question.collection,
                caller=question.caller,
                top_k=question.top_k or self.policy.top_k,
                filters=question.filters,
            )
        )
        stages.add(retrieved.timings)
        return retrieved

    def _sources(self, retrieved: Retrieved) -> tuple[Hit, ...]:
        evidence = [hit for hit in retrieved.hits if hit.score >= self.policy.floor]
        return tuple(evidence[: self.policy.prompt_sources])

    async def _generate(
        self,
        question: Question,
        text: str,
        sources: tuple[Hit, ...],
        retrieved: Retrieved,
        history: Sequence[Message],
        stages: Stages,
        emit: Emit,
    ) -> Answer:
        draft = Draft(sources, emit)
        usage = Usage()
        if sources:
            with stages("prompt", inputs={"question": text, "history": len(history)}) as span:
                prompt = self.prompts.build(text, sources, history)
                span.set(
                    outputs=[{"role": m.role, "content": m.content} for m in prompt.messages], version=prompt.version
                )
            usage = await self._write(prompt, text, draft, stages)
        if not draft.sentences:
            await draft.release(_abstention(question.collection, retrieved.hits))
        return Answer(
            text=draft.text.strip(),
            citations=tuple(draft.citations.values()),
            grounded=bool(draft.sentences),
            abstained=not draft.sentences,
            cache="miss" if self.cache_enabled else "off",
            generation=retrieved.generation,
            trace_id="",
            usage=usage,
        )

    async def _write(self, prompt: Prompt, question: str, draft: Draft, stages: Stages) -> Usage:
        """Stream the model's text into the draft, sentence by sentence, each one checked before it leaves."""
        usage, unsupported = Usage(), 0
        stream = self.sentences()
        with stages("generate", model=self.model.name, inputs=[m.content for m in prompt.messages]) as span:
            tokens = self.model.stream(prompt, max_tokens=self.policy.max_tokens, temperature=self.policy.temperature)
            written = []
            async for token in tokens:
                written.append(token.text)
                usage = token.usage or usage
                for sentence in stream.feed(token.text):
                    kept = await self._check(sentence, question, prompt.sources, draft, stages)
                    unsupported = 0 if kept else unsupported + 1
                if unsupported >= self.policy.give_up_after:
                    break
            else:
                for sentence in stream.flush():
                    await self._check(sentence, question, prompt.sources, draft, stages)
            span.set(outputs="".join(written), usage=usage)
        return usage

    async def _check(self, sentence: str, question: str, sources: Sequence[Hit], draft: Draft, stages: Stages) -> bool:
        if not sentence.strip():
            return True
        with stages("output_guard", inputs={"sentence": sentence}) as span:
            checked = await self.output_guard.check(sentence, sources, question)
            if checked is not None and draft.holds(checked):
                checked = None  # small models repeat themselves without end
            span.set(outputs=checked and {"text": checked.text, "markers": list(checked.markers)})
        if checked is None:
            return False
        await draft.add(checked, sentence)
        return True


def _brief(citation: Citation) -> dict[str, object]:
    return {"marker": citation.marker, "source": citation.hit.document.source, "page": citation.hit.chunk.page}


def _abstention(collection: str, hits: Sequence[Hit]) -> str:
    searched = f"I searched the collection “{collection}”"
    if not hits:
        return f"I found no answer to this in the documents. {searched} and found nothing related."
    titles = list(dict.fromkeys(hit.document.title for hit in hits))[:3]
    return f"I found no answer to this in the documents. {searched}; the closest passages were in {', '.join(titles)}."
