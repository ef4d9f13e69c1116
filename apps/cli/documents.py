"""`footnote documents`: list, failed, versions, restore, delete."""

from __future__ import annotations

import asyncio
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from apps.cli.output import CollectionOption, JsonOption, library, print_json, table
from apps.cli.run import fail_clearly

if TYPE_CHECKING:
    from apps.bootstrap import Library
    from contracts import DocumentSummary

app = typer.Typer(help="The documents of a collection: list them, see and restore versions, delete.")
Which = Annotated[str, typer.Argument(help="The document's id, or its path or URL.")]


@app.callback(invoke_without_command=True)
def documents(context: typer.Context, collection: CollectionOption = "default", as_json: JsonOption = False) -> None:
    """List the documents of a collection.

    Example: footnote documents --collection default
    """
    from apps.api.schemas import document_out

    async def read(opened: Library) -> list[dict[str, object]]:
        found, after = [], ""
        while page := await opened.catalog.list(collection, limit=500, after=after):
            found += [document_out(summary).model_dump() for summary in page]
            after = page[-1].document.id
        return found

    if context.invoked_subcommand:
        return
    with fail_clearly():
        rows = asyncio.run(read(library(collection)))
    if as_json:
        print_json(rows)
    elif not rows:
        typer.echo(f"Collection {collection!r} holds no documents yet. Add some: footnote ingest PATH")
    else:
        table(("title", "source", "media_type", "chunks", "versions", "id"), rows)


@app.command()
def failed(collection: CollectionOption = "default", as_json: JsonOption = False) -> None:
    """List the files that could not be read, with the reason.

    Example: footnote documents failed
    """
    with fail_clearly():
        states = asyncio.run(library(collection).states.states(collection))
    rows = [
        {"source": state.source, "reason": state.reason, "message": state.message}
        for state in states.values()
        if state.reason
    ]
    if as_json:
        print_json(rows)
    elif rows:
        table(("source", "reason", "message"), rows)
    else:
        typer.echo(f"Every file of collection {collection!r} was read.")


@app.command()
def versions(document: Which, collection: CollectionOption = "default", as_json: JsonOption = False) -> None:
    """List the kept versions of a document, newest first.

    Example: footnote documents versions handbook.pdf
    """
    with fail_clearly():
        opened = library(collection)
        found = asyncio.run(_find(opened, collection, document))
        rows = [
            {
                "version": each.version,
                "title": each.title,
                "size": each.size,
                "chunks": each.chunks,
                "ingested": time.strftime("%Y-%m-%d %H:%M", time.localtime(each.ingested_at)),
                "current": "*" if each.current else "",
            }
            for each in asyncio.run(opened.catalog.versions(collection, found.document.id))
        ]
    if as_json:
        print_json(rows)
    else:
        table(("current", "version", "title", "size", "chunks", "ingested"), rows)


@app.command()
def restore(
    document: Which,
    version: Annotated[str, typer.Argument(help="The version's SHA-256, or its first digits.")],
    collection: CollectionOption = "default",
) -> None:
    """Make a kept version the current one again, until its file is synced the next time.

    Example: footnote documents restore handbook.pdf 3f2a9c
    """
    with fail_clearly():
        opened = library(collection)

        async def run() -> str:
            found = await _find(opened, collection, document)
            done = await opened.indexing.restore(found, version)
            await opened.aclose()
            return f"{found.document.source}: {done.outcome}, {done.chunks} chunks."

        typer.echo(asyncio.run(run()))


@app.command()
def delete(
    documents: Annotated[list[str], typer.Argument(help="Ids, paths or URLs.")],
    collection: CollectionOption = "default",
) -> None:
    """Delete documents: all versions, texts, vectors, originals, and the cached answers that used them.

    Example: footnote documents delete handbook.pdf
    """
    with fail_clearly():
        opened = library(collection)

        async def run() -> None:
            found = [await _find(opened, collection, each) for each in documents]
            await opened.indexing.remove(collection, [each.document.id for each in found])
            await opened.aclose()

        asyncio.run(run())
    typer.echo(f"Deleted {len(documents)} of collection {collection!r}.")


async def _find(opened: Library, collection: str, which: str) -> DocumentSummary:
    """Return the document with this id, source or path. Raises NotFoundError."""
    from apps.sources import identify
    from contracts import NotFoundError

    names = [which, str(Path(which).expanduser().resolve())]
    ids = [identify(collection, name) for name in names]
    if re.fullmatch(r"[0-9a-f]{32}", which):
        ids.insert(0, which)
    for each in ids:
        if found := await opened.catalog.find(collection, each):
            return found
    raise NotFoundError(f"No document {which!r} in collection {collection!r}; `footnote documents` lists them.")
