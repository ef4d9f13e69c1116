"""A library that changes while it is asked: every answer is compared with what one made anew would say."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from apps.cached_answers import CachedAnswers
from contracts import (
    PUBLIC,
    Answer,
    AnswerCache,
    CacheUpkeep,
    Caller,
    CheckedSentence,
    Hit,
    NotFoundError,
    Prompt,
    Question,
    may_read,
)
from serving.langchain_prompts import LangChainPromptBuilder
from serving.scripted_chat_model import ScriptedChatModel
from tests.answering_desk import Desk
from tests.library import ALICE, BOB, EMBEDDER
from validation.permissive_guards import FixedPolicies, VerbatimOutputGuard

T = TypeVar("T")
Close = Callable[[], Coroutine[Any, Any, None]]
TEXTS = (
    "the museum opens at nine",
    "the museum opens at ten",
    "the tram to the museum leaves at eight",
    "soup costs four euros",
)
# Those in one row ask the same.
ROWS = (
    ("when does the museum open", "the museum opens when"),
    ("when does the tram to the museum leave", "the tram to the museum leaves when"),
    ("what does soup cost", "soup costs what"),
    ("zebra quagga", "quagga zebra okapi"),
)
names = st.sampled_from(("hours", "tram", "menu"))
texts = st.lists(st.sampled_from(TEXTS), min_size=1, max_size=2, unique=True).map("\n".join)
readers = st.sampled_from(((PUBLIC,), (PUBLIC,), ("alice",), ("staff",)))
callers = st.sampled_from((ALICE, BOB))
questions = st.sampled_from([question for row in ROWS for question in row])


def asks_the_same(question: str, other: str, similarity: float) -> bool:
    """Return whether the two stand in one row."""
    return any(question in row and other in row for row in ROWS)


class StampingGuard(VerbatimOutputGuard):
    """Lets out every sentence with the edition of the policy in it."""

    def __init__(self, edition: int) -> None:
        self._edition = edition

    async def check(self, sentence: str, sources: Sequence[Hit], question: str = "") -> CheckedSentence:
        checked = await super().check(sentence, sources, question)
        return replace(checked, text=f"{checked.text.strip()} p{self._edition}")


class ChangingLibrary(RuleBasedStateMachine):
    """Documents come, change and go; readers, guards, prompts and models change. `open_store` makes the cache that is
    tried, in the machine's own event loop, and says how to close it."""

    open_store: Callable[[], Coroutine[Any, Any, tuple[AnswerCache, CacheUpkeep, Close]]]
    hits = 0  # over all runs of one machine: a cache that never serves proves nothing

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.runner = self.stack.enter_context(asyncio.Runner())
        self.desk = Desk(Path(self.stack.enter_context(TemporaryDirectory())))
        self.there: dict[str, tuple[str, tuple[str, ...]]] = {}
        self.edition = 0

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    @initialize()
    def begin(self) -> None:
        self.cache, self.upkeep, self.close = self.do(type(self).open_store())
        kept = CachedAnswers(self.cache, self.upkeep, EMBEDDER.embed, asks_the_same)
        self.desk.answering = replace(self.desk.answering, cached=kept)
        self.do(self.desk.shelf.put("base", "the library is quiet"))
        self.change_model()

    @rule(name=names, text=texts, who=readers)
    def put(self, name: str, text: str, who: tuple[str, ...]) -> None:
        self.do(self.desk.shelf.put(name, text, readers=who))
        self.there[name] = (text, who)

    @rule(name=names, told=st.booleans())
    def delete(self, name: str, told: bool) -> None:
        """Delete a document; the cache may not hear of it, as when it is away just then."""
        self.do(self.desk.shelf.catalog.delete("default", [name]))
        self.there.pop(name, None)
        if told:
            self.do(self.cache.forget([name]))

    @rule(who=readers)
    def share_collection(self, who: tuple[str, ...]) -> None:
        self.do(self.desk.shelf.collections.share("default", who))

    @rule()
    def change_model(self) -> None:
        self.edition += 1
        edition = self.edition

        def say(prompt: Prompt) -> str:
            return " ".join(f"{hit.chunk.text} m{edition} [{n}]." for n, hit in enumerate(prompt.sources, 1))

        self.desk.with_model(ScriptedChatModel(say, name=f"model-{edition}"))

    @rule()
    def change_policy(self) -> None:
        self.edition += 1
        self.desk.guarded(FixedPolicies(output=StampingGuard(self.edition), version=f"policy-{self.edition}"))

    @rule(name=st.sampled_from(("grounded", "brief")))
    def change_prompt(self, name: str) -> None:
        self.desk.answering = replace(self.desk.answering, prompts=LangChainPromptBuilder(name))

    @rule(question=questions, caller=callers)
    def ask(self, question: str, caller: Caller) -> None:
        may_be = self.anew(question, caller)
        row = next(row for row in ROWS if question in row)
        for one in (question, *row):
            self.check(self.do(self.answer(one, caller)), caller, may_be)

    @rule(question=questions, caller=callers, name=names, text=texts, who=readers)
    def ask_while_it_changes(self, question: str, caller: Caller, name: str, text: str, who: tuple[str, ...]) -> None:
        before = self.anew(question, caller)

        async def both() -> Answer | None:
            asked = asyncio.gather(*(self.answer(question, caller) for _ in range(3)))
            await asyncio.sleep(0.001)
            await self.desk.shelf.put(name, text, readers=who)
            return (await asked)[0]

        answer = self.do(both())
        self.there[name] = (text, who)
        said = answer and answer.text
        assert said in before | self.anew(question, caller), (said, before)
        self.ask(question, caller)

    async def answer(self, question: str, caller: Caller, *, cached: bool = True) -> Answer | None:
        """Return the answer, or None where the collection is closed to the caller."""
        answering = self.desk.answering
        if not cached:
            answering = replace(answering, cached=replace(answering.cached, enabled=False))
        try:
            return await answering.answer(Question(question, caller=caller))
        except NotFoundError:
            return None

    def anew(self, question: str, caller: Caller) -> set[str | None]:
        """Return what answers to the question, or to another that asks the same, say without a cache."""
        row = next(row for row in ROWS if question in row)
        found = [self.do(self.answer(one, caller, cached=False)) for one in row]
        return {answer and answer.text for answer in found}

    def check(self, answer: Answer | None, caller: Caller, may_be: set[str | None]) -> None:
        assert (answer and answer.text) in may_be, (answer, may_be)
        if answer is None:
            return
        type(self).hits += answer.cache in ("exact", "semantic")
        for citation in answer.citations:
            document = citation.hit.document
            text, who = self.there.get(document.id, ("the library is quiet", (PUBLIC,)))
            assert citation.hit.chunk.text in text.splitlines(), (citation, self.there)
            assert may_read(caller.scope, who), (citation, self.there)

    def teardown(self) -> None:
        if hasattr(self, "close"):
            self.do(self.close())
        self.stack.close()
