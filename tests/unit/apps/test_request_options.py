"""Options of a request on their way to the model, and the answers that they shape."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from apps.request_options import completed
from contracts import (
    Answer,
    CheckedSentence,
    Hit,
    InvalidInputError,
    Message,
    ModelUnavailableError,
    Prompt,
    Question,
    Token,
    Violation,
)
from tests.answering_desk import HOURS, QUESTION, Desk
from tests.library import ALICE
from validation.permissive_guards import FixedPolicies, VerbatimOutputGuard

CALL = {"id": "c1", "type": "function", "function": {"name": "hours", "arguments": '{"day": "Monday"}'}}
TOOL = {"type": "function", "function": {"name": "hours", "parameters": {"type": "object"}}}
CHOICE = {"structured_outputs": {"choice": ["at nine ", "at ten"]}}


async def desk_of(folder: Path, reply: Any) -> Desk:
    desk = Desk(folder, reply)
    await desk.shelf.put("hours.md", HOURS)
    return desk


async def ask(desk: Desk, text: str = QUESTION, **options: Any) -> Answer:
    return await desk.answering.answer(Question(text, caller=ALICE, options=options))


class Unsure:
    """Finds no support for anything, and `word` in it."""

    def __init__(self, rule: str = "", action: Any = "drop", outcome: Any = "drop") -> None:
        self._found = Violation(rule, "found", action)
        self._outcome = outcome

    async def check(self, sentence: str, sources: Any, question: str = "") -> CheckedSentence:
        found = (Violation("supported", "no source says so", "drop"), *([self._found] if self._found.rule else []))
        return CheckedSentence(sentence, outcome=self._outcome, violations=found)


async def test_options_reach_the_model_as_they_are(tmp_path: Path) -> None:
    desk = await desk_of(tmp_path, lambda _: f"{HOURS} [1]")
    await ask(desk, seed=7, logit_bias={"5": -100})
    assert desk.model.prompts[-1].options == {"seed": 7, "logit_bias": {"5": -100}}


async def test_the_limit_of_the_request_goes_before_the_setting(tmp_path: Path) -> None:
    desk = await desk_of(tmp_path, lambda _: "the museum opens at nine on Mondays and at ten on Sundays")
    assert (await ask(desk, max_completion_tokens=3)).usage.completion_tokens == 3


def test_instructions_go_on_after_ours_and_what_came_later_after_the_question() -> None:
    told = [{"role": "system", "content": "Answer in French."}, {"role": "tool", "content": "9", "tool_call_id": "c1"}]
    prompt = Prompt((Message("system", "Ours."), Message("user", "When?")), "test-1", ())
    made = completed(prompt, {"seed": 1, "messages": told})
    assert made.messages == (Message("system", "Ours.\n\nAnswer in French."), Message("user", "When?"))
    assert made.options == {"seed": 1, "messages": told[1:]}
    bare = completed(Prompt((Message("user", "When?"),), "test-1", ()), {"messages": told[:1]})
    assert bare.messages[0] == Message("system", "Answer in French.")


async def test_an_answer_of_a_fixed_form_leaves_byte_for_byte(tmp_path: Path) -> None:
    desk = await desk_of(tmp_path, lambda _: "at nine ")
    answer = await ask(desk, **CHOICE)
    assert (answer.text, answer.grounded) == ("at nine ", True)


async def test_a_fixed_form_that_no_source_supports_is_marked_and_stays(tmp_path: Path) -> None:
    desk = await desk_of(tmp_path, lambda _: "at ten")
    desk.guarded(FixedPolicies(output=Unsure()))
    answer = await ask(desk, **CHOICE)
    assert (answer.text, answer.finish, answer.grounded) == ("at ten", "complete", False)
    assert [violation.action for violation in answer.violations] == ["flag"]


@pytest.mark.parametrize(
    ("rule", "action", "outcome", "finish"),
    [
        ("personal_data", "redact", "pass", "blocked"),
        ("secrets", "block", "block", "blocked"),
        ("banned_words", "drop", "drop", "abstained"),
    ],
)
async def test_a_fixed_form_that_would_have_to_change_does_not_leave(
    tmp_path: Path, rule: str, action: str, outcome: str, finish: str
) -> None:
    desk = await desk_of(tmp_path, lambda _: "at ten")
    desk.guarded(FixedPolicies(output=Unsure(rule, action, outcome)))
    answer = await ask(desk, **CHOICE)
    assert answer.finish == finish
    assert "at ten" not in answer.text


async def test_json_by_response_format_keeps_its_own_spaces(tmp_path: Path) -> None:
    written = '{"opens":   "nine",\n "rooms": [1, 2]}'
    schema = {"type": "object", "properties": {"opens": {"type": "string"}, "rooms": {"type": "array"}}}
    desk = await desk_of(tmp_path, lambda _: written)
    answer = await ask(desk, response_format={"type": "json_schema", "json_schema": {"name": "a", "schema": schema}})
    assert answer.text == written
    assert '"rooms"' in desk.model.prompts[-1].messages[-1].content  # the prompt shows the schema


async def test_each_value_of_json_is_checked(tmp_path: Path) -> None:
    class NoNine(VerbatimOutputGuard):
        async def check(self, sentence: str, sources: Any, question: str = "") -> CheckedSentence:
            if sentence == "nine":
                return CheckedSentence("", outcome="block", violations=(Violation("secrets", "found"),))
            return await super().check(sentence, sources, question)

    desk = await desk_of(tmp_path, lambda _: '{"a": ["ten", "nine"]}')
    desk.guarded(FixedPolicies(output=NoNine()))
    assert (await ask(desk, response_format={"type": "json_object"})).finish == "blocked"


async def test_calls_of_tools_end_the_answer(tmp_path: Path) -> None:
    desk = await desk_of(tmp_path, lambda _: Token(f"{HOURS} [1]", tool_calls=(CALL,)))
    answer = await ask(desk, tools=[TOOL])
    assert (answer.finish, answer.tool_calls, answer.text) == ("tool_calls", (CALL,), f"{HOURS} [1]")
    assert desk.model.prompts[-1].options["tools"] == [TOOL]
    assert (await ask(desk, tools=[TOOL])).cache == "miss"  # what a tool says may differ the next time


async def test_a_model_with_tools_is_asked_without_sources_too(tmp_path: Path) -> None:
    desk = await desk_of(tmp_path, lambda _: Token("", tool_calls=(CALL,)))
    answer = await ask(desk, "zebra crossing light", tools=[TOOL])
    assert (answer.finish, answer.text) == ("tool_calls", "")
    assert (await ask(desk, "zebra crossing light", tools=[TOOL], tool_choice="none")).abstained


async def test_a_call_that_hands_over_a_secret_is_blocked(tmp_path: Path) -> None:
    desk = await desk_of(tmp_path, lambda _: Token("", tool_calls=(CALL,)))
    desk.guarded(FixedPolicies(output=Unsure("secrets", "block", "block")))
    answer = await ask(desk, tools=[TOOL])
    assert (answer.finish, answer.tool_calls) == ("blocked", ())


async def test_what_was_said_before_a_call_never_ends_the_answer(tmp_path: Path) -> None:
    said = "The sources do not say. I cannot know. Let me look it up."
    desk = await desk_of(tmp_path, lambda _: Token(said, tool_calls=(CALL,)))
    desk.guarded(FixedPolicies(output=Unsure()))
    assert (await ask(desk, tools=[TOOL])).finish == "tool_calls"


async def test_what_another_model_wrote_is_not_kept(tmp_path: Path) -> None:
    desk = await desk_of(tmp_path, lambda _: Token(f"{HOURS} [1]", model="another"))
    assert (await ask(desk)).text
    assert (await ask(desk)).cache == "miss"
    own = await desk_of(tmp_path / "own", lambda _: Token(f"{HOURS} [1]", model="scripted"))
    await ask(own)
    assert (await ask(own)).cache == "exact"


class Away:
    name = "away"

    async def prepare(self) -> None:
        pass

    async def stream(self, prompt: Prompt, *, max_tokens: int, temperature: float) -> AsyncGenerator[Token]:
        for token in self.said():
            yield token
        raise ModelUnavailableError("all backends are away")

    def said(self) -> tuple[Token, ...]:
        return ()


async def test_only_the_model_can_answer_in_a_fixed_form(tmp_path: Path) -> None:
    desk = await desk_of(tmp_path, lambda _: "")
    desk.with_model(Away())
    assert (await ask(desk)).notice == "model_unavailable"
    with pytest.raises(ModelUnavailableError):
        await ask(desk, **CHOICE)


async def test_a_limit_beyond_the_window_is_the_clients_fault(tmp_path: Path) -> None:
    from apps.prompting import fitted_prompt
    from serving.bounded_token_counter import BoundedTokenCounter
    from serving.langchain_prompts import LangChainPromptBuilder

    sources: tuple[Hit, ...] = ()
    with pytest.raises(InvalidInputError, match="5000 tokens"):
        await fitted_prompt(
            LangChainPromptBuilder(),
            BoundedTokenCounter(4096),
            "When?",
            sources,
            (),
            max_tokens=5000,
            options={"max_tokens": 5000},
        )
