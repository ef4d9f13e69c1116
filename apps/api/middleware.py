"""Who may call and with how much, request ids, security headers and request metrics, as pure ASGI: Starlette's
BaseHTTPMiddleware slows streams."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from apps.api.errors import problem_response

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_SECURITY = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
}
_PAGE_POLICY = "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

_READING = {"GET", "HEAD", "OPTIONS", "TRACE"}
_METHODS = _READING | {"POST", "PUT", "PATCH", "DELETE", "CONNECT"}
_LOCAL_HOSTS = {"localhost", "127.0.0.1", "::1"}
_ANY_ADDRESS = {"0.0.0.0", "::"}  # what a server listens on, never a name by which it is called
_UPLOAD = re.compile(r"/v1/collections/[^/]+/documents/?")
_FILES_PER_UPLOAD = 10  # of the largest size; smaller ones may be more


class GateMiddleware:
    """Refuses calls by a foreign host name (DNS rebinding), writes from other sites, and bodies that are too large."""

    def __init__(self, app: ASGIApp, hosts: Iterable[str], max_upload_mb: int) -> None:
        self._app = app
        self._hosts = (_LOCAL_HOSTS | {_host_of(host) for host in hosts}) - _ANY_ADDRESS - {""}
        self._max_upload_mb = max_upload_mb

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on, or answer it with a problem."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit_mb = self._max_upload_mb * _FILES_PER_UPLOAD if _UPLOAD.fullmatch(scope["path"]) else 1
        try:
            self._check(scope, limit_mb)
        except HTTPException as exc:
            await problem_response(exc)(scope, receive, send)
        else:
            await self._app(scope, _limited(receive, limit_mb), send)

    def _check(self, scope: Scope, limit_mb: int) -> None:
        headers = Headers(scope=scope)
        host = _host_of(headers.get("host", ""))
        if host not in self._hosts:
            raise HTTPException(
                400, f"The host {host!r} is not one of this server's; FOOTNOTE_API__ALLOWED_HOSTS lists further ones."
            )
        origin = headers.get("origin")
        foreign = origin is not None and _host_of(origin.partition("://")[2]) != host
        if scope["method"] not in _READING and (foreign or headers.get("sec-fetch-site") == "cross-site"):
            raise HTTPException(
                403, "A page of another site may not change anything here; call from this server's own."
            )
        length = headers.get("content-length", "")
        if length.isdecimal() and int(length) > limit_mb << 20:
            raise _too_large(limit_mb)


class RequestMiddleware:
    """Wraps the application; `observe(route, method, status, seconds)` is called at the end of each response."""

    def __init__(self, app: ASGIApp, observe: Callable[[str, str, int, float], None]) -> None:
        self._app = app
        self._observe = observe

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = time.perf_counter(), 500
        asked = Headers(scope=scope).get("x-request-id", "")
        request_id = asked if _REQUEST_ID.fullmatch(asked) else uuid.uuid4().hex

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-ID"] = request_id
                for name, value in _SECURITY.items():
                    headers.setdefault(name, value)
                if headers.get("content-type", "").startswith("text/html"):
                    headers.setdefault("Cache-Control", "no-cache")  # a page names the assets of its own build
                if not scope["path"].startswith("/docs"):
                    headers.setdefault("Content-Security-Policy", _PAGE_POLICY)
            await send(message)

        try:
            await self._app(scope, receive, send_with_headers)
        finally:
            method = scope["method"] if scope["method"] in _METHODS else "OTHER"  # any word would be a new label
            self._observe(_route(scope), method, status, time.perf_counter() - started)


def _route(scope: dict[str, Any] | Scope) -> str:
    """The route's template, so that ids never become labels."""
    return str(getattr(scope.get("route"), "path", None) or "page")


def _host_of(address: str) -> str:
    """The host of "host", "host:port" or "[::1]:port"; empty when it is none."""
    bare = address if address.count(":") < 2 or address.startswith("[") else f"[{address}]"
    try:
        return urlsplit(f"//{bare}").hostname or ""
    except ValueError:
        return ""


def _limited(receive: Receive, limit_mb: int) -> Receive:
    """Return `receive`, which raises once more than the limit has come, whatever length was announced."""
    received = 0

    async def receive_limited() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > limit_mb << 20:
            raise _too_large(limit_mb)
        return message

    return receive_limited


def _too_large(limit_mb: int) -> HTTPException:
    advice = " Send fewer files at once; FOOTNOTE_API__MAX_UPLOAD_MB sets this." if limit_mb > 1 else ""
    return HTTPException(413, f"The request is over {limit_mb} MB.{advice}")
