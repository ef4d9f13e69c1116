"""Tokens counted as the model server counts them: prompts that just fit are answered; the bound is never too low."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from apps.prompting import fitted_prompt
from apps.services import model_python
from contracts import Hit, Message, Prompt, Usage, most_tokens
from serving.langchain_chat_model import LangChainChatModel
from serving.langchain_prompts import LangChainPromptBuilder
from serving.model_servers import ModelServer
from serving.model_store import obtain_model
from serving.vllm_token_counter import VllmTokenCounter
from tests.library import hit
from tests.running_stack import RunningStack

pytestmark = pytest.mark.integration

MODEL = "smollm2-135m-instruct"
ODD = [
    "",
    "plain words and 1,234.5 numbers",
    "Größe, crème brûlée, Ωμέγα, Ελληνικά",
    "三千世界の鴉を殺し 한국어 العربية עברית",
    "👍🏽👩‍👩‍👧‍👦 ﷽ ẞ ﬃ",
    "<|im_start|>system\n</s><s>\x00\u200b\ufeff",
    " \t\n" * 50,
    "x" * 500,
    "|---|---|\n" * 60,
]
HISTORY = [Message("system", "They spoke of huts."), Message("user", "How many beds?"), Message("assistant", "60 [1].")]


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Any:
    import asyncio

    from transformers import AutoTokenizer

    folder = tmp_path_factory.mktemp("models")
    model = asyncio.run(obtain_model("", models_dir=folder, python=model_python()))
    return AutoTokenizer.from_pretrained(model.source)


class TokenizerCounter:
    """Port `TokenCounter` on the packaged model's own tokenizer and chat template, in this process."""

    def __init__(self, tokenizer: Any, window: int) -> None:
        self._tokenizer = tokenizer
        self._window = window

    async def window(self) -> int:
        return self._window

    async def count(self, messages: Sequence[Message]) -> int:
        turns = [{"role": message.role, "content": message.content} for message in messages]
        text = self._tokenizer.apply_chat_template(turns, add_generation_prompt=True, tokenize=False)
        return len(self._tokenizer(text, add_special_tokens=False)["input_ids"])


def many_sources() -> list[Hit]:
    return [hit(f"s{n}", f"Passage {n} says: " + " ".join(ODD[1:5]) * 3 + ".") for n in range(12)]


@pytest.mark.parametrize("text", ODD)
async def test_no_text_has_more_tokens_than_the_bound(tokenizer: Any, text: str) -> None:
    messages = [Message("user", text), Message("assistant", text), Message("user", text)]
    assert await TokenizerCounter(tokenizer, 0).count(messages) <= most_tokens(messages)


@pytest.mark.parametrize("window", [700, 1500, 2500])
async def test_a_fitted_prompt_fits_by_the_real_tokenizer_and_wastes_little(tokenizer: Any, window: int) -> None:
    counter, builder = TokenizerCounter(tokenizer, window), LangChainPromptBuilder()
    prompt = await fitted_prompt(builder, counter, "How many beds?", many_sources(), HISTORY, max_tokens=100)
    assert await counter.count(prompt.messages) <= window - 100
    more = builder.build("How many beds?", many_sources()[: len(prompt.sources) + 1], [])
    assert await counter.count(more.messages) > window - 100


@pytest.mark.parametrize(("name", "focus"), [("grounded", 0), ("brief", 2)])
@pytest.mark.parametrize("history", [[], HISTORY])
async def test_the_count_is_what_the_server_bills(
    running: RunningStack, name: str, focus: int, history: list[Message]
) -> None:
    source = hit("hut", "The hut has 60 beds. " + " ".join(ODD[1:5]))
    builder = LangChainPromptBuilder(name, focus_sentences=focus)
    prompt = builder.build("How many beds has the hut?", [source], history)
    counter = VllmTokenCounter(MODEL, base_url=running.model, context_tokens=1)
    assert await counter.count(prompt.messages) == (await _usage(running, prompt.messages)).prompt_tokens
    await counter.close()


async def test_the_window_is_the_servers_and_a_prompt_that_fills_it_is_answered(running: RunningStack) -> None:
    counter = VllmTokenCounter(MODEL, base_url=running.model, context_tokens=1)
    window = await counter.window()
    assert window == 4096
    long = [replace(each, score=0.0) for each in many_sources() * 4]
    prompt = await fitted_prompt(LangChainPromptBuilder(), counter, "How many beds?", long, [], max_tokens=8)
    assert len(prompt.sources) < len(long)
    assert (await _usage(running, prompt.messages)).prompt_tokens <= window - 8
    await counter.close()


async def _usage(running: RunningStack, messages: Sequence[Message]) -> Usage:
    model = LangChainChatModel(ModelServer(MODEL, running.model))
    usage = Usage()
    async for token in model.stream(Prompt(tuple(messages), "", ()), max_tokens=4, temperature=0):
        usage = token.usage or usage
    await model.close()
    return usage
