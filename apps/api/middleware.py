"""Request ids, security headers and request metrics, as pure ASGI: Starlette's BaseHTTPMiddleware slows streams."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_SECURITY = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
}
_PAGE_POLICY = "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"


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
            self._observe(_route(scope), scope["method"], status, time.perf_counter() - started)


def _route(scope: dict[str, Any] | Scope) -> str:
    """The route's template, so that ids never become labels."""
    return str(getattr(scope.get("route"), "path", None) or "page")
