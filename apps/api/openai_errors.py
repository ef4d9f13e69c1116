"""Errors of the OpenAI-compatible routes, in OpenAI's form; `apps/api/errors.py` chooses what each comes to."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Any

from fastapi import Request, Response
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute

from apps.api.errors import problem_response
from contracts import BlockedError

_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "invalid_request_error",
    429: "rate_limit_error",
}
_CODES = {"blocked": "content_filter", "not-found": "model_not_found"}


class OpenAIRoute(APIRoute):
    """A route whose errors have OpenAI's form."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return what handles a request."""
        handle = super().get_route_handler()

        async def handled(request: Request) -> Response:
            try:
                return await handle(request)
            except Exception as exc:
                if isinstance(exc, BlockedError):
                    request.app.state.running.metrics.guard("input", "blocked")
                return error_response(exc)

        return handled


def error_response(exc: Exception) -> JSONResponse:
    """Return the response that tells of an exception."""
    problem = problem_response(exc)
    headers = {name: value for name, value in problem.headers.items() if not name.startswith("content-")}
    status = _status(problem.status_code)
    return JSONResponse(_error(json.loads(bytes(problem.body)), status), status, headers)


def error_body(exc: Exception) -> dict[str, Any]:
    """Return what tells of an exception in a stream."""
    problem = problem_response(exc)
    return _error(json.loads(bytes(problem.body)), _status(problem.status_code))


def _status(status: int) -> int:
    """Return OpenAI's status: it calls a body that cannot be understood a bad request."""
    return HTTPStatus.BAD_REQUEST if status == HTTPStatus.UNPROCESSABLE_ENTITY else status


def _error(problem: dict[str, Any], status: int) -> dict[str, Any]:
    kind = _TYPES.get(status, "server_error" if status >= 500 else "invalid_request_error")
    name = problem["type"]
    error = {
        "message": problem["detail"],
        "type": kind,
        "param": None,
        "code": _CODES.get(name, name.replace("-", "_")),
    }
    return {"error": error | ({"violations": problem["violations"]} if problem.get("violations") else {})}
