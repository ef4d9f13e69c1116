"""Conversations over HTTP: listed, searched, read, renamed, deleted, and those of others that do not exist."""

from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from apps.api.errors import handle_errors
from apps.api.routes import conversations
from contracts import Caller, Message
from retrieval.sql_conversation_list import SqlConversations
from retrieval.sql_memory import SqlMemory
from tests.library import open_engine

ME = Caller().principal
HERE = "/v1/conversations"


class Api:
    """The routes of conversations on a real database."""

    def __init__(self, folder: Path) -> None:
        self.engine = open_engine(folder)
        self.memory = SqlMemory(self.engine)
        app = FastAPI()
        app.state.running = SimpleNamespace(library=SimpleNamespace(conversations=SqlConversations(self.engine)))
        app.include_router(conversations.router)
        handle_errors(app)
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        self.client = httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1")

    async def tell(self, name: str, question: str, principal: str = ME) -> None:
        await self.memory.append(name, principal, [Message("user", question), Message("assistant", "At nine. [1]")])

    async def get(self, place: str = HERE, **params: Any) -> Any:
        response = await self.client.get(place, params=params)
        assert response.status_code == 200, response.text
        return response.json()


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    made = Api(tmp_path)
    async with made.client:
        yield made
    made.engine.dispose()


async def test_conversations_are_listed_page_by_page_the_last_used_first(api: Api) -> None:
    assert await api.get() == {"conversations": [], "next": None}
    for name in ("one", "two", "three"):
        await api.tell(name, f"When does number {name} open?")
    await api.tell("one", "And on Sundays?")
    first = await api.get(limit=2)
    assert [(c["id"], c["title"], c["messages"]) for c in first["conversations"]] == [
        ("one", "When does number one open?", 4),
        ("three", "When does number three open?", 2),
    ]
    assert first["conversations"][0]["created_at"] < first["conversations"][0]["updated_at"]
    second = await api.get(limit=2, after=first["next"])
    assert ([c["id"] for c in second["conversations"]], second["next"]) == (["two"], None)
    found = await api.get(query="on sundays")
    assert [c["id"] for c in found["conversations"]] == ["one"]


async def test_a_conversation_is_read_renamed_and_deleted(api: Api) -> None:
    await api.tell("one", "When does it open?")
    read = await api.get(f"{HERE}/one")
    assert [(m["role"], m["content"]) for m in read["messages"]] == [
        ("user", "When does it open?"),
        ("assistant", "At nine. [1]"),
    ]
    renamed = await api.client.patch(f"{HERE}/one", json={"title": "  Our visit "})
    assert renamed.json() == read | {"title": "Our visit"} == await api.get(f"{HERE}/one")
    assert (await api.client.delete(f"{HERE}/one")).status_code == 204
    assert (await api.client.get(f"{HERE}/one")).status_code == 404
    assert (await api.client.delete(f"{HERE}/one")).status_code == 404


@pytest.mark.parametrize("title", ["", "  ", "a\nb", "x" * 201, None, "\u0000"])
async def test_a_title_is_a_line(api: Api, title: str | None) -> None:
    await api.tell("one", "When does it open?")
    assert (await api.client.patch(f"{HERE}/one", json={"title": title})).status_code == 422
    assert (await api.get(f"{HERE}/one"))["title"] == "When does it open?"


async def test_a_conversation_of_another_does_not_exist(api: Api) -> None:
    await api.tell("theirs", "When does it open?", principal="bob")
    assert (await api.get())["conversations"] == []
    assert (await api.get(query="open"))["conversations"] == []
    for name in ("theirs", "nothing"):
        for method, place, body in (
            ("GET", f"{HERE}/{name}", None),
            ("PATCH", f"{HERE}/{name}", {"title": "Mine"}),
            ("DELETE", f"{HERE}/{name}", None),
            ("GET", f"{HERE}?after={name}", None),
        ):
            response = await api.client.request(method, place, json=body)
            assert (response.status_code, response.json()["detail"]) == (404, f"No conversation {name!r}.")
    theirs, _ = await SqlConversations(api.engine).read("theirs", "bob")
    assert theirs.title == "When does it open?"


@pytest.mark.parametrize(
    "place",
    [
        f"{HERE}?limit=0",
        f"{HERE}?limit=1001",
        f"{HERE}?after=%00",
        f"{HERE}?query=%00",
        f"{HERE}?query={'x' * 1001}",
        f"{HERE}/a%00b",
        f"{HERE}/{'x' * 65}",
    ],
)
async def test_what_cannot_be_is_refused(api: Api, place: str) -> None:
    assert (await api.client.get(place)).status_code == 422
