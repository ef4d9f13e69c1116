"""What comes from the cache, and what never may."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from cache.memory_answer_cache import MemoryAnswerCache
from contracts import AnswerKey, CachedAnswer, Message, OverloadedError, Prompt, Question, Token, Usage
from serving.bounded_admission import BoundedAdmission
from tests.answering_desk import HOURS, QUESTION, Desk, copy_first_source
from tests.changing_library import ChangingLibrary, Close, asks_the_same
from tests.library import ALICE, BOB

OTHER = "the museum opens when"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    made = Desk(tmp_path)
    made.cached(agrees=asks_the_same)
    return made


async def open_memory() -> tuple[MemoryAnswerCache, MemoryAnswerCache, Close]:
    cache = MemoryAnswerCache()

    async def close() -> None:
        pass

    return cache, cache, close


class InMemory(ChangingLibrary):
    open_store = staticmethod(open_memory)


def test_no_answer_is_stale_or_seen_by_who_may_not_whatever_changes() -> None:
    run_state_machine_as_test(InMemory, settings=settings(max_examples=25, stateful_step_count=25, deadline=None))
    assert InMemory.hits > 20


async def test_another_question_that_asks_the_same_is_served(desk: Desk) -> None:
    await desk.shelf.put("hours", HOURS)
    first, second = await desk.ask(QUESTION), await desk.ask(OTHER)
    assert (first.cache, second.cache, second.text, second.usage) == ("miss", "semantic", first.text, Usage())
    assert (await desk.ask(OTHER)).cache == "exact"  # from now on
    stats = await desk.answering.cached.upkeep.stats()
    assert stats is not None
    assert (stats.exact, stats.semantic, stats.misses, stats.answers) == (1, 1, 1, 2)
    assert stats.saved_completion_tokens == 2 * first.usage.completion_tokens > 0


async def test_what_does_not_ask_the_same_is_not_served_however_near(desk: Desk) -> None:
    await desk.shelf.put("hours", HOURS)
    await desk.ask(QUESTION)
    assert (await desk.ask("when does the museum not open")).cache == "miss"
    desk.cached(agrees=None)
    assert (await desk.ask(OTHER)).cache == "miss"


async def test_answers_never_drift_from_one_question_to_the_next(desk: Desk) -> None:
    """What serves a second question is not found by the likeness of that one."""
    await desk.shelf.put("hours", HOURS)
    chain = {QUESTION: OTHER, OTHER: "when opens the museum"}
    desk.cached(agrees=lambda asked, kept, similarity: chain.get(kept) == asked)
    await desk.ask(QUESTION)
    assert (await desk.ask(OTHER)).cache == "semantic"
    assert (await desk.ask("when opens the museum")).cache == "miss"


async def test_a_similar_answer_whose_evidence_changed_is_not_served_and_stays_for_its_own_question(desk: Desk) -> None:
    await desk.shelf.put("hours", f"{HOURS}\nthe museum has two floors")
    await desk.ask(QUESTION)
    await desk.shelf.put("hours", "the museum opens at ten")
    changed = await desk.ask(OTHER)
    assert (changed.cache, changed.text) == ("miss", "the museum opens at ten [1]")
    stats = await desk.answering.cached.upkeep.stats()
    assert stats is not None
    assert stats.stale == 1


async def test_refusals_are_kept_for_a_shorter_time_and_serve_no_other_question(desk: Desk) -> None:
    kept: dict[str, tuple[int, bool]] = {}

    class Noting(MemoryAnswerCache):
        async def put(self, key: AnswerKey, entry: CachedAnswer, *, ttl_s: int, vector: object = None) -> None:
            kept[entry.question] = (ttl_s, vector is not None)

    desk.cached(cache=Noting(), ttl_s=1000, refusal_ttl_s=10)
    await desk.shelf.put("hours", HOURS)
    await desk.ask(QUESTION)
    await desk.ask("zebra quagga")
    assert kept == {QUESTION: (1000, True), "zebra quagga": (10, False)}


async def test_a_collection_may_be_left_out(desk: Desk) -> None:
    await desk.shelf.put("hours", HOURS)
    await desk.ask()
    await desk.shelf.collections.keep_answers("default", False)
    assert [(await desk.ask()).cache for _ in range(2)] == ["off", "off"]
    await desk.shelf.collections.keep_answers("default", True)
    assert (await desk.ask()).cache == "exact"


async def test_a_fresh_answer_takes_the_place_of_the_cached_one(desk: Desk) -> None:
    await desk.shelf.put("hours", HOURS)
    await desk.ask()
    desk.model._reply = lambda prompt: f"{HOURS} today [1]"
    fresh = await desk.answering.answer(Question(QUESTION, caller=ALICE, fresh=True))
    assert (fresh.cache, fresh.text) == ("miss", f"{HOURS} today [1]")
    assert (await desk.ask()).text == fresh.text


async def test_who_asks_for_chance_or_another_way_of_writing_gets_no_answer_of_another(desk: Desk) -> None:
    await desk.shelf.put("hours", HOURS)
    await desk.ask()

    async def ask(**options: object) -> str:
        return (await desk.answering.answer(Question(QUESTION, caller=ALICE, options=options))).cache

    assert await ask(temperature=0.7) == "off"
    assert [await ask(seed=1), await ask(seed=2), await ask(seed=1)] == ["miss", "miss", "exact"]


async def test_a_client_that_keeps_the_conversation_is_not_remembered(desk: Desk) -> None:
    await desk.shelf.put("hours", HOURS)
    history = (Message("user", QUESTION), Message("assistant", HOURS))
    asked = Question("and when does it close", caller=ALICE, conversation_id="mine", history=history)
    await desk.answering.answer(asked)
    assert any(HOURS in message.content for message in desk.model.prompts[-1].messages)
    assert not (await desk.answering.memory.recall("mine", ALICE.principal, 1000)).messages


class SlowModel:
    """Says its text when it may, and notes how often it was asked."""

    name = "slow"

    def __init__(self) -> None:
        self.asked = 0
        self.go_on = asyncio.Event()

    async def prepare(self) -> None:
        pass

    async def stream(self, prompt: Prompt, *, max_tokens: int, temperature: float) -> AsyncGenerator[Token]:
        self.asked += 1
        await self.go_on.wait()
        yield Token(copy_first_source(prompt))
        yield Token("", Usage(7, 3))


async def test_the_same_question_at_once_is_answered_once(desk: Desk) -> None:
    await desk.shelf.put("hours", HOURS)
    model = SlowModel()
    desk.with_model(model)
    asked = [asyncio.create_task(desk.ask()) for _ in range(5)]
    stranger = asyncio.create_task(desk.ask(caller=BOB))
    while model.asked < 2:
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)
    model.go_on.set()
    answers = await asyncio.gather(*asked)
    assert sorted(answer.cache for answer in answers) == ["miss", *["shared"] * 4]
    assert len({answer.text for answer in answers}) == 1
    assert len({answer.trace_id for answer in answers}) == len({answer.conversation_id for answer in answers}) == 5
    assert sum(answer.usage.completion_tokens for answer in answers) == 3
    assert (await stranger).cache == "miss"
    assert model.asked == 2


async def test_a_question_asked_after_a_change_does_not_join_one_from_before(desk: Desk) -> None:
    await desk.shelf.put("hours", HOURS)
    model = SlowModel()
    desk.with_model(model)
    before = asyncio.create_task(desk.ask())
    while not model.asked:
        await asyncio.sleep(0.01)
    await desk.shelf.put("hours", "the museum opens at ten")
    after = asyncio.create_task(desk.ask())
    while model.asked < 2:
        await asyncio.sleep(0.01)
    model.go_on.set()
    assert (await after).text == "the museum opens at ten [1]"
    await before
    assert (await desk.ask()).text == "the museum opens at ten [1]"


async def test_a_model_that_is_busy_refuses_and_cached_answers_and_quotes_go_on(desk: Desk) -> None:
    await desk.shelf.put("hours", HOURS)
    cached = await desk.ask()
    model = SlowModel()
    desk.with_model(model)
    desk.answering = replace(desk.answering, admission=BoundedAdmission(1, 0, 5.0))
    desk.cached(namespace="empty")
    inside = asyncio.create_task(desk.ask())
    while not model.asked:
        await asyncio.sleep(0.01)
    with pytest.raises(OverloadedError):
        await desk.ask("what costs soup at the museum")
    desk.cached(namespace="")
    desk.with_model(replace_name(model, "scripted"))
    assert (await desk.ask()).text == cached.text
    model.go_on.set()
    await inside


def replace_name(model: SlowModel, name: str) -> SlowModel:
    model.name = name
    return model
