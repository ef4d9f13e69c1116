"""From sources to sentences: the model writes, or the sources are quoted; each sentence is checked before it leaves."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace

from apps.constrained_answer import checked_calls, checked_whole
from apps.draft import Draft, Found, is_whole
from apps.json_answer import checked_json
from apps.refusal import refusal
from apps.request_options import answer_tokens, has_tools, is_constrained
from apps.turn import Turn
from contracts import (
    AnswerMode,
    ChatModel,
    CheckedSentence,
    Hit,
    ModelUnavailableError,
    Prompt,
    Retrieved,
    SentenceStream,
    Token,
)

MODEL_UNAVAILABLE = "model_unavailable"
_log = logging.getLogger(__name__)

LayOut = Callable[[Turn, Sequence[Hit]], Awaitable[Prompt]]


@dataclass(frozen=True, slots=True)
class Quoted:
    """A sentence of a source, as it stands there, and the source's marker."""

    text: str
    marker: int


@dataclass(frozen=True, slots=True)
class WritingLimits:
    """How long and how freely the model writes; after `give_up_after` unsupported sentences in a row it is stopped."""

    max_tokens: int = 160
    temperature: float = 0.0
    give_up_after: int = 2


@dataclass(frozen=True, slots=True)
class Writing:
    """Writes drafts. `prompt` lays out what the model is asked within its context, `is_refusal` knows a sentence that
    says only that the sources do not answer, `quotes` picks the sentences of the sources that do."""

    model: ChatModel
    prompt: LayOut
    sentences: Callable[[], SentenceStream]
    is_refusal: Callable[[str], bool]
    quotes: Callable[[str, Sequence[Hit]], Awaitable[Sequence[Quoted]]]
    limits: WritingLimits = WritingLimits()

    async def write(self, turn: Turn, sources: Sequence[Hit], retrieved: Retrieved) -> Draft:
        """Return the draft: by the model or of quotes, as was asked, of quotes too while the model is away, and a
        refusal where nothing supports an answer. A model that may call tools is asked without sources too. Raises
        ModelUnavailableError where only the model could answer."""
        await turn.emit(Found(tuple(sources), retrieved.generation, cached=False))
        draft = Draft(sources, turn.emit)
        question = turn.question
        if not sources and not has_tools(question.options):
            draft.finish = "abstained"
        elif question.mode is AnswerMode.EXTRACTIVE and question.schema is None:
            await self.by_quotes(turn, draft)
        else:
            await self._by_model_or_quotes(turn, draft)
        if not draft.sentences and draft.finish not in ("blocked", "tool_calls"):
            draft.finish = "abstained"
            await draft.release(refusal(turn.query.collection, retrieved.hits))
        return draft

    async def _by_model_or_quotes(self, turn: Turn, draft: Draft) -> None:
        try:
            await self.by_model(turn, draft)
        except ModelUnavailableError as exc:
            if turn.question.schema is not None or is_constrained(turn.question.options):
                raise
            _log.warning("the language model is away: %s", exc)
            draft.notice = MODEL_UNAVAILABLE
            if draft.sentences:
                draft.finish = "interrupted"
            elif draft.finish == "complete":
                await self.by_quotes(turn, draft)

    async def by_model(self, turn: Turn, draft: Draft) -> None:
        """Stream the model's text into the draft. Raises ModelUnavailableError, also in the middle."""
        prompt = await self._prompt(turn, draft.sources)
        draft.sources = prompt.sources  # those that fit
        draft.asked = self.model.name
        limits = self.limits
        most = answer_tokens(prompt.options, limits.max_tokens)
        tokens = self.model.stream(prompt, max_tokens=most, temperature=limits.temperature)
        with turn.stages("generate", model=self.model.name, inputs=[m.content for m in prompt.messages]) as span:
            try:
                async with aclosing(tokens):
                    await self._written(turn)(tokens, turn, draft)
                if draft.tool_calls and draft.finish == "complete":
                    await checked_calls(turn, draft)
            finally:
                span.set(outputs=draft.written, usage=draft.usage, answered_by=draft.written_by)

    def _written(self, turn: Turn) -> Callable[[AsyncGenerator[Token], Turn, Draft], Awaitable[None]]:
        if turn.question.schema is not None:
            return self._json
        return self._whole if is_constrained(turn.question.options) else self._sentences

    async def by_quotes(self, turn: Turn, draft: Draft) -> None:
        """Put the sentences of the sources into the draft that answer best."""
        draft.mode = AnswerMode.EXTRACTIVE
        with turn.stages("quote") as span:
            quotes = await self.quotes(turn.query.text, draft.sources)
            span.set(outputs=[{"text": quote.text, "marker": quote.marker} for quote in quotes])
        for quote in quotes:
            if draft.finish == "complete":
                await self._check(f"{quote.text} [{quote.marker}]", turn, draft, quoted=True)

    async def _prompt(self, turn: Turn, sources: Sequence[Hit]) -> Prompt:
        with turn.stages("prompt", inputs={"question": turn.text, "history": len(turn.history)}) as span:
            prompt = await self.prompt(turn, sources)
            messages = [{"role": message.role, "content": message.content} for message in prompt.messages]
            span.set(outputs=messages, version=prompt.version, sources=len(prompt.sources))
            return prompt

    async def _sentences(self, tokens: AsyncGenerator[Token], turn: Turn, draft: Draft) -> None:
        unsupported, cut_off = 0, False
        stream = self.sentences()
        patient = has_tools(turn.question.options)  # whatever is said before a call, the call is what matters
        async for token in tokens:
            cut_off = draft.take(token)
            for sentence in stream.feed(token.text):
                kept = await self._check(sentence, turn, draft)
                unsupported = 0 if kept else unsupported + 1
                if patient and draft.finish == "abstained":
                    draft.finish = "complete"
                if draft.finish != "complete":
                    return
            if unsupported >= self.limits.give_up_after and not patient:
                return
        for sentence in stream.flush():
            if draft.finish == "complete" and is_whole(sentence, cut_off=cut_off):
                await self._check(sentence, turn, draft)

    async def _json(self, tokens: AsyncGenerator[Token], turn: Turn, draft: Draft) -> None:
        cut_off = False
        async for token in tokens:
            cut_off = draft.take(token)
        with turn.stages("output_guard", inputs={"json": draft.written}):
            await checked_json(turn, draft, cut_off=cut_off)

    async def _whole(self, tokens: AsyncGenerator[Token], turn: Turn, draft: Draft) -> None:
        async for token in tokens:
            draft.take(token)
        with turn.stages("output_guard", inputs={"text": draft.written}):
            if draft.written:
                await checked_whole(turn, draft)

    async def _check(self, sentence: str, turn: Turn, draft: Draft, *, quoted: bool = False) -> bool:
        """Release the sentence if it passes; return whether it did."""
        if not sentence.strip():
            return True
        with turn.stages("output_guard", inputs={"sentence": sentence}) as span:
            checked = await turn.guards.output.check(sentence, draft.sources, turn.text)
            if checked.outcome in ("pass", "flag") and draft.holds(checked):
                checked = CheckedSentence("", outcome="drop")  # small models repeat themselves without end
            elif checked.outcome == "block":
                pass
            elif not quoted and not draft.sentences and self.is_refusal(sentence):
                # What would follow says what else the sources hold.
                checked = CheckedSentence("", outcome="abstain")
            elif quoted:
                checked = replace(checked, attributed_by="quoted")
            span.set(outputs={"text": checked.text, "markers": list(checked.markers), "outcome": checked.outcome})
        await draft.report(checked.violations)
        if checked.outcome in ("pass", "flag"):
            await draft.add(checked, sentence)
            return True
        if checked.outcome == "block":
            draft.finish = "blocked"
        elif checked.outcome == "abstain":
            draft.finish = "abstained"
        return False
