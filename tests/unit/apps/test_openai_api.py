"""The OpenAI-compatible routes as OpenAI's own client sees them, over a scripted model and a real catalog."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import openai
import pytest
import pytest_asyncio
from openai import AsyncOpenAI

from apps.sources import Source, local_file
from cache.memory_answer_cache import MemoryAnswerCache
from contracts import Prompt, Token, Verdict, Violation
from serving.scripted_chat_model import ScriptedChatModel
from tests.small_encoder import make_small_encoder
from tests.unit.apps.test_api import Api
from validation.permissive_guards import FixedPolicies

pytestmark = pytest.mark.asyncio(loop_scope="module")

HOURS = "The museum opens at nine."
ASKED: Any = [{"role": "user", "content": "When does the museum open?"}]
CALL = {"id": "c1", "type": "function", "function": {"name": "hours", "arguments": '{"day": "Monday"}'}}
TOOL: Any = {"type": "function", "function": {"name": "hours", "parameters": {"type": "object"}}}


class OpenAIApi(Api):
    """The application with `client` of OpenAI's, and a document in the collections `default` and `museums`."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.openai = AsyncOpenAI(api_key="any", base_url="http://127.0.0.1/v1", http_client=self.client, max_retries=0)

    def says(self, reply: Callable[[Prompt], str | Token]) -> None:
        self.model = ScriptedChatModel(reply)
        answering = self.running.answering
        self.running.answering = replace(answering, writing=replace(answering.writing, model=self.model))

    async def put(self, collection: str) -> None:
        path = self.settings.data_dir / "hours.txt"
        path.write_text(HOURS)
        done = await self.library.indexing.index(Source("hours.txt", local_file(path), collection=collection))
        assert done.document_id

    async def ask(self, messages: Any = ASKED, model: str = "footnote", **more: Any) -> Any:
        return await self.openai.chat.completions.create(model=model, messages=messages, **more)

    async def stream(self, **more: Any) -> list[Any]:
        return [chunk async for chunk in await self.ask(stream=True, **more)]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[OpenAIApi]:
    folder = tmp_path_factory.mktemp("api")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("FOOTNOTE_EMBEDDING__MODEL", str(make_small_encoder(folder / "encoder")))
        made = OpenAIApi(folder / "data")
    await made.put("default")
    await made.put("museums")
    async with made.client:
        yield made
    await made.library.aclose()


@pytest.fixture
def api(shared: OpenAIApi) -> Iterator[OpenAIApi]:
    before = shared.running.answering, shared.model
    answers = MemoryAnswerCache()
    cached = replace(before[0].cached, cache=answers, upkeep=answers)
    shared.running.answering = replace(before[0], cached=cached)
    yield shared
    shared.running.answering, shared.model = before


async def test_an_answer_has_its_citations_beside_it(api: OpenAIApi) -> None:
    answer = await api.ask()
    message = answer.choices[0].message
    assert (message.content, message.role, answer.choices[0].finish_reason) == (f"{HOURS} [1]", "assistant", "stop")
    (citation,) = message.citations
    assert (citation["marker"], citation["text"], citation["source"]) == (1, HOURS, "hours.txt")
    assert answer.footnote["grounded"] and not answer.footnote["abstained"]
    assert answer.footnote["trace_id"]
    assert answer.model == "footnote"
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens > 0


async def test_a_stream_is_the_same_answer_in_chunks(api: OpenAIApi) -> None:
    chunks = await api.stream(stream_options={"include_usage": True})
    deltas = [chunk.choices[0].delta for chunk in chunks if chunk.choices]
    assert deltas[0].role == "assistant"
    assert "".join(delta.content or "" for delta in deltas).strip() == f"{HOURS} [1]"
    last, usage = chunks[-2], chunks[-1]
    assert last.choices[0].finish_reason == "stop"
    assert last.citations[0]["text"] == HOURS
    assert last.footnote["finish"] == "complete"
    assert (usage.choices, usage.usage.completion_tokens) == ([], 6)
    assert len({chunk.id for chunk in chunks}) == 1
    assert all(chunk.usage is None for chunk in (await api.stream()))


async def test_the_end_of_a_stream_is_told(api: OpenAIApi) -> None:
    body = {"model": "footnote", "messages": ASKED, "stream": True}
    response = await api.client.post("/v1/chat/completions", json=body)
    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.text.endswith("data: [DONE]\n\n")


