"""`footnote ask`: one question, one cited answer."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from apps.cli.output import CollectionOption, JsonOption
from apps.cli.run import fail_clearly

if TYPE_CHECKING:
    from apps.api.schemas import AnswerOut
    from apps.settings import Settings


def ask(
    question: Annotated[str, typer.Argument(help="What you want to know.")],
    collection: CollectionOption = "default",
    conversation: Annotated[str | None, typer.Option(help="Go on with this conversation.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Answer a question from the documents, with sources.

    Asks the running API when there is one; else works by itself, and then only the model server must run.

    Example: footnote ask "When does the museum open?"
    """
    from apps.settings import load_settings

    with fail_clearly():
        settings = load_settings()
        answer = _over_http(settings, question, collection, conversation)
        if answer is None:
            answer = asyncio.run(_alone(settings, question, collection, conversation))
    if as_json:
        json.dump(answer.model_dump(), sys.stdout, indent=2, ensure_ascii=False)
        sys.stdout.write("\n")
        return
    typer.echo(answer.answer)
    for cited in answer.citations:
        page = f", p. {cited.page}" if cited.page else ""
        typer.secho(f"  [{cited.marker}] {cited.title}{page} — {cited.source}", dim=True)


def _over_http(settings: Settings, question: str, collection: str, conversation: str | None) -> AnswerOut | None:
    """Return the running API's answer; None when no API runs."""
    import httpx
    from pydantic import ValidationError

    from apps.api.schemas import AnswerOut
    from contracts import InvalidInputError, ModelUnavailableError

    url = f"http://{settings.api.host}:{settings.api.port}/v1/query"
    body = {"question": question, "collection": collection, "conversation_id": conversation}
    timeout = httpx.Timeout(settings.serving.timeout_s * 2, connect=1)
    try:
        response = httpx.post(url, json=body, timeout=timeout, trust_env=False)
    except (httpx.ConnectError, httpx.ConnectTimeout):
        return None
    except httpx.TimeoutException as exc:
        raise ModelUnavailableError(
            f"No answer from {url} within {timeout.read:g} s. Try again later, or raise FOOTNOTE_SERVING__TIMEOUT_S."
        ) from exc
    except httpx.HTTPError as exc:
        raise ModelUnavailableError(f"{url} broke off: {exc!r}. See `footnote status`, and try again.") from exc
    if response.headers.get("content-type", "").startswith("application/problem+json"):
        raise InvalidInputError(response.json()["detail"])
    try:
        return AnswerOut.model_validate_json(response.content)
    except ValidationError as exc:
        raise InvalidInputError(
            f"What answers at {url} is not Footnote; FOOTNOTE_API__PORT names another port."
        ) from exc


async def _alone(settings: Settings, question: str, collection: str, conversation: str | None) -> AnswerOut:
    from apps.api.schemas import answer_out
    from apps.api.state import start
    from contracts import Question
    from observability.logs import configure_logs

    configure_logs("ERROR")
    running = start(settings)
    try:
        return answer_out(await running.answering.answer(Question(question, collection, conversation_id=conversation)))
    finally:
        await running.close()
