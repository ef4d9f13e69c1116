"""Prompts in a real MLflow: what its own client and its searches make of them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from mlflow import MlflowClient

from apps.prompt_registration import register_prompts
from contracts import Message, PromptText
from observability.mlflow_prompts import MlflowPromptRegistry
from observability.mlflow_tracer import MlflowTracer
from retrieval.questions.packaged_prompts import packaged_prompts
from serving.langchain_prompts import LangChainPromptBuilder
from tests.integration.test_mlflow_tracing import MlflowServer, eventually

pytestmark = [pytest.mark.integration, pytest.mark.enable_socket]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    server = MlflowServer(tmp_path_factory.mktemp("mlflow"))
    try:
        server.start()
        yield server.url
    finally:
        server.stop()
        server.early.close()


@pytest.fixture
def client(url: str) -> MlflowClient:
    return MlflowClient(url)


def chat(question: str, version: str = "grounded-1") -> PromptText:
    return PromptText(version, (Message("system", "Be brief."), Message("user", f"{{sources}}\n{question}")))


def numbers(client: MlflowClient, name: str) -> list[int]:
    return sorted(int(each.version) for each in client.search_prompt_versions(name))


async def test_a_chat_prompt_can_be_loaded_and_filled_with_mlflows_client(url: str, client: MlflowClient) -> None:
    assert await MlflowPromptRegistry(url).register({"chat": chat("Q: {question}")})
    found = client.load_prompt("prompts:/footnote-chat@production")
    assert not found.is_text_prompt
    assert found.variables == {"sources", "question"}
    assert found.tags["prompt_version"] == "grounded-1"
    assert found.format(sources="A", question="B?") == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "A\nQ: B?"},
    ]
    assert "footnote-chat" in [each.name for each in client.search_prompts()]


async def test_the_same_content_is_registered_once_and_another_is_a_version(url: str, client: MlflowClient) -> None:
    registry = MlflowPromptRegistry(url)
    for text in (chat("one"), chat("one"), chat("two", "grounded-2"), chat("two", "grounded-2"), chat("one")):
        assert await registry.register({"twice": text})
    assert numbers(client, "footnote-twice") == [1, 2, 3]
    current = client.load_prompt("prompts:/footnote-twice@production")
    assert (current.version, current.tags["prompt_version"]) == (3, "grounded-1")


async def test_another_version_of_the_same_text_is_only_another_tag(url: str, client: MlflowClient) -> None:
    registry = MlflowPromptRegistry(url)
    await registry.register({"tagged": chat("one", "grounded-1")})
    await registry.register({"tagged": chat("one", "grounded-2")})
    (version,) = client.search_prompt_versions("footnote-tagged")
    assert client.load_prompt("prompts:/footnote-tagged/1").tags["prompt_version"] == "grounded-2"
    assert int(version.version) == 1


async def test_processes_that_start_at_once_leave_one_version(url: str, client: MlflowClient) -> None:
    async def six_register(text: PromptText) -> list[bool]:
        each = [register_prompts(MlflowPromptRegistry(url), {"race": text}, pause_s=0.2) for _ in range(6)]
        return await asyncio.gather(*each)

    assert all(await six_register(chat("new")))
    assert numbers(client, "footnote-race") == [1]
    assert all(await six_register(chat("newer")))
    assert len(numbers(client, "footnote-race")) == 2
    kept = client.load_prompt("prompts:/footnote-race@production")
    assert kept.version == numbers(client, "footnote-race")[-1]


async def test_every_prompt_that_comes_with_footnote_can_be_registered(url: str, client: MlflowClient) -> None:
    prompts = {**LangChainPromptBuilder().texts, **packaged_prompts()}
    assert {"grounded", "json", "condense", "hyde", "multi_query"} <= set(prompts)
    assert await register_prompts(MlflowPromptRegistry(url), prompts)
    condense = client.load_prompt("prompts:/footnote-condense@production")
    assert condense.is_text_prompt
    assert condense.variables == {"conversation", "question"}


async def test_an_absent_server_costs_a_log_line(caplog: pytest.LogCaptureFixture) -> None:
    away = MlflowPromptRegistry("http://127.0.0.1:9", timeout_s=1)
    with caplog.at_level(logging.INFO, logger="observability"):
        assert not await register_prompts(away, {"chat": chat("x")}, attempts=2, pause_s=0)
    assert sum("not registered" in message for message in caplog.messages) == 2


def test_traces_are_found_by_the_version_of_their_prompt(url: str, client: MlflowClient, tmp_path: Path) -> None:
    tracer = MlflowTracer(url, "versions")
    for version in ("grounded-1", "grounded-2"):
        with tracer.span("query") as root, tracer.span("prompt", version=version):
            root.set(prompt_version=version)
    tracer.close()

    def found() -> list[str]:
        known = client.get_experiment_by_name("versions")
        if known is None:
            return []
        wanted = "tags.prompt_version = 'grounded-2'"
        traces = client.search_traces(locations=[known.experiment_id], filter_string=wanted)
        return [trace.info.tags["prompt_version"] for trace in traces]

    assert eventually(found) == ["grounded-2"]
