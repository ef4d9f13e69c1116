"""Requests for the language model itself go to its server as they are, and come back as they are."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from apps.api.openai_stream import PassingOn
from serving.aiohttp_pass_through import AiohttpPassThrough
from serving.bounded_admission import BoundedAdmission
from serving.model_servers import ModelServer
from tests.unit.serving.fake_model_server import FakeModelServer, listening

pytestmark = pytest.mark.enable_socket

BODY = b'{ "model": "m",  "messages": [], "stream": true, "unknown": 1.50 }'


@pytest.fixture
async def server() -> AsyncIterator[FakeModelServer]:
    async with listening(FakeModelServer()) as made:
        yield made


async def passed(*servers: ModelServer, model: str = "m", admission: Any = None) -> httpx.Response:
    passing = AiohttpPassThrough(servers, lambda: "m")
    app = FastAPI()
    place = (admission or BoundedAdmission(1, 1, 0.1)).slot()
    app.post("/", response_model=None)(lambda: PassingOn(passing.send(model, BODY), place))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://here") as client:
        try:
            return await client.post("/")
        finally:
            await passing.close()


async def test_a_stream_comes_back_byte_for_byte(server: FakeModelServer) -> None:
    response = await passed(ModelServer("m", server.url))
    async with httpx.AsyncClient() as client:
        direct = await client.post(f"{server.url}/chat/completions", content=BODY)
    assert response.content == direct.content
    assert response.headers["content-type"] == direct.headers["content-type"]
    assert server.asked[0] == server.asked[1]


async def test_an_error_of_the_server_is_the_clients(server: FakeModelServer) -> None:
    server.refuses = 429
    response = await passed(ModelServer("m", server.url))
    assert (response.status_code, response.json()) == (429, {"error": {"message": "no"}})


async def test_the_next_server_of_the_model_is_asked_where_one_cannot_be_reached(server: FakeModelServer) -> None:
    away = ModelServer("m", "http://127.0.0.1:9/v1", connect_s=1)
    other = ModelServer("other", "http://127.0.0.1:9/v1")
    assert (await passed(other, away, ModelServer("", server.url))).status_code == 200
    response = await passed(away)
    assert (response.status_code, response.json()["error"]["code"]) == (503, "model_unavailable")


async def test_what_the_server_broke_off_has_no_end(server: FakeModelServer) -> None:
    server.breaks_after = 1
    passing = AiohttpPassThrough([ModelServer("m", server.url)], lambda: "")
    sent: list[Any] = []

    async def receive() -> Any:
        await asyncio.sleep(60)

    async def send(message: Any) -> None:
        sent.append(message)

    await PassingOn(passing.send("m", BODY), BoundedAdmission(1, 1, 1).slot())({"type": "http"}, receive, send)
    await passing.close()
    assert b"The " in sent[1]["body"]
    assert sent[-1]["more_body"]


async def test_a_client_that_leaves_stops_the_servers_work() -> None:
    async with listening(FakeModelServer(words=("word ",) * 10_000, pause_s=0.005)) as endless:
        passing = AiohttpPassThrough([ModelServer("m", endless.url)], lambda: "")
        begun = asyncio.Event()

        async def receive() -> Any:
            await begun.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.body":
                begun.set()

        admission = BoundedAdmission(1, 1, 1)
        async with asyncio.timeout(5):
            await PassingOn(passing.send("m", BODY), admission.slot())({"type": "http"}, receive, send)
            await endless.gone.wait()
        await passing.close()
        assert admission.running == 0


async def test_who_finds_no_place_is_told_so(server: FakeModelServer) -> None:
    admission = BoundedAdmission(1, 0, 0.1)
    async with admission.slot():
        response = await passed(ModelServer("m", server.url), admission=admission)
    assert response.status_code >= 429
    assert server.asked == []


def test_servers_of_another_protocol_are_not_passed_on_to() -> None:
    servers = [ModelServer("", "http://a/v1"), ModelServer("c", "http://b/v1", protocol="anthropic")]
    assert AiohttpPassThrough([*servers, ModelServer("d", "http://c/v1")], lambda: "m").models == ("m", "d")
