"""OpenAI's own client against the running product: answers from documents, and the language model itself."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import openai
import pytest
from openai import AsyncOpenAI

from tests.running_stack import RunningStack

pytestmark = pytest.mark.integration

MODEL = "smollm2-135m-instruct"
FOOTNOTE = "footnote/tramway"
ASKED: Any = [{"role": "user", "content": "When does the museum open?"}]
TEXT = """# Tram
The tram runs daily from six in the morning. A ticket costs two euros.

# Museum
The museum opens at nine. It is closed on Mondays. The museum has sixty rooms.
"""
SCHEMA = {
    "type": "object",
    "properties": {"opens": {"enum": ["at nine", "at ten"]}},
    "required": ["opens"],
    "additionalProperties": False,
}
TOOL: Any = {
    "type": "function",
    "function": {
        "name": "hours",
        "strict": True,  # the engine lets the model write no other arguments
        "parameters": {
            "type": "object",
            "properties": {"day": {"enum": ["Monday", "Sunday"]}},
            "required": ["day"],
            "additionalProperties": False,
        },
    },
}


@pytest.fixture(scope="module")
def stack(running: RunningStack, tmp_path_factory: pytest.TempPathFactory) -> RunningStack:
    path = tmp_path_factory.mktemp("documents") / "tramway.md"
    path.write_text(TEXT)
    done = running.footnote("ingest", str(path), "--collection", "tramway")
    assert done.returncode == 0, done.stderr
    return running


@pytest.fixture
async def client(stack: RunningStack) -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(api_key="any", base_url=f"{stack.api}/v1", max_retries=0, timeout=120) as made:
        yield made


async def ask(client: AsyncOpenAI, model: str = FOOTNOTE, **more: Any) -> Any:
    return await client.chat.completions.create(model=model, messages=more.pop("messages", ASKED), **more)


async def test_an_answer_cites_the_document_whole_and_streamed(client: AsyncOpenAI) -> None:
    answer = await ask(client)
    assert "nine" in answer.choices[0].message.content
    assert "The museum opens at nine." in answer.choices[0].message.citations[0]["text"]
    chunks = [chunk async for chunk in await ask(client, stream=True, stream_options={"include_usage": True})]
    streamed = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert streamed.strip() == answer.choices[0].message.content
    assert chunks[-2].footnote["finish"] == "complete"


async def test_models_are_listed(client: AsyncOpenAI) -> None:
    assert {"footnote", FOOTNOTE, MODEL} <= {model.id async for model in client.models.list()}


@pytest.mark.parametrize("model", [FOOTNOTE, MODEL])
async def test_a_form_that_the_client_fixes_holds(client: AsyncOpenAI, model: str) -> None:
    form: Any = {"type": "json_schema", "json_schema": {"name": "a", "schema": SCHEMA, "strict": True}}
    by_schema = (await ask(client, model, response_format=form, max_tokens=60)).choices[0].message.content
    assert json.loads(by_schema)["opens"] in ("at nine", "at ten")
    for constraint, pattern in (({"choice": ["nine", "ten"]}, "nine|ten"), ({"regex": "[0-9]:[0-9]{2}"}, r"\d:\d\d")):
        made = await ask(client, model, extra_body={"structured_outputs": constraint})
        assert re.fullmatch(pattern, made.choices[0].message.content)
    with pytest.raises(openai.APIStatusError):
        await ask(client, model, extra_body={"structured_outputs": {"regex": "(["}})


async def test_a_seed_makes_the_model_say_the_same(client: AsyncOpenAI) -> None:
    said = [
        (await ask(client, MODEL, seed=7, temperature=1.0, max_tokens=12)).choices[0].message.content for _ in range(2)
    ]
    assert said[0] == said[1]


@pytest.mark.parametrize("model", [FOOTNOTE, MODEL])
async def test_the_model_stops_where_it_is_told_to(client: AsyncOpenAI, model: str) -> None:
    made = await ask(client, model, stop=["nine"], max_tokens=30)
    assert "nine" not in made.choices[0].message.content


@pytest.mark.parametrize("model", [FOOTNOTE, MODEL])
async def test_a_named_tool_is_called(client: AsyncOpenAI, model: str) -> None:
    chosen: Any = {"type": "function", "function": {"name": "hours"}}
    made = await ask(client, model, tools=[TOOL], tool_choice=chosen, max_tokens=60)
    (call,) = made.choices[0].message.tool_calls
    assert call.function.name == "hours"
    assert json.loads(call.function.arguments)["day"] in ("Monday", "Sunday")


async def test_the_language_model_itself_comes_through_unharmed(stack: RunningStack) -> None:
    body = {"model": MODEL, "messages": ASKED, "max_tokens": 12, "temperature": 0, "logprobs": True, "stream": True}
    async with httpx.AsyncClient(timeout=120) as client:
        for asked in (body, {**body, "stream": False}, {**body, "max_tokens": -1}):
            there = await client.post(f"{stack.model}/chat/completions", json=asked)
            here = await client.post(f"{stack.api}/v1/chat/completions", json=asked)
            assert here.status_code == there.status_code
            assert here.headers["content-type"] == there.headers["content-type"]
            assert _told(here.text) == _told(there.text)


def _told(said: str) -> Any:
    """Return what a response says, without its id and time. How many tokens the engine puts into one event of a stream
    differs from time to time, so the tokens are put together; that each byte is handed on, unit tests show."""
    if not said.startswith("data:"):
        return re.sub(r'"(?:id|created)":("[^"]*"|\d+)', "", said)
    *events, done = [line.removeprefix("data: ") for line in said.splitlines() if line]
    chunks = [json.loads(event) for event in events]
    choices = [choice for chunk in chunks for choice in chunk["choices"]]
    text = "".join(choice["delta"].get("content") or "" for choice in choices)
    tokens = [token for choice in choices for token in (choice.get("logprobs") or {}).get("content") or ()]
    finished = [choice["finish_reason"] for choice in choices if choice["finish_reason"]]
    return text, tokens, finished, {(chunk["object"], chunk["model"]) for chunk in chunks}, done


async def test_a_client_that_leaves_stops_the_engine(stack: RunningStack) -> None:
    body = {"model": MODEL, "messages": ASKED, "max_tokens": 3000, "ignore_eos": True}
    async with httpx.AsyncClient(timeout=1.5) as client:
        for streamed in (True, False):
            with pytest.raises(httpx.TimeoutException):
                await _read_all(client, f"{stack.api}/v1/chat/completions", {**body, "stream": streamed})
            for _ in range(40):
                metrics = (await client.get(stack.model.removesuffix("/v1") + "/metrics", timeout=30)).text
                if not re.search(r"^vllm:num_requests_running\{.*\} [1-9]", metrics, re.M):
                    break
            else:
                pytest.fail("the engine goes on")


async def _read_all(client: httpx.AsyncClient, url: str, body: dict[str, Any]) -> None:
    try:
        async with asyncio.timeout(3), client.stream("POST", url, json=body) as response:
            async for _ in response.aiter_bytes():
                pass
    except TimeoutError as exc:
        raise httpx.ReadTimeout("we leave") from exc


async def test_embeddings_are_alike_where_texts_are(client: AsyncOpenAI) -> None:
    texts = ["The tram runs daily.", "Trams run every day.", "Zebras have stripes."]
    made = (await client.embeddings.create(model=FOOTNOTE, input=texts)).data
    near, far = (sum(a * b for a, b in zip(made[0].embedding, made[at].embedding, strict=True)) for at in (1, 2))
    assert near > far
