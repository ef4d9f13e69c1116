"""What each part of the stack is doing now: what `footnote up` noted, and whether the part answers."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace

from apps.run_file import Part, RunFile
from apps.settings import Settings

_PROBE_TIMEOUT_S = 2.0


def stack_status(settings: Settings) -> tuple[Part, ...]:
    """Return every part: `ready`, `starting`, `not answering` or `down`. One that runs elsewhere has no process."""
    stack = RunFile(settings.data_dir).read()
    noted = {part.name: part for part in stack.parts} if stack else {}
    return tuple(_seen(settings, part, noted.get(part.name)) for part in _expected(settings))


def _expected(settings: Settings) -> Iterator[Part]:
    if settings.cache.enabled and not settings.cache.url.startswith("sqlite:"):
        yield Part("redis", "down", settings.cache_url, 0)
    yield Part("mlflow", "down", settings.mlflow_url, 0)
    yield Part("model server", "down", settings.model_url, 0)
    yield Part("worker", "down", "", 0)
    yield Part("api", "down", f"http://{settings.api.host}:{settings.api.port}", 0)


def _seen(settings: Settings, expected: Part, noted: Part | None) -> Part:
    if noted and noted.state == "starting":
        return noted
    if _answers(settings, noted or expected):
        return replace(noted or expected, state="ready")
    return replace(noted, state="not answering") if noted else expected


def _answers(settings: Settings, part: Part) -> bool:
    if part.name == "worker":  # it listens nowhere: it is there while its process is
        return part.pid > 0
    if part.name == "redis":
        return asyncio.run(_cache_answers(settings))
    path = {"mlflow": "/health", "model server": "/models", "api": "/healthz"}[part.name]
    return _http_answers(f"{part.url}{path}")


async def _cache_answers(settings: Settings) -> bool:
    from apps.composing_cache import open_caches

    caches = open_caches(settings, "")
    try:
        return await caches.upkeep.alive()
    finally:
        await caches.close()


def _http_answers(url: str) -> bool:
    """Any answer counts: one that wants a key is alive too."""
    import httpx

    try:
        httpx.get(url, timeout=_PROBE_TIMEOUT_S, trust_env=False)
    except httpx.HTTPError:
        return False
    return True
