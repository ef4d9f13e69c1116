"""Errors as RFC 9457 problems: the one place that chooses an HTTP status."""

from __future__ import annotations

import logging
import math
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from apps.api.schemas import Problem
from contracts import (
    BlockedError,
    ConfigurationError,
    ConflictError,
    FootnoteError,
    InvalidInputError,
    ModelUnavailableError,
    NotFoundError,
    OverloadedError,
    ParseError,
    QueueFullError,
    RateLimitedError,
    StaleEmbedderError,
    StoreUnavailableError,
)

_log = logging.getLogger(__name__)

_STATUS: dict[type[FootnoteError], tuple[HTTPStatus, str]] = {
    InvalidInputError: (HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-input"),
    BlockedError: (HTTPStatus.UNPROCESSABLE_ENTITY, "blocked"),
    ParseError: (HTTPStatus.UNPROCESSABLE_ENTITY, "unreadable-document"),
    NotFoundError: (HTTPStatus.NOT_FOUND, "not-found"),
    ConflictError: (HTTPStatus.CONFLICT, "conflict"),
    QueueFullError: (HTTPStatus.TOO_MANY_REQUESTS, "queue-full"),
    RateLimitedError: (HTTPStatus.TOO_MANY_REQUESTS, "rate-limited"),
    OverloadedError: (HTTPStatus.SERVICE_UNAVAILABLE, "overloaded"),
    ConfigurationError: (HTTPStatus.SERVICE_UNAVAILABLE, "misconfigured"),
    ModelUnavailableError: (HTTPStatus.SERVICE_UNAVAILABLE, "model-unavailable"),
    StaleEmbedderError: (HTTPStatus.SERVICE_UNAVAILABLE, "embedder-switched"),
    StoreUnavailableError: (HTTPStatus.SERVICE_UNAVAILABLE, "store-unavailable"),
}

_RETRY_S: dict[type[Exception], int] = {
    QueueFullError: 30,  # a few files are through the queue by then
    ModelUnavailableError: 10,
    StoreUnavailableError: 5,
    StaleEmbedderError: 1,
}

RESPONSES: dict[int | str, dict[str, Any]] = {
    code: {"model": Problem, "description": HTTPStatus(code).phrase} for code in (404, 422, 429, 503)
}


def problem_of(exc: Exception) -> Problem:
    """Return the problem that stands for an exception; one that is not ours says nothing of its insides."""
    if isinstance(exc, FootnoteError):
        status, name = _STATUS[type(exc)]
        violations = [v.rule for v in exc.violations] if isinstance(exc, BlockedError) else None
        return Problem(type=name, title=status.phrase, status=status, detail=str(exc), violations=violations)
    if isinstance(exc, RequestValidationError):
        detail = "; ".join(f"{'.'.join(map(str, error['loc'][1:]))}: {error['msg']}" for error in exc.errors())
        detail = detail.encode(errors="backslashreplace").decode()  # a name in the body may hold a lone surrogate
        return _plain(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-request", detail)
    if isinstance(exc, HTTPException):
        return _plain(HTTPStatus(exc.status_code), "http", str(exc.detail))
    _log.error("unexpected error", exc_info=exc)
    return _plain(HTTPStatus.INTERNAL_SERVER_ERROR, "internal", "Something went wrong here; the log says what.")


def _plain(status: HTTPStatus, name: str, detail: str) -> Problem:
    return Problem(type=name, title=status.phrase, status=status, detail=detail)


async def _respond(request: Request, exc: Exception) -> JSONResponse:
    if isinstance(exc, BlockedError):
        request.app.state.running.metrics.guard("input", "blocked")
    return problem_response(exc)


def problem_response(exc: Exception) -> JSONResponse:
    """Return the response that tells of an exception."""
    problem = problem_of(exc)
    return JSONResponse(
        problem.model_dump(exclude_none=True),
        status_code=problem.status,
        media_type="application/problem+json",
        headers=retry_after(exc),
    )


def retry_after(exc: Exception) -> dict[str, str] | None:
    """Return the header that says when a request that failed so may work, in whole seconds."""
    if isinstance(exc, (OverloadedError, RateLimitedError)):
        return {"Retry-After": str(max(1, math.ceil(exc.retry_after_s)))}
    seconds = _RETRY_S.get(type(exc))
    return None if seconds is None else {"Retry-After": str(seconds)}


def handle_errors(app: FastAPI) -> None:
    """Answer every error of the application with a problem."""
    for kind in (FootnoteError, RequestValidationError, HTTPException, Exception):
        app.add_exception_handler(kind, _respond)