async def test_the_last_question_counts_and_what_was_said_before_is_the_history(api: OpenAIApi) -> None:
    said: Any = [
        {"role": "developer", "content": "Answer like a pirate."},
        {"role": "user", "content": "Which museum is there?"},
        {"role": "assistant", "content": "The museum of trams."},
        {"role": "user", "content": [{"type": "text", "text": "When does it open?"}]},
    ]
    await api.ask(said)
    system, *_, last = api.model.prompts[-1].messages
    assert system.content.endswith("Answer like a pirate.")
    assert "The museum of trams." in "".join(message.content for message in api.model.prompts[-1].messages)
    assert last.content.endswith("When does it open?")


async def test_nothing_is_remembered_of_a_conversation_that_the_client_keeps(api: OpenAIApi) -> None:
    await api.ask()
    assert (await api.client.get("/v1/conversations")).json()["conversations"] == []


async def test_options_reach_the_model(api: OpenAIApi) -> None:
    await api.ask(seed=5, stop=["END"], top_p=0.5, user="ann", extra_body={"top_k": 3, "footnote": {"top_k": 1}})
    assert api.model.prompts[-1].options == {"seed": 5, "stop": ["END"], "top_p": 0.5, "top_k": 3}


async def test_a_limit_that_cut_the_answer_off_is_told(api: OpenAIApi) -> None:
    assert (await api.ask(max_tokens=6)).choices[0].finish_reason == "length"


async def test_tools_are_called_and_what_they_return_reaches_the_model(api: OpenAIApi) -> None:
    api.says(lambda _: Token("", tool_calls=(CALL,)))
    choice = (await api.ask(tools=[TOOL])).choices[0]
    assert (choice.finish_reason, choice.message.content) == ("tool_calls", None)
    assert choice.message.tool_calls[0].function.arguments == '{"day": "Monday"}'
    chunks = await api.stream(tools=[TOOL])
    (called,) = [chunk.choices[0].delta.tool_calls for chunk in chunks if chunk.choices[0].delta.tool_calls]
    assert (called[0].index, called[0].id, called[0].function.name) == (0, "c1", "hours")
    assert chunks[-1].choices[0].finish_reason == "tool_calls"

    after = [choice.message.model_dump(exclude={"citations"}), {"role": "tool", "tool_call_id": "c1", "content": "9"}]
    api.says(lambda _: f"{HOURS} [1]")
    assert (await api.ask([*ASKED, *after], tools=[TOOL])).choices[0].message.content == f"{HOURS} [1]"
    sent = api.model.prompts[-1].options["messages"]
    assert [message["role"] for message in sent] == ["assistant", "tool"]
    assert sent[0]["tool_calls"][0]["id"] == "c1"


async def test_an_answer_of_a_fixed_form_is_that_or_a_refusal(api: OpenAIApi) -> None:
    api.says(lambda _: "nine ")
    fresh: Any = [{"role": "user", "content": "When does the museum open on Mondays?"}]
    fixed = {"extra_body": {"structured_outputs": {"choice": ["nine ", "ten"]}}}
    assert (await api.ask(**fixed)).choices[0].message.content == "nine "
    chunks = await api.stream(**fixed)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "nine "
    api.says(lambda _: "")
    refused = (await api.ask(fresh, **fixed)).choices[0].message
    assert refused.content is None
    assert refused.refusal
    chunks = await api.stream(messages=fresh, **fixed)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == ""
    assert "".join(chunk.choices[0].delta.refusal or "" for chunk in chunks) == refused.refusal


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"n": 2}, "n=2"),
        ({"logprobs": True}, "logprobs"),
        ({"messages": []}, "no question"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "text"),
        ({"messages": [{"role": "bard", "content": "x"}, *ASKED]}, "bard"),
        ({"extra_body": {"footnote": {"top_k": 0}}}, "footnote.top_k"),
    ],
)
async def test_what_cannot_be_served_is_a_clear_400(api: OpenAIApi, more: dict[str, Any], said: str) -> None:
    with pytest.raises(openai.BadRequestError, match=said) as failed:
        await api.ask(**more)
    assert failed.value.type == "invalid_request_error"
    assert set(failed.value.body) == {"message", "type", "param", "code"}  # type: ignore[arg-type]


async def test_a_question_that_a_guard_blocks_is_told_by_its_rule(api: OpenAIApi) -> None:
    class Blocking:
        async def check(self, question: str) -> Verdict:
            return Verdict("", blocked=True, violations=(Violation("prompt_injection", "an order"),))

    api.running.answering = replace(api.running.answering, policies=FixedPolicies(input=Blocking()))
    for streamed in (False, True):
        with pytest.raises(openai.BadRequestError) as failed:
            await api.ask(stream=streamed)
        assert failed.value.code == "content_filter"


