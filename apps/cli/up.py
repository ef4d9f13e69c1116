"""What `footnote up` does between its checks and its end: bring up, ingest, ask, stay, stop."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console

from apps.cli.progress import Steps
from apps.cli.signals import ended_by_signals
from apps.run_file import RunFile
from apps.settings import PROJECT_ROOT, Settings
from apps.stack import Stack, first_failure
from contracts import FootnoteError

_SAMPLES = PROJECT_ROOT / "samples"
_READY_TIMEOUT_S = 180.0
_ANSWER_TIMEOUT_S = 180.0
_POLL_S = 0.5


async def run_up(
    settings: Settings, run_file: RunFile, console: Console, *, docs: Sequence[Path], with_samples: bool
) -> None:
    """Run the stack until a signal asks for its end. Raises FootnoteError when a part fails; whatever happens, every
    process that was started is stopped."""
    steps = Steps(console)
    stack = Stack(settings, run_file, steps)
    with ended_by_signals() as ended:
        try:
            samples = (_SAMPLES,) if with_samples and _SAMPLES.is_dir() else ()
            with steps:
                await stack.bring_up(samples)
                await _until_usable(settings, steps)
                question = _sample_question() if samples else ""
                reply = await _ask(settings, steps, question) if question else None
            if reply is not None:
                _show_answer(console, question, reply)
            _show_places(console, settings)
            await _stay(stack, steps, docs)
        except asyncio.CancelledError:
            if not ended():
                raise
            console.print("\nStopping ...")
        finally:
            await stack.stop()
    if ended():
        console.print("Stopped.")


async def _stay(stack: Stack, steps: Steps, docs: Sequence[Path]) -> None:
    try:
        async with asyncio.TaskGroup() as group:
            if docs:
                group.create_task(stack.ingest("documents", docs))
            group.create_task(stack.watch())
    except* FootnoteError as failures:
        raise first_failure(failures) from None


async def _until_usable(settings: Settings, steps: Steps) -> None:
    """Wait until the API has loaded its models and sees the model server."""
    steps.begin("answers", "loading")

    async def usable() -> bool:
        try:
            async with httpx.AsyncClient(trust_env=False, timeout=10) as client:
                return (await client.get(f"{_api(settings)}/readyz")).is_success
        except httpx.HTTPError:
            return False

    ready = await _within(_READY_TIMEOUT_S, usable)
    steps.end("answers", "ready" if ready else f"not ready yet: see {_api(settings)}/readyz")


async def _within(seconds: float, condition: Callable[[], Awaitable[bool]]) -> bool:
    try:
        async with asyncio.timeout(seconds):
            while not await condition():
                await asyncio.sleep(_POLL_S)
    except TimeoutError:
        return False
    return True


async def _ask(settings: Settings, steps: Steps, question: str) -> Mapping[str, Any] | None:
    steps.begin("question", "asking")
    try:
        async with httpx.AsyncClient(trust_env=False, timeout=_ANSWER_TIMEOUT_S) as client:
            response = await client.post(f"{_api(settings)}/v1/query", json={"question": question})
        reply: dict[str, Any] = response.json()
    except (httpx.HTTPError, ValueError) as exc:
        steps.end("question", f"no answer: {exc!r}")
        return None
    if response.is_error:
        steps.end("question", f"no answer: {reply.get('detail', response.status_code)}")
        return None
    steps.end("question", "answered")
    return reply


def _sample_question() -> str:
    lines = (_SAMPLES / "questions.jsonl").read_text().splitlines()
    return str(json.loads(lines[0])["question"])


def _show_answer(console: Console, question: str, reply: Mapping[str, Any]) -> None:
    console.print()
    console.print(question, style="bold", markup=False)
    console.print(reply["answer"], markup=False)
    for citation in reply["citations"]:
        page = f", page {citation['page']}" if citation.get("page") else ""
        console.print(f"  [{citation['marker']}] {citation['title']}{page}", style="dim", markup=False)


def _show_places(console: Console, settings: Settings) -> None:
    places = {
        "Chat": f"{_api(settings)}/",
        "API docs": f"{_api(settings)}/docs",
        "MLflow": settings.mlflow_url,
        "Logs": str(settings.data_dir / "logs"),
    }
    console.print()
    for name, place in places.items():
        console.print(f"  {name:<10}{place}", markup=False, soft_wrap=True)
    console.print("\nCtrl-C stops everything.")


def _api(settings: Settings) -> str:
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.api.host, settings.api.host)
    return f"http://{host}:{settings.api.port}"
