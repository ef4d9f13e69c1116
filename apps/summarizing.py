"""One whole document becomes a cited summary, or the answer to a question about it: read, write, check, cite."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace

from apps.draft import Draft, Emit, Event, Found, is_whole
from apps.event_streams import events_of, ignore
from apps.likely_passages import LikelyPassages, texts_once
from apps.personal_data import RestoringEmit, restored
from apps.stages import Stages
from apps.summary_sentences import SummarySentences
from contracts import (
    Answer,
    BlockedError,
    Caller,
    Chunk,
    Document,
    DocumentSummary,
    GuardPolicies,
    Guards,
    Hit,
    SentenceStream,
    Summarizer,
    Tracer,
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A document of which a summary is wanted, or an answer to a `question`, and by whom."""

    summary: DocumentSummary
    caller: Caller
    question: str = ""

    @property
    def document(self) -> Document:
        """The document itself."""
        return self.summary.document


@dataclass(frozen=True, slots=True)
class Summarizing:
    """The use case over its ports. `chunks` returns a document's passages, by collection and id; `is_refusal` knows a
    sentence that says only that the document does not say. Each sentence is checked against the `compared` passages
    that share most with it. `prompt_version` goes to the trace."""

    policies: GuardPolicies
    chunks: Callable[[str, str], Awaitable[tuple[Chunk, ...]]]
    summarizer: Summarizer
    sentences: Callable[[], SentenceStream]
    is_refusal: Callable[[str], bool]
    tracer: Tracer
    restore: Callable[[str, Mapping[str, str]], str] = lambda text, mapping: text
    prompt_version: str = ""
    compared: int = 5

    async def summarize(self, wanted: Wanted) -> Answer:
        """Return the whole answer; it abstains where none of its sentences is supported.

        Raises BlockedError, InvalidInputError, NotFoundError, ConfigurationError, StoreUnavailableError or
        ModelUnavailableError.
        """
        return await self._summarize(wanted, ignore)

    def stream(self, wanted: Wanted) -> AsyncGenerator[Event]:
        """Yield what the summary is made from, each sentence once it is checked, each citation, what guards found, and
        last the answer. Raises as `summarize` does; closing the stream cancels the work, down to the model server."""
        return events_of(lambda emit: self._summarize(wanted, emit))

    async def _summarize(self, wanted: Wanted, emit: Emit) -> Answer:
        document = wanted.document
        with self.tracer.span("summary", user=wanted.caller.principal, prompt_version=self.prompt_version) as trace:
            stages = Stages(self.tracer)
            guards = self.policies.guards(document.collection)
            question, mapping = await self._admitted(wanted.question, guards, stages)
            trace.set(inputs={"document": document.id, "question": question, "collection": document.collection})

            def put_back(said: str) -> str:
                return self.restore(said, mapping)

            emit = RestoringEmit(emit, put_back) if mapping else emit
            hits = await self._read(document, guards)
            await emit(Found((), wanted.summary.generation, cached=False))  # all of it: too much to tell
            draft = Draft((), emit)
            await self._write(question, hits, guards, stages, draft)
            if not draft.sentences and draft.finish != "blocked":
                draft.finish = "abstained"
                await draft.release(_refusal(document, question))
            answer = draft.answer("off", wanted.summary.generation)
            answer = replace(answer, trace_id=trace.trace_id, timings=stages.timings())
            trace.set(outputs={"answer": answer.text}, abstained=answer.abstained, finish=answer.finish)
            return restored(answer, put_back) if mapping else answer

    async def _admitted(self, question: str, guards: Guards, stages: Stages) -> tuple[str, Mapping[str, str]]:
        if not question.strip():
            return "", {}
        with stages("guard", inputs={"characters": len(question)}, policy=guards.version):
            verdict = await guards.input.check(question)
            if verdict.blocked:
                raise BlockedError(verdict.violations)
        return verdict.text, verdict.restore

    async def _read(self, document: Document, guards: Guards) -> tuple[Hit, ...]:
        """Return the passages that a summary may rest on, in reading order."""
        found = await self.chunks(document.collection, document.id)
        fit = [chunk for chunk in found if not chunk.hidden and guards.quarantined.isdisjoint(chunk.flags)]
        return tuple(Hit(chunk, document, 0.0) for chunk in fit)

    async def _write(self, question: str, hits: Sequence[Hit], guards: Guards, stages: Stages, draft: Draft) -> None:
        likely = LikelyPassages(hits)
        checking = SummarySentences(likely, guards, self.is_refusal, question, self.compared, stages, draft)
        stream, cut_off = self.sentences(), False
        with stages("generate", inputs={"passages": len(hits)}) as span:
            async with aclosing(self.summarizer.summarize(texts_once(hits), question)) as tokens:
                async for token in tokens:
                    cut_off = draft.take(token)
                    for sentence in stream.feed(token.text):
                        await checking.check(sentence)
                    if draft.finish != "complete":
                        break
                else:
                    for sentence in stream.flush():
                        if is_whole(sentence, cut_off=cut_off):
                            await checking.check(sentence)
            span.set(outputs=draft.written, usage=draft.usage)


def _refusal(document: Document, question: str) -> str:
    if question:
        return f"I found no answer to this in “{document.title}”."
    return f"I could not write a summary of “{document.title}” that its text supports."
