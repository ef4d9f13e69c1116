"""An Answering on fakes and a real catalog, for tests of how a question becomes an answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from apps.answering import Answering, AnsweringPolicy
from apps.cached_answers import CachedAnswers
from apps.request_options import asked_schema, completed
from apps.turn import Turn
from apps.writing import Quoted, Writing, WritingLimits
from cache.memory_answer_cache import MemoryAnswerCache
from contracts import (
    Answer,
    Caller,
    ChatModel,
    GuardPolicies,
    Hit,
    Memory,
    Prompt,
    Question,
    Retriever,
    Tracer,
)
from observability.recording_tracer import RecordingTracer
from retrieval.questions.conversation_context import conversation_context
from retrieval.questions.followup_condenser import FollowupCondenser
from retrieval.sql_memory import SqlMemory
from serving.bounded_admission import BoundedAdmission
from serving.langchain_prompts import LangChainPromptBuilder
from serving.scripted_chat_model import ScriptedChatModel
from tests.library import ALICE, EMBEDDER, Shelf
from tests.searching import open_retriever
from validation.permissive_guards import FixedPolicies
from validation.personal_data.pii_placeholders import restore
from validation.sentences import SentenceStream

QUESTION = "when does the museum open"
HOURS = "the museum opens at nine"


def copy_first_source(prompt: Prompt) -> str:
    return f"{prompt.sources[0].chunk.text} [1]"


async def first_sentences(question: str, sources: Sequence[Hit]) -> tuple[Quoted, ...]:
    return tuple(Quoted(hit.chunk.text, marker) for marker, hit in enumerate(sources, start=1))[:1]


def scripted_answering(
    retriever: Retriever, memory: Memory, model: ChatModel, tracer: Tracer, policy: AnsweringPolicy | None = None
) -> Answering:
    """Return an Answering that lets everything pass and whose model says what it was told to."""
    prompts = LangChainPromptBuilder()

    async def lay_out(turn: Turn, sources: Sequence[Hit]) -> Prompt:
        options = turn.question.options
        schema = turn.question.schema or asked_schema(options)
        return completed(prompts.build(turn.text, sources, turn.history, schema=schema), options)

    answers = MemoryAnswerCache()
    return Answering(
        policies=FixedPolicies(),
        cached=CachedAnswers(answers, answers, EMBEDDER.embed),
        admission=BoundedAdmission(8, 8, 5.0),
        condenser=FollowupCondenser(),
        context=conversation_context,
        retriever=retriever,
        prompts=prompts,
        writing=Writing(
            model=model,
            prompt=lay_out,
            sentences=SentenceStream,
            is_refusal=lambda sentence: sentence.startswith("The sources do not say"),
            quotes=first_sentences,
        ),
        memory=memory,
        tracer=tracer,
        restore=restore,
        policy=policy or AnsweringPolicy(),
    )


class Desk:
    """An Answering with everything around it; `reply` is what the model says."""

    def __init__(self, folder: Path, reply: Callable[[Prompt], str] = copy_first_source) -> None:
        self.shelf = Shelf(folder)
        self.model = ScriptedChatModel(reply)
        self.tracer = RecordingTracer()
        self.answering = scripted_answering(
            open_retriever(self.shelf, tracer=self.tracer),
            SqlMemory(self.shelf.engine),
            self.model,
            self.tracer,
            AnsweringPolicy(top_k=4, prompt_sources=2, floor=0.2),
        )

    def guarded(self, policies: GuardPolicies) -> None:
        self.answering = replace(self.answering, policies=policies)

    def cached(self, **changes: Any) -> None:
        self.answering = replace(self.answering, cached=replace(self.answering.cached, **changes))

    def with_model(self, model: ChatModel) -> None:
        self.answering = replace(self.answering, writing=replace(self.answering.writing, model=model))

    def limited(self, limits: WritingLimits) -> None:
        self.answering = replace(self.answering, writing=replace(self.answering.writing, limits=limits))

    async def ask(self, text: str = QUESTION, caller: Caller = ALICE, conversation: str | None = None) -> Answer:
        return await self.answering.answer(Question(text, caller=caller, conversation_id=conversation))
