"""`footnote documents summary`: what a whole document says, or says about a question."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from apps.cli.output import CollectionOption, JsonOption, print_json
from apps.cli.run import fail_clearly

if TYPE_CHECKING:
    from apps.api.schemas import AnswerOut
    from apps.settings import Settings


def summary(
    document: Annotated[str, typer.Argument(help="The document's id, or its path or URL.")],
    question: Annotated[str, typer.Option("--question", "-q", help="Answer this from all of the document.")] = "",
    collection: CollectionOption = "default",
    as_json: JsonOption = False,
) -> None:
    """Summarise a DOCUMENT (its path, URL or id), however long it is, with its passages as sources; or answer a
    question from all of it. The model server must run.

    Example: footnote documents summary handbook.pdf
    """
    from apps.settings import check_collection_name, load_settings

    with fail_clearly():
        check_collection_name(collection)
        answer = asyncio.run(_summarize(load_settings(), collection, document, question))
    if as_json:
        print_json(answer.model_dump())
        return
    typer.echo(answer.answer)
    for cited in answer.citations:
        page = f", p. {cited.page}" if cited.page else ""
        typer.secho(f"  [{cited.marker}] {cited.title}{page} — {cited.source}", dim=True)


async def _summarize(settings: Settings, collection: str, document: str, question: str) -> AnswerOut:
    from apps.api.schemas import answer_out
    from apps.api.state import start
    from apps.cli.documents import find_document
    from apps.summarizing import Wanted
    from contracts import Caller
    from observability.logs import configure_logs

    configure_logs("ERROR")
    running = start(settings)
    try:
        found = await find_document(running.library, collection, document)
        return answer_out(await running.summarizing.summarize(Wanted(found, Caller(), question)))
    finally:
        await running.close()
