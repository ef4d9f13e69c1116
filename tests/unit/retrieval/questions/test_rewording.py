"""What of a model's answer is searched for besides the query."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from contracts import ModelUnavailableError, Prompt, Rewording, Token
from retrieval.questions.rewording import Hyde, MultiQuery, weighted
from serving.scripted_chat_model import ScriptedChatModel

QUERY = "How do I stop a door from squeaking?"


class Away(ScriptedChatModel):
    def __init__(self) -> None:
        super().__init__(lambda prompt: "")

    async def stream(self, prompt: Prompt, *, max_tokens: int, temperature: float) -> AsyncGenerator[Token]:
        for _ in prompt.messages:
            raise ModelUnavailableError("nobody answers")
        yield Token("")


class Slow(Away):
    async def stream(self, prompt: Prompt, *, max_tokens: int, temperature: float) -> AsyncGenerator[Token]:
        await asyncio.sleep(5)
        yield Token("too late to be of any use to anybody")


async def test_paraphrases_come_clean_and_once() -> None:
    said = (
        '1. "creaking hinge remedy"\n2) lubricate  noisy hinges\n\n- How do I stop a door from squeaking\n'
        "• Creaking hinge remedy!\nSearch: quiet a door\na fourth one\na fifth one"
    )
    found = await MultiQuery(ScriptedChatModel(lambda prompt: said)).reword(QUERY)
    assert found == Rewording(texts=("creaking hinge remedy", "lubricate  noisy hinges", "quiet a door"))


async def test_the_number_of_paraphrases_reaches_the_model() -> None:
    model = ScriptedChatModel(lambda prompt: "one\ntwo\nthree")
    found = await MultiQuery(model, count=2, prompt="{count} ways: {query}").reword(QUERY)
    assert model.prompts[0].messages[0].content == f"2 ways: {QUERY}"
    assert found.texts == ("one", "two")


async def test_an_imagined_passage_is_one_text() -> None:
    said = '"Oil the hinges of the door.\nA drop on each pin is enough."'
    found = await Hyde(ScriptedChatModel(lambda prompt: said)).reword(QUERY)
    assert found == Rewording(passages=("Oil the hinges of the door. A drop on each pin is enough.",))


@pytest.mark.parametrize("said", ["", "Yes.", QUERY, f"Search: {QUERY}"])
async def test_what_is_no_passage_is_not_searched_for(said: str) -> None:
    assert await Hyde(ScriptedChatModel(lambda prompt: said)).reword(QUERY) == Rewording()


@pytest.mark.parametrize("model", [Away(), Slow()], ids=["away", "slow"])
async def test_without_the_model_the_query_is_searched_for_alone(model: ScriptedChatModel) -> None:
    assert await MultiQuery(model, deadline_s=0.05).reword(QUERY) == Rewording()
    assert await Hyde(model, deadline_s=0.05).reword(QUERY) == Rewording()


def test_the_name_tells_apart_what_shapes_the_rewordings() -> None:
    one, other = (ScriptedChatModel(lambda prompt: "", name=name) for name in ("one", "other"))
    names = [
        MultiQuery(one).name,
        MultiQuery(other).name,
        MultiQuery(one, count=2).name,
        MultiQuery(one, prompt="{query}").name,
        Hyde(one).name,
        Hyde(one, prompt="{query}").name,
    ]
    assert len(set(names)) == len(names)


def test_paraphrases_share_a_small_weight_and_a_passage_counts_as_the_query() -> None:
    wordings = weighted(Rewording(texts=("a", "b", "c"), passages=("p",)))
    assert [each.text for each in wordings] == ["a", "b", "c", "p"]
    assert sum(each.weight for each in wordings[:3]) == pytest.approx(0.3)
    assert wordings[3].weight == 1
    assert weighted(Rewording()) == ()
