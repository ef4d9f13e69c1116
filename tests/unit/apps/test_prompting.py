"""A prompt fits the window by leaving out what is least needed, as little of it as possible."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from apps.prompting import fitted_prompt
from contracts import ConfigurationError, Hit, InvalidInputError, Message, Prompt, most_tokens
from serving.langchain_prompts import LangChainPromptBuilder
from tests.library import hit

BUILDER = LangChainPromptBuilder()
QUESTION = "When are quiet hours?"
SUMMARY = Message("system", "They spoke of huts. " * 3)
TURNS = [Message("user", "How many beds are there? " * 9), Message("assistant", "There are sixty. " * 9)] * 3


class WordCounter:
    """Port `TokenCounter`: a token is a word."""

    def __init__(self, window: int) -> None:
        self._window = window
        self.calls = 0

    async def window(self) -> int:
        return self._window

    async def count(self, messages: Sequence[Message]) -> int:
        self.calls += 1
        return words(messages)


def words(messages: Sequence[Message]) -> int:
    return sum(len(message.content.split()) for message in messages)


def sources(count: int, sentences: int = 10) -> list[Hit]:
    return [
        hit(f"s{n}", " ".join(f"Sentence {i} of source {n} speaks of huts." for i in range(sentences)))
        for n in range(count)
    ]


async def fitted(counter: WordCounter, found: Sequence[Hit], history: Sequence[Message] = (), room: int = 0) -> Prompt:
    return await fitted_prompt(BUILDER, counter, QUESTION, found, history, max_tokens=room)


async def test_a_prompt_that_is_sure_to_fit_is_not_counted() -> None:
    counter = WordCounter(100_000)
    prompt = await fitted(counter, sources(3), TURNS, room=160)
    assert prompt == BUILDER.build(QUESTION, sources(3), TURNS)
    assert counter.calls == 0


async def test_one_that_fits_by_the_exact_count_alone_stays_whole() -> None:
    whole = BUILDER.build(QUESTION, sources(3), TURNS)
    counter = WordCounter(words(whole.messages) + 160)
    assert most_tokens(whole.messages) > words(whole.messages)
    assert await fitted(counter, sources(3), TURNS, room=160) == whole
    assert counter.calls == 1


async def test_oldest_turns_go_first_and_whole() -> None:
    wanted = BUILDER.build(QUESTION, sources(3), [SUMMARY, *TURNS[2:]])
    prompt = await fitted(WordCounter(words(wanted.messages) + 3), sources(3), [SUMMARY, *TURNS])
    assert prompt == wanted


async def test_the_summary_goes_after_all_turns() -> None:
    wanted = BUILDER.build(QUESTION, sources(3), [SUMMARY])
    prompt = await fitted(WordCounter(words(wanted.messages)), sources(3), [SUMMARY, *TURNS])
    assert prompt == wanted


async def test_the_last_sources_go_after_the_history_and_markers_stay() -> None:
    wanted = BUILDER.build(QUESTION, sources(20)[:7], [])
    prompt = await fitted(WordCounter(words(wanted.messages) + 5), sources(20), [SUMMARY, *TURNS])
    assert prompt == wanted
    assert prompt.sources == tuple(sources(20)[:7])


@pytest.mark.parametrize("window", range(150, 1200, 70))
async def test_nothing_bigger_would_have_fitted(window: int) -> None:
    counter = WordCounter(window)
    prompt = await fitted(counter, sources(12), [SUMMARY, *TURNS], room=20)
    assert words(prompt.messages) <= window - 20
    kept = len(prompt.sources)
    if kept < 12:
        assert words(BUILDER.build(QUESTION, sources(12)[: kept + 1], []).messages) > window - 20
    assert counter.calls <= 12


async def test_the_last_source_is_cut_after_a_sentence_and_its_span_with_it() -> None:
    one = sources(1)[0]
    three = one.chunk.text[: one.chunk.text.index(" Sentence 3")]
    wanted = replace(one, chunk=replace(one.chunk, text=three, span=(0, len(three))))
    prompt = await fitted(WordCounter(words(BUILDER.build(QUESTION, [wanted], []).messages) + 2), sources(4), TURNS)
    assert prompt.sources == (wanted,)
    assert three in prompt.messages[-1].content


async def test_a_question_that_is_too_long_is_refused_with_numbers() -> None:
    with pytest.raises(InvalidInputError, match=r"takes \d+ tokens.* window of 60 holds 40 beside an answer of 20"):
        await fitted(WordCounter(60), sources(3), TURNS, room=20)


async def test_without_sources_there_is_nothing_to_shorten() -> None:
    prompt = await fitted(WordCounter(words(BUILDER.build(QUESTION, [], []).messages)), [], TURNS)
    assert prompt.sources == ()
    with pytest.raises(InvalidInputError):
        await fitted(WordCounter(20), [], TURNS)


async def test_an_answer_longer_than_the_window_is_a_matter_of_settings() -> None:
    with pytest.raises(ConfigurationError, match="FOOTNOTE_SERVING__MAX_TOKENS"):
        await fitted(WordCounter(100), sources(1), room=100)


async def test_json_is_fitted_too() -> None:
    schema = {"type": "object"}
    counter = WordCounter(160)
    prompt = await fitted_prompt(BUILDER, counter, QUESTION, sources(3), (), max_tokens=10, schema=schema)
    assert prompt.schema == schema
    assert words(prompt.messages) <= 150