async def test_models_are_those_that_a_request_may_name(api: OpenAIApi) -> None:
    listed = [model.id async for model in api.openai.models.list()]
    assert listed == ["footnote", "footnote/default", "footnote/museums"]
    assert (await api.openai.models.retrieve("footnote/museums")).id == "footnote/museums"
    assert (await api.ask(model="footnote/museums")).choices[0].message.content == f"{HOURS} [1]"


@pytest.mark.parametrize("model", ["gpt-4o", "footnote/", "footnote/none", "footnotes", ""])
@pytest.mark.parametrize("streamed", [False, True])
async def test_an_unknown_model_is_told_with_those_there_are(api: OpenAIApi, model: str, streamed: bool) -> None:
    with pytest.raises(openai.NotFoundError, match="footnote, footnote/default, footnote/museums") as failed:
        await api.ask(model=model, stream=streamed)
    assert failed.value.code == "model_not_found"


async def test_a_failure_in_mid_stream_is_told_in_the_stream(api: OpenAIApi) -> None:
    class Broken(ScriptedChatModel):
        async def stream(self, prompt: Prompt, *, max_tokens: int, temperature: float) -> AsyncGenerator[Token]:
            raise RuntimeError("a bug")
            yield Token("")

    api.says(lambda _: "")
    answering = api.running.answering
    broken = replace(answering.writing, model=Broken(lambda _: ""))
    api.running.answering = replace(answering, writing=broken)
    with pytest.raises(openai.APIError, match="Something went wrong"):
        await api.stream()


@pytest.mark.parametrize("given", ["The museum", ["The museum", "opens at nine"]])
async def test_embeddings_are_those_of_the_collection(api: OpenAIApi, given: Any) -> None:
    made = await api.openai.embeddings.create(model="footnote/museums", input=given)  # the client asks for base64
    plain = await api.openai.embeddings.create(model="footnote/museums", input=given, encoding_format="float")
    texts = [given] if isinstance(given, str) else given
    own = await api.library.open_embedder(api.settings.embedding.model).embed(texts)
    assert [entry.index for entry in made.data] == list(range(len(texts)))
    for one, other, vector in zip(made.data, plain.data, own, strict=True):
        np.testing.assert_allclose(one.embedding, vector, atol=1e-6)
        np.testing.assert_allclose(other.embedding, vector, atol=1e-6)
    assert made.usage.prompt_tokens > 0
    raw = {"model": "footnote", "input": given, "encoding_format": "base64"}
    first = (await api.client.post("/v1/embeddings", json=raw)).json()["data"][0]["embedding"]
    np.testing.assert_allclose(np.frombuffer(base64.b64decode(first), "<f4"), own[0], atol=1e-6)


async def test_embeddings_that_cannot_be_made_are_refused(api: OpenAIApi) -> None:
    with pytest.raises(openai.NotFoundError, match="footnote/museums"):
        await api.openai.embeddings.create(model="text-embedding-3-small", input="a")
    with pytest.raises(openai.BadRequestError, match="dimensions=3"):
        await api.openai.embeddings.create(model="footnote", input="a", dimensions=3)
    for empty in ("", [], ["a", " "]):
        with pytest.raises(openai.BadRequestError, match="input"):
            await api.openai.embeddings.create(model="footnote", input=empty)


async def test_a_client_that_leaves_stops_the_work(api: OpenAIApi) -> None:
    left = asyncio.Event()

    class Slow(ScriptedChatModel):
        async def stream(self, prompt: Prompt, *, max_tokens: int, temperature: float) -> AsyncGenerator[Token]:
            try:
                await asyncio.sleep(60)
                yield Token("")
            finally:
                left.set()

    answering = api.running.answering
    api.running.answering = replace(answering, writing=replace(answering.writing, model=Slow(lambda _: "")))
    app: Any = api.client._transport.app  # type: ignore[attr-defined]
    sent = [{"type": "http.request", "body": b'{"model":"footnote","messages":[{"role":"user","content":"When?"}]}'}]

    async def receive() -> Any:
        if sent:
            return sent.pop()
        await asyncio.sleep(0.5)
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        pass

    headers = [(b"host", b"127.0.0.1"), (b"content-type", b"application/json")]
    scope = {"type": "http", "method": "POST", "path": "/v1/chat/completions", "headers": headers, "query_string": b""}
    scope |= {"raw_path": b"/v1/chat/completions", "http_version": "1.1", "scheme": "http", "server": ("127.0.0.1", 80)}
    async with asyncio.timeout(10):
        await app(scope, receive, send)
        await left.wait()
