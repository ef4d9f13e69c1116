"""What a summary holds: by the rule, and of what a model says."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence

import pytest

from contracts import Message, ModelUnavailableError, Prompt, Token
from retrieval.questions.llm_summariser import LlmSummariser
from retrieval.questions.rule_summariser import RuleSummariser
from retrieval.questions.summarising import MOST_CHARS, newest
from serving.scripted_chat_model import ScriptedChatModel

TALK = (
    Message("user", "What does a packed\nlunch cost?"),
    Message("assistant", "A packed lunch costs 9.50 euros [1]. It has bread and cheese [2]."),
    Message("user", "When must it be ordered?"),
    Message("assistant", "It must be ordered by 18:00 on the evening before [3]."),
)
BY_RULE = (
    "Asked: What does a packed lunch cost? Answered: A packed lunch costs 9.50 euros.\n"
    "Asked: When must it be ordered? Answered: It must be ordered by 18:00 on the evening before."
)
SOUND = "A packed lunch costs 9.50 euros. It must be ordered by 18:00 on the evening before."


async def test_by_the_rule_each_turn_is_a_line() -> None:
    assert await RuleSummariser().summarise("", TALK) == BY_RULE
    assert await RuleSummariser().summarise("Asked: Who?", TALK[:2]) == f"Asked: Who?\n{BY_RULE.splitlines()[0]}"
    assert await RuleSummariser().summarise("", ()) == ""


async def test_turns_need_not_be_complete() -> None:
    said = [Message("assistant", "Good morning."), Message("user", "Well?"), Message("user", "Hello?")]
    assert await RuleSummariser().summarise("", said) == "Answered: Good morning.\nAsked: Well?\nAsked: Hello?"
    assert await RuleSummariser().summarise("", [Message("user", "Well?"), Message("assistant", " [1]")]) == (
        "Asked: Well?"
    )


async def test_the_rule_keeps_whole_lines_of_the_newest_turns() -> None:
    summary = ""
    for number in range(60):
        turn = [Message("user", f"Question {number} " + "word " * 100), Message("assistant", f"It is {number}.")]
        summary = await RuleSummariser().summarise(summary, turn)
        assert len(summary) <= MOST_CHARS
    lines = summary.splitlines()
    assert len(lines) >= 3
    assert [line.split()[2] for line in lines] == [str(number) for number in range(60 - len(lines), 60)]
    assert all(line.startswith("Asked: Question") and "… Answered: It is" in line for line in lines)


async def test_a_long_answer_without_spaces_is_cut() -> None:
    summary = await RuleSummariser().summarise("", [Message("user", "午" * 900), Message("assistant", "九" * 900)])
    assert summary == f"Asked: {'午' * 159}… Answered: {'九' * 239}…"


def test_of_a_long_paragraph_the_last_sentences_are_kept() -> None:
    paragraph = " ".join(f"This is sentence {number}." for number in range(100))
    kept = newest(paragraph)
    assert MOST_CHARS - 30 < len(kept) <= MOST_CHARS
    assert kept.startswith("This is sentence") and kept.endswith("sentence 99.")
    assert newest("x" * 5000) == "x" * MOST_CHARS
    assert newest("short") == "short"


class Rule:
    """Port `Summariser`: says what it was asked."""

    async def summarise(self, summary: str, messages: Sequence[Message]) -> str:
        return f"{summary}({len(messages)} by the rule)"


async def summarise(said: str, summary: str = "", messages: Sequence[Message] = TALK) -> str:
    return await LlmSummariser(ScriptedChatModel(lambda prompt: said), fallback=Rule()).summarise(summary, messages)


@pytest.mark.parametrize(
    "said",
    [
        SOUND,
        f"New notes: {SOUND}",
        f"\n{SOUND}\n\nConversation:\nUser: what else?",
        f"{SOUND} A packed lunch costs 9.50 euros. It must be",
        SOUND.replace(". ", ".\n"),
    ],
    ids=["as it is", "label", "goes on", "repeats itself and is cut off", "lines"],
)
async def test_a_sound_summary_is_taken(said: str) -> None:
    assert await summarise(said) == SOUND


@pytest.mark.parametrize(
    ("said", "summary"),
    [
        ("", ""),
        ("A packed lunch costs", ""),
        ("A packed lunch costs 8.50 euros.", ""),
        ("The emperor of Rome had seven horses and a palace.", ""),
        ("The hut has forty beds.", "The hut has forty beds."),
    ],
    ids=["nothing", "half a sentence", "another number", "invented", "only what was there before"],
)
async def test_nonsense_is_left_to_the_rule(said: str, summary: str) -> None:
    assert await summarise(said, summary) == f"{summary}(4 by the rule)"


async def test_a_summary_in_another_script_is_judged_by_its_own_signs() -> None:
    talk = (Message("user", "午餐多少钱？"), Message("assistant", "午餐九欧元。"))
    assert await summarise("午餐九欧元。", "", talk) == "午餐九欧元。"
    assert await summarise("罗马皇帝有马。", "", talk) == "(2 by the rule)"


async def test_the_prompt_shows_notes_and_conversation_and_long_messages_shortened() -> None:
    model = ScriptedChatModel(lambda prompt: "")
    summariser = LlmSummariser(model, fallback=Rule(), prompt="{count}|{summary}|{conversation}")
    await summariser.summarise("The hut has\nforty beds.", [TALK[0], Message("assistant", "long " * 1000)])
    await summariser.summarise("", TALK)
    first, second = (prompt.messages[0].content for prompt in model.prompts)
    assert first.startswith("8|The hut has forty beds.|User: What does a packed lunch cost?\nAssistant: long long")
    assert len(first) < 600
    assert second.startswith("8|none|User:")


async def test_of_a_very_long_conversation_the_model_sees_the_end() -> None:
    model = ScriptedChatModel(lambda prompt: SOUND)
    said = [Message("user", f"Question {number}?") for number in range(30)] + list(TALK)
    await LlmSummariser(model, fallback=Rule(), prompt="{summary}|{conversation}").summarise("Old.", said)
    shown = model.prompts[0].messages[0].content
    assert shown.startswith("Old.(22 by the rule)|User: Question 22?")


class Broken(ScriptedChatModel):
    """Does `end` instead of an answer."""

    def __init__(self, end: Callable[[], object]) -> None:
        super().__init__(lambda prompt: "")
        self._end = end

    async def stream(self, prompt: Prompt, *, max_tokens: int, temperature: float) -> AsyncGenerator[Token]:
        yield Token(SOUND)
        result = self._end()
        if asyncio.iscoroutine(result):
            await result


def away() -> None:
    raise ModelUnavailableError("nobody answers")


@pytest.mark.parametrize("end", [away, lambda: asyncio.sleep(5)], ids=["away", "slow"])
async def test_without_the_model_the_rule_is_asked(end: Callable[[], object]) -> None:
    summariser = LlmSummariser(Broken(end), fallback=Rule(), deadline_s=0.05)
    assert await summariser.summarise("", TALK) == "(4 by the rule)"
