"""What is refused before any route: foreign hosts, writes from other sites, and bodies that are too large."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from apps.api.middleware import GateMiddleware, RequestMiddleware

UPLOAD = "/v1/collections/default/documents"
MEBIBYTE = b"x" * (1 << 20)


async def _size(request: Request) -> PlainTextResponse:
    return PlainTextResponse(str(len(await request.body())))


def client(*hosts: str, seen: list[str] | None = None) -> httpx.AsyncClient:
    """An application that answers with the size of the body, behind the gate, with uploads of 10 MB at most."""
    app = Starlette(routes=[Route("/{path:path}", _size, methods=["GET", "POST", "DELETE", "PROPFIND"])])
    app.add_middleware(GateMiddleware, hosts=hosts, max_upload_mb=1)
    app.add_middleware(
        RequestMiddleware, observe=lambda _route, method, *_: (seen if seen is not None else []).append(method)
    )
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1")


async def _in_pieces(count: int) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield MEBIBYTE
    yield b"x"


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1:8000", "[::1]:8000", "LOCALHOST:1", "10.0.0.5", "[fd00::1]:80", "api:8000"]
)
async def test_a_host_of_ours_is_served(host: str) -> None:
    async with client("10.0.0.5", "fd00::1", "api") as calls:
        assert (await calls.get("/", headers={"Host": host})).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example:8000", "0.0.0.0:8000", "[::]", "[::1", ""])
async def test_a_foreign_host_is_refused(host: str) -> None:
    async with client("0.0.0.0", "::") as calls:
        response = await calls.get("/", headers={"Host": host})
    assert (response.status_code, response.headers["content-type"]) == (400, "application/problem+json")
    assert "FOOTNOTE_API__ALLOWED_HOSTS" in response.json()["detail"]
    assert response.headers["x-request-id"]


@pytest.mark.parametrize(
    ("method", "headers", "status"),
    [
        ("POST", {}, 200),
        ("POST", {"Origin": "http://127.0.0.1:8000", "Sec-Fetch-Site": "same-origin"}, 200),
        ("POST", {"Origin": "http://evil.example"}, 403),
        ("POST", {"Origin": "null"}, 403),
        ("POST", {"Sec-Fetch-Site": "cross-site"}, 403),
        ("DELETE", {"Sec-Fetch-Site": "cross-site"}, 403),
        ("GET", {"Sec-Fetch-Site": "cross-site"}, 200),
    ],
)
async def test_another_site_may_read_a_link_but_not_write(method: str, headers: dict[str, str], status: int) -> None:
    async with client() as calls:
        response = await calls.request(method, "/", headers=headers)
    assert response.status_code == status


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/v1/query", MEBIBYTE, 200),
        ("/v1/query", MEBIBYTE + b"x", 413),
        ("/v1/query", _in_pieces(1), 413),
        (UPLOAD, MEBIBYTE * 10, 200),
        (UPLOAD, MEBIBYTE * 10 + b"x", 413),
        (UPLOAD, _in_pieces(10), 413),
        (f"{UPLOAD}/id", MEBIBYTE + b"x", 413),
    ],
)
async def test_a_body_over_the_limit_is_refused(path: str, body: Any, status: int) -> None:
    async with client() as calls:
        assert (await calls.post(path, content=body)).status_code == status


async def test_a_made_up_method_is_no_label() -> None:
    seen: list[str] = []
    async with client(seen=seen) as calls:
        await calls.request("PROPFIND", "/")
        await calls.get("/")
    assert seen == ["OTHER", "GET"]
