"""Counting by the server's own tokenizer, and a safe bound where there is none."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from contracts import Message, ModelUnavailableError, most_tokens
from serving.vllm_token_counter import VllmTokenCounter
from tests.unit.serving.fake_model_server import FakeModelServer, Handler, Reply, listening

pytestmark = pytest.mark.enable_socket

MESSAGES = [Message("system", "Be brief."), Message("user", "Où est la clé?")]


def vllm(path: str, body: dict[str, Any]) -> Reply:
    """Answer as vLLM does; a token is a word here."""
    if path == "/v1/models":
        return 200, {"data": [{"id": "other", "max_model_len": 99}, {"id": "m", "max_model_len": 2048}]}
    if path == "/tokenize":
        count = sum(len(message["content"].split()) for message in body["messages"]) + 5
        return 200, {"count": count, "max_model_len": 1024, "tokens": []}
    return 404, {"detail": "Not Found"}


@asynccontextmanager
async def counting(handler: Handler, model: str = "m") -> AsyncIterator[tuple[VllmTokenCounter, FakeModelServer]]:
    async with listening(FakeModelServer(handler=handler)) as server:
        counter = VllmTokenCounter(model, base_url=server.url, context_tokens=4096, api_key="key", timeout_s=2)
        try:
            yield counter, server
        finally:
            await counter.close()


async def test_the_server_counts_with_its_template_and_says_its_window() -> None:
    async with counting(vllm) as (counter, server):
        assert await counter.window() == 2048
        assert await counter.count(MESSAGES) == 11
    path, body = server.asked[-1]
    assert path == "/tokenize"
    assert body == {
        "model": "m",
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Où est la clé?"}],
        "add_generation_prompt": True,
    }


async def test_the_window_is_asked_for_once_and_follows_a_server_that_was_started_anew() -> None:
    async with counting(vllm) as (counter, server):
        assert [await counter.window(), await counter.window()] == [2048, 2048]
        assert [path for path, _ in server.asked] == ["/v1/models"]
        await counter.count(MESSAGES)
        assert await counter.window() == 1024


async def test_without_a_name_it_is_the_first_model_that_the_server_lists() -> None:
    async with counting(vllm, model="") as (counter, server):
        assert await counter.window() == 99
        await counter.count(MESSAGES)
    assert "model" not in server.asked[-1][1]


@pytest.mark.parametrize("reply", [(404, {"detail": "Not Found"}), (405, {}), (200, {"hello": 1}), (200, b"<html>")])
async def test_a_server_that_cannot_count_is_asked_once_and_the_bound_counts(reply: Reply) -> None:
    async with counting(lambda path, body: reply) as (counter, server):
        assert await counter.window() == 4096
        assert await counter.count(MESSAGES) == most_tokens(MESSAGES)
        assert await counter.count(MESSAGES) == most_tokens(MESSAGES)
    assert [path for path, _ in server.asked] == ["/v1/models", "/tokenize"]


async def test_a_server_in_trouble_is_no_server_that_cannot_count() -> None:
    async with counting(lambda path, body: (503, {})) as (counter, _):
        with pytest.raises(ModelUnavailableError, match=r"503.*FOOTNOTE_SERVING__BASE_URL"):
            await counter.count(MESSAGES)


async def test_a_server_that_is_away_is_named() -> None:
    counter = VllmTokenCounter("m", base_url="http://127.0.0.1:9/v1", context_tokens=4096)
    with pytest.raises(ModelUnavailableError, match=r"127\.0\.0\.1:9"):
        await counter.window()
    await counter.close()


async def test_where_another_model_can_answer_a_server_that_is_away_costs_only_exactness() -> None:
    counter = VllmTokenCounter("m", base_url="http://127.0.0.1:9/v1", context_tokens=4096, when_away="bound")
    assert await counter.window() == 4096
    assert await counter.count(MESSAGES) == most_tokens(MESSAGES)
    await counter.close()


def test_the_bound_counts_bytes() -> None:
    assert most_tokens([Message("user", "é" * 100)]) - most_tokens([Message("user", "")]) == 200
    assert most_tokens([Message("user", "\ud800")]) > 0
