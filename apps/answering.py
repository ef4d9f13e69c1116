"""A question becomes a cited answer: guard, cache, retrieve, prompt, generate, guard, cite, store."""

from __future__ import annotations

import asyncio
import hashlib
import json
import uuid
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
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
    SearchMode,
    SentenceStream,
    Tracer,
    Usage,
    Wording,
)

_SENTENCE_ENDS = (".", "!", "?", "…", "。", "！", "？", "]")


@dataclass(frozen=True, slots=True)
class AnsweringPolicy:
    """How answers are made. `mode` says which views are searched, `floor` below which cosine similarity a passage is no
    evidence; `history` counts the messages a follow-up sees; `give_up_after` unsupported sentences in a row the model
    is stopped."""

    top_k: int = 8
    mode: SearchMode = SearchMode.HYBRID
    prompt_sources: int = 3
    floor: float = 0.25
    max_tokens: int = 160
    temperature: float = 0.0
    history: int = 6
    give_up_after: int = 2


@dataclass(frozen=True, slots=True)
class Answering:
    """The online use case over its ports. `context` says what a question that was condensed is searched for together
    with, from the conversation. `namespace` stands in cache keys for whatever else answers depend on: the
    catalog, so that others on the same Redis never meet, and settings of the adapters."""

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
    namespace: str = ""
    context: Callable[[str, str, Sequence[Message]], tuple[Wording, ...]] = lambda *_: ()

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
        session = question.conversation_id or uuid.uuid4().hex
        principal = question.caller.principal
        with self.tracer.span("query", session=session, user=principal) as trace:
            stages = Stages(self.tracer)
            text = await self._guarded(question.text, stages)
            trace.set(inputs={"question": text, "collection": question.collection})
            await self.model.prepare()
            history = await self.memory.recent(session, principal, self.policy.history)
            standalone = await self.condenser.condense(text, history)
            top_k = question.top_k or self.policy.top_k
            query = Query(
                text=standalone,
                collection=question.collection,
                caller=question.caller,
                top_k=top_k,
                filters=question.filters,
                mode=self.policy.mode,
                context=self.context(text, standalone, history),
            )
            turn = _Turn(text, query, () if standalone == text else history, stages, emit)
            answer = await self._cached_or_new(turn)
            answer = replace(answer, trace_id=trace.trace_id, conversation_id=session, timings=stages.timings())
            await self.memory.append(session, principal, [Message("user", text), Message("assistant", answer.text)])
            trace.set(
                outputs={"answer": answer.text, "citations": [_brief(c) for c in answer.citations]},
                cache=answer.cache,
                abstained=answer.abstained,
                generation=answer.generation,
            )
            return answer

    async def _guarded(self, text: str, stages: Stages) -> str:
        """Return the question as it may go on. The trace sees it only after personal data was taken out."""
        with stages("guard", inputs={"characters": len(text)}) as span:
            verdict = await self.input_guard.check(text)
            span.set(outputs={"text": verdict.text, "violations": [v.rule for v in verdict.violations]})
            if verdict.blocked:
                raise BlockedError(verdict.violations)
            return verdict.text

    async def _cached_or_new(self, turn: _Turn) -> Answer:
        key = self._cache_key(turn)
        answer, retrieved = await self._from_cache(key, turn) if self.cache_enabled else (None, None)
        if answer is not None:
            return answer
        retrieved = retrieved or await self._retrieve(turn)
        draft = await self._generate(turn, retrieved)
        answer = self._answer_of(draft, retrieved)
        silent = bool(draft.sources) and not draft.written.strip()  # the model may speak again
        if self.cache_enabled and not silent:
            await self.cache.put(key, self._entry(retrieved, answer))
        return answer

    def _cache_key(self, turn: _Turn) -> str:
        parts = (
            self.namespace,
            " ".join(turn.query.text.lower().split()),
            [message.content for message in turn.history],
            turn.query.collection,
            turn.query.caller.scope,
            repr((turn.query.filters, turn.query.context)),
            self.model.name,
            self.prompts.version,
            turn.query.top_k,
            repr(self.policy),
            self.retriever.recipe,
        )
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()

    async def _from_cache(self, key: str, turn: _Turn) -> tuple[Answer | None, Retrieved | None]:
        """Return the cached answer if its evidence still holds, else what was retrieved to find out, if anything."""
        with turn.stages("cache", inputs={"key": key}) as span:
            entry = await self.cache.get(key)
            span.set(outputs={"found": entry is not None})
            if entry is None:
                return None, None
            current = await self.retriever.generation(turn.query.collection, turn.query.caller)
            span.set(generation=current)
        answer = entry.answer
        if answer.generation != current:
            retrieved = await self._retrieve(turn)
            answer = replace(answer, generation=retrieved.generation)
            found = self._entry(retrieved, answer)
            if found.evidence != entry.evidence:
                await self.cache.drop(key)
                return None, retrieved
            await self.cache.put(key, found)
        answer = replace(answer, cache="exact", usage=Usage())
        await turn.emit(Found(tuple(citation.hit for citation in answer.citations), answer.generation, cached=True))
        await turn.emit(Released(answer.text))
        for citation in answer.citations:
            await turn.emit(citation)
        return answer, None

    def _entry(self, retrieved: Retrieved, answer: Answer) -> CachedAnswer:
        """Return what is cached: the answer with the chunks that it rests on, which are those of its prompt; a refusal
        names the closest ones too. The same text in another document, or under another title, is other evidence."""
        hits = retrieved.hits if answer.abstained else self._sources(retrieved)
        evidence = tuple(f"{hit.document.id} {hit.document.title} {hit.chunk.id}" for hit in hits)
        return CachedAnswer(answer, evidence, tuple(sorted({hit.document.id for hit in hits})))

    async def _retrieve(self, turn: _Turn) -> Retrieved:
        retrieved = await self.retriever.retrieve(turn.query)
        turn.stages.add(retrieved.timings)
        return retrieved

    def _sources(self, retrieved: Retrieved) -> tuple[Hit, ...]:
        # What no reader can see may be there to mislead: it is found, but no answer rests on it.
        evidence = [hit for hit in retrieved.hits if self._is_close(hit) and not hit.chunk.hidden]
        return tuple(evidence[: self.policy.prompt_sources])

    def _is_close(self, hit: Hit) -> bool:
        return hit.similarity is not None and hit.similarity >= self.policy.floor

    async def _generate(self, turn: _Turn, retrieved: Retrieved) -> Draft:
        sources = self._sources(retrieved)
        await turn.emit(Found(sources, retrieved.generation, cached=False))
        draft = Draft(sources, turn.emit)
        if sources:
            await self._write(self._prompt(turn, sources), turn, draft)
        if not draft.sentences:
            await draft.release(_abstention(turn.query.collection, retrieved.hits))
        return draft

    def _answer_of(self, draft: Draft, retrieved: Retrieved) -> Answer:
        return Answer(
            text=draft.text.strip(),
            citations=tuple(draft.citations.values()),
            grounded=bool(draft.sentences),
            abstained=not draft.sentences,
            cache="miss" if self.cache_enabled else "off",
            generation=retrieved.generation,
            trace_id="",
            usage=draft.usage,
        )

    def _prompt(self, turn: _Turn, sources: Sequence[Hit]) -> Prompt:
        with turn.stages("prompt", inputs={"question": turn.text, "history": len(turn.history)}) as span:
            prompt = self.prompts.build(turn.text, sources, turn.history)
            messages = [{"role": message.role, "content": message.content} for message in prompt.messages]
            span.set(outputs=messages, version=prompt.version)
            return prompt

    async def _write(self, prompt: Prompt, turn: _Turn, draft: Draft) -> None:
        """Stream the model's text into the draft, sentence by sentence, each one checked before it leaves."""
        unsupported, cut_off = 0, False
        stream = self.sentences()
        tokens = self.model.stream(prompt, max_tokens=self.policy.max_tokens, temperature=self.policy.temperature)
        with turn.stages("generate", model=self.model.name, inputs=[m.content for m in prompt.messages]) as span:
            async with aclosing(tokens):
                async for token in tokens:
                    draft.written += token.text
                    draft.usage, cut_off = token.usage or draft.usage, token.cut_off
                    for sentence in stream.feed(token.text):
                        kept = await self._check(sentence, turn, draft)
                        unsupported = 0 if kept else unsupported + 1
                    if unsupported >= self.policy.give_up_after:
                        break
                else:
                    for sentence in stream.flush():
                        # Half a sentence may say the opposite of the whole one.
                        if not cut_off or sentence.rstrip().endswith(_SENTENCE_ENDS):
                            await self._check(sentence, turn, draft)
            span.set(outputs=draft.written, usage=draft.usage)

    async def _check(self, sentence: str, turn: _Turn, draft: Draft) -> bool:
        """Release the sentence if it passes; return whether it did."""
        if not sentence.strip():
            return True
        with turn.stages("output_guard", inputs={"sentence": sentence}) as span:
            checked = await self.output_guard.check(sentence, draft.sources, turn.text)
            if checked is not None and draft.holds(checked):
                checked = None  # small models repeat themselves without end
            span.set(outputs=checked and {"text": checked.text, "markers": list(checked.markers)})
        if checked is not None:
            await draft.add(checked, sentence)
        return checked is not None


@dataclass(frozen=True, slots=True)
class _Turn:
    """One question on its way: `text` has passed the guard, `query` searches for what it means on its own, and
    `history` is what the model needs to see of the conversation, if anything."""

    text: str
    query: Query
    history: tuple[Message, ...]
    stages: Stages
    emit: Emit


def _brief(citation: Citation) -> dict[str, object]:
    return {"marker": citation.marker, "source": citation.hit.document.source, "page": citation.hit.chunk.page}


def _abstention(collection: str, hits: Sequence[Hit]) -> str:
    searched = f"I searched the collection “{collection}”"
    if not hits:
        return f"I found no answer to this in the documents. {searched} and found nothing related."
    titles = list(dict.fromkeys(hit.document.title for hit in hits))[:3]
    return f"I found no answer to this in the documents. {searched}; the closest passages were in {', '.join(titles)}."
