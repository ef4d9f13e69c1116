"""How answers end and by what they are made: quotes, a model that is away or breaks off, refusals, JSON, long talks."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from apps.draft import Event, Released
from cache.memory_answer_cache import NullAnswerCache
from contracts import Answer, AnswerKey, AnswerMode, Citation, ModelUnavailableError, Prompt, Question, Token
from tests.answering_desk import HOURS, QUESTION, Desk
from tests.library import ALICE
from validation.permissive_guards import FixedPolicies

SCHEMA = {
    "type": "object",
    "properties": {"opens": {"type": "string"}, "beds": {"type": "array", "items": {"type": "integer"}}},
    "required": ["opens"],
}


class BreakingModel:
    """Says its text, then breaks off."""

    name = "breaking"

    def __init__(self, said: str = "") -> None:
        self._said = said

    async def prepare(self) -> None:
        if not self._said:
            raise ModelUnavailableError("the model server is away")

    async def stream(self, prompt: Prompt, *, max_tokens: int, temperature: float) -> AsyncGenerator[Token]:
        for word in self._said.split():
            yield Token(f"{word} ")
        raise ModelUnavailableError("the model server is away")


async def events_of(desk: Desk, question: Question) -> list[Event]:
    return [event async for event in desk.answering.stream(question)]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


async def test_quotes_are_the_words_of_the_sources_and_need_no_model(desk: Desk) -> None:
    await desk.shelf.put("hours", HOURS)
    answer = await desk.answering.answer(Question(QUESTION, caller=ALICE, mode=AnswerMode.EXTRACTIVE))
    assert (answer.text, answer.mode, answer.notice) == (f"{HOURS} [1]", AnswerMode.EXTRACTIVE, "")
    assert [citation.attributed_by for citation in answer.citations] == ["quoted"]
    assert desk.model.prompts == []


async def test_the_mode_is_part_of_what_is_cached(desk: Desk) -> None:
    await desk.shelf.put("hours", HOURS)
    await desk.ask()
    quoted = Question(QUESTION, caller=ALICE, mode=AnswerMode.EXTRACTIVE)
    assert (await desk.answering.answer(quoted)).cache == "miss"
    assert (await desk.answering.answer(quoted)).cache == "exact"


async def test_a_model_that_is_away_gives_way_to_quotes_that_are_marked_and_not_cached(desk: Desk) -> None:
    desk.with_model(BreakingModel())
    await desk.shelf.put("hours", HOURS)
    for _ in range(2):
        answer = await desk.ask()
        assert (answer.mode, answer.notice) == (AnswerMode.EXTRACTIVE, "model_unavailable")
        assert (answer.cache, answer.finish, answer.grounded) == ("miss", "complete", True)
        assert answer.text == f"{HOURS} [1]"


async def test_a_model_that_breaks_off_leaves_what_was_checked(desk: Desk) -> None:
    desk.with_model(BreakingModel("It opens at nine [1]. It closes at five. And then the"))
    await desk.shelf.put("hours", HOURS)
    answer = await desk.ask()
    assert answer.text == "It opens at nine [1]. It closes at five."
    assert (answer.finish, answer.notice, answer.mode) == ("interrupted", "model_unavailable", AnswerMode.GROUNDED)
    assert (await desk.ask()).cache == "miss"
    events = await events_of(desk, Question(QUESTION, caller=ALICE))
    assert isinstance(events[-1], Answer)
    assert (events[-1].text, events[-1].finish) == (answer.text, "interrupted")


async def test_the_models_own_refusal_is_a_refusal(tmp_path: Path) -> None:
    desk = Desk(tmp_path, lambda _: "The sources do not say. They speak of the museum [1].")
    await desk.shelf.put("hours", HOURS)
    answer = await desk.ask()
    assert (answer.abstained, answer.finish, answer.citations) == (True, "abstained", ())
    assert "found no answer" in answer.text
    assert "speak of" not in answer.text


async def test_passages_that_hardly_answer_are_no_evidence(desk: Desk) -> None:
    desk.answering = replace(desk.answering, is_answerable=lambda question, hits: False)
    await desk.shelf.put("hours", HOURS)
    assert (await desk.ask()).abstained
    assert desk.model.prompts == []


@pytest.mark.parametrize(
    ("reply", "text"),
    [
        (lambda _: '{"opens": "the museum opens at nine"}', '{"opens": "the museum opens at nine"}'),
        (lambda _: '{"opens": "nine", "beds": [1, 2]}', '{"opens": "nine", "beds": [1, 2]}'),
    ],
)
async def test_an_answer_can_be_json_of_a_schema(tmp_path: Path, reply: Callable[[Prompt], str], text: str) -> None:
    desk = Desk(tmp_path, reply)
    await desk.shelf.put("hours", HOURS)
    events = await events_of(desk, Question(QUESTION, caller=ALICE, schema=SCHEMA))
    assert [event.text for event in events if isinstance(event, Released)] == [text]
    assert isinstance(events[-1], Answer)
    assert (events[-1].text, events[-1].finish) == (text, "complete")
    assert desk.model.prompts[0].schema == SCHEMA


@pytest.mark.parametrize("written", ["nine", '{"beds": []}', '{"opens": "nine", "beds": ["two"]}'])
async def test_a_server_that_does_not_keep_to_the_schema_is_told_of(tmp_path: Path, written: str) -> None:
    desk = Desk(tmp_path, lambda _: written)
    await desk.shelf.put("hours", HOURS)
    with pytest.raises(ModelUnavailableError, match="no JSON of the schema"):
        await desk.answering.answer(Question(QUESTION, caller=ALICE, schema=SCHEMA))


async def test_json_that_was_cut_off_is_no_answer(tmp_path: Path) -> None:
    desk = Desk(tmp_path, lambda _: '{"opens": "' + "nine " * 300)
    await desk.shelf.put("hours", HOURS)
    with pytest.raises(ModelUnavailableError, match="MAX_TOKENS"):
        await desk.answering.answer(Question(QUESTION, caller=ALICE, schema=SCHEMA))


async def test_sentences_tell_where_they_stand_and_what_they_cite(tmp_path: Path) -> None:
    desk = Desk(tmp_path, lambda _: "It opens at nine [1].  It closes at five.")
    await desk.shelf.put("hours", HOURS)
    answer = await desk.ask()
    assert [answer.text[slice(*sentence.span)] for sentence in answer.sentences] == [
        "It opens at nine [1].",
        "It closes at five.",
    ]
    assert [sentence.markers for sentence in answer.sentences] == [(1,), ()]


async def test_a_long_conversation_is_summarised_after_the_answer(desk: Desk) -> None:
    desk.answering = replace(desk.answering, policy=replace(desk.answering.policy, history_tokens=20))
    await desk.shelf.put("hours", HOURS)
    for _ in range(4):
        await desk.ask(conversation="long")
    await desk.answering.aclose()
    remembered = await desk.answering.memory.recall("long", ALICE.principal, 20)
    assert remembered.summary
    assert len(remembered.messages) < 8


async def test_what_guard_and_memory_need_is_looked_up_at_the_same_time(desk: Desk) -> None:
    await desk.shelf.put("hours", HOURS)
    looked_up = asyncio.Event()

    class PatientGuard:
        async def check(self, question: str) -> object:
            from contracts import Verdict

            await asyncio.wait_for(looked_up.wait(), 5)
            return Verdict(question)

    class TellingCache(NullAnswerCache):
        async def get(self, key: AnswerKey) -> None:
            looked_up.set()

    desk.cached(cache=TellingCache())
    desk.guarded(FixedPolicies(input=PatientGuard()))
    assert (await desk.ask()).text == f"{HOURS} [1]"


async def test_a_stream_cites_before_it_is_done(desk: Desk) -> None:
    await desk.shelf.put("hours", HOURS)
    events = await events_of(desk, Question(QUESTION, caller=ALICE))
    kinds = [type(event) for event in events]
    assert kinds.index(Citation) < kinds.index(Answer)
