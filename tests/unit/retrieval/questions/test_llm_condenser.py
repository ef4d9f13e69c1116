"""What of a model's answer is taken for the question, and when the rule is asked instead."""

import asyncio
from collections.abc import AsyncGenerator, Callable

import pytest

from contracts import Message, ModelUnavailableError, Prompt, Token
from retrieval.questions.llm_condenser import LlmCondenser
from serving.scripted_chat_model import ScriptedChatModel

HISTORY = (
    Message("user", "What does a packed lunch cost?"),
    Message("assistant", "A packed lunch costs 9.50 euros [1]. " + "It has bread, cheese and fruit. " * 20),
)
BY_RULE = "(by the rule)"


class Rule:
    async def condense(self, question: str, history: object) -> str:
        return BY_RULE


class Broken(ScriptedChatModel):
    """Says something, and then what `end` does."""

    def __init__(self, end: Callable[[], object]) -> None:
        super().__init__(lambda prompt: "")
        self._end = end

    async def stream(self, prompt: Prompt, *, max_tokens: int, temperature: float) -> AsyncGenerator[Token]:
        yield Token("What does")
        result = self._end()
        if asyncio.iscoroutine(result):
            await result


async def condense(said: str, question: str = "And for children?") -> str:
    return await LlmCondenser(ScriptedChatModel(lambda prompt: said), fallback=Rule()).condense(question, HISTORY)


@pytest.mark.parametrize(
    "said",
    [
        "What does a packed lunch cost for children?",
        '"What does a packed lunch cost for children?"',
        "Rewritten: What does a packed lunch cost for children?\n\nConversation:\nUser: what else",
        "  Question: What does a packed lunch cost for children?",
    ],
)
async def test_a_sound_question_is_taken(said: str) -> None:
    assert await condense(said) == "What does a packed lunch cost for children?"


@pytest.mark.parametrize(
    "said",
    [
        "",
        "\n\n",
        "Children pay half the price.",
        "What does a packed lunch cost?",
        "Who was the first emperor of Rome?",
        "What does a lunch cost " + "for children and more children " * 20 + "?",
        "Is a hydroelectric turbine for children available near Copenhagen station?",
    ],
    ids=["nothing", "blank", "an answer", "the question before", "another", "too long", "invented"],
)
async def test_nonsense_is_left_to_the_rule(said: str) -> None:
    assert await condense(said) == BY_RULE


async def test_a_question_that_is_only_repeated_stays_as_it_is() -> None:
    assert await condense("is there a lunch for children", "Is there  a lunch for children") == (
        "Is there  a lunch for children"
    )


async def test_what_is_no_question_need_not_become_one() -> None:
    assert await condense("packed lunch for children", "children") == "packed lunch for children"


async def test_other_languages_are_told_by_their_own_signs() -> None:
    model = ScriptedChatModel(lambda prompt: "儿童的午餐多少钱？")
    history = (Message("user", "午餐多少钱？"), Message("assistant", "九欧元"))
    assert await LlmCondenser(model, fallback=Rule()).condense("儿童的呢？", history) == "儿童的午餐多少钱？"


async def test_a_first_question_costs_no_call() -> None:
    model = ScriptedChatModel(lambda prompt: "anything")
    assert await LlmCondenser(model, fallback=Rule()).condense("And for children?", ()) == "And for children?"
    assert model.prompts == []


async def test_the_prompt_shows_the_conversation_shortened() -> None:
    model = ScriptedChatModel(lambda prompt: "")
    condenser = LlmCondenser(model, fallback=Rule(), prompt="{conversation}\n=> {question}")
    await condenser.condense("And for\nchildren?", HISTORY)
    (message,) = model.prompts[0].messages
    lines = message.content.splitlines()
    assert lines[0] == "User: What does a packed lunch cost?"
    assert lines[1].startswith("Assistant: A packed lunch costs 9.50 euros")
    assert len(lines[1]) < 250
    assert lines[2] == "=> And for children?"


async def test_a_summary_of_what_came_before_is_shown_first_and_its_words_are_known() -> None:
    model = ScriptedChatModel(lambda prompt: "Does the hydroelectric turbine cost less for children?")
    condenser = LlmCondenser(model, fallback=Rule(), prompt="{conversation}\n=> {question}")
    summary = Message("system", "Asked: What turns the\nhydroelectric turbine? Answered: Water, and it is less.")
    history = (summary, *HISTORY, *HISTORY, *HISTORY)
    assert await condenser.condense("And for children?", history) == (
        "Does the hydroelectric turbine cost less for children?"
    )
    assert await condenser.condense("And for children?", history[1:]) == BY_RULE
    first, *others = model.prompts[0].messages[0].content.splitlines()
    assert first == "Earlier: Asked: What turns the hydroelectric turbine? Answered: Water, and it is less."
    assert len(others) == 7


async def test_of_a_long_summary_the_end_is_shown_and_it_is_enough_alone() -> None:
    model = ScriptedChatModel(lambda prompt: "")
    condenser = LlmCondenser(model, fallback=Rule(), prompt="{conversation}\n=> {question}")
    await condenser.condense("Why?", (Message("system", "word " * 500 + "end"),))
    await condenser.condense("Why?", (Message("system", "字" * 5000),))
    shown = [prompt.messages[0].content.splitlines()[0] for prompt in model.prompts]
    assert shown[0].startswith("Earlier: …word word") and shown[0].endswith("word end")
    assert [len(line) < 620 for line in shown] == [True, True]
    assert shown[1] == f"Earlier: …{'字' * 600}"


def away() -> None:
    raise ModelUnavailableError("nobody answers")


@pytest.mark.parametrize("end", [away, lambda: asyncio.sleep(5)], ids=["away", "slow"])
async def test_without_the_model_the_rule_is_asked(end: Callable[[], object]) -> None:
    condenser = LlmCondenser(Broken(end), fallback=Rule(), deadline_s=0.05)
    assert await condenser.condense("And for children?", HISTORY) == BY_RULE
