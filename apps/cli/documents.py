"""`footnote documents`: list, failed, flagged, check, versions, restore, delete."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from apps.cli.library import with_library
from apps.cli.output import CollectionOption, JsonOption, print_json, table
from apps.cli.passage_checks import check, flagged

if TYPE_CHECKING:
    from apps.bootstrap import Library
    from apps.sources import FileList, Indexed
    from contracts import DocumentSummary, SourceState, VersionSummary

app = typer.Typer(help="List the documents of a collection, see and restore versions, delete.")
Which = Annotated[str, typer.Argument(help="The document's id, or its path or URL.")]


@app.callback(invoke_without_command=True)
def documents(context: typer.Context, collection: CollectionOption = "default", as_json: JsonOption = False) -> None:
    """List the documents of a collection; the commands below see and restore versions, and delete.

    Example: footnote documents --collection default
    """
    from apps.api.schemas import document_out

    async def read(opened: Library) -> list[dict[str, object]]:
        from apps.collection_settings import known_collection

        await known_collection(opened.collections, collection)
        found, after = [], ""
        while page := await opened.catalog.list(collection, limit=500, after=after):
            found += [document_out(summary).model_dump() for summary in page]
            after = page[-1].document.id
        return found

    if context.invoked_subcommand:  # `documents -c legal delete …` must not delete from another collection
        context.default_map = {context.invoked_subcommand: {"collection": collection, "as_json": as_json}}
        return
    rows = with_library(read, collection)
    if as_json:
        print_json(rows)
    elif not rows:
        typer.echo(f"Collection {collection!r} holds no documents yet. Add some: footnote ingest PATH")
    else:
        more = ("flagged",) if any(row["flagged"] for row in rows) else ()
        table(("title", "source", "media_type", "chunks", *more, "versions", "id"), rows)


@app.command()
def failed(collection: CollectionOption = "default", as_json: JsonOption = False) -> None:
    """List the files that could not be read, with the reason.

    Example: footnote documents failed
    """

    async def read(opened: Library) -> Mapping[str, SourceState]:
        from apps.collection_settings import known_collection

        await known_collection(opened.collections, collection)
        return await opened.states.states(collection)

    rows = [
        {"source": state.source, "reason": state.reason, "message": state.message}
        for state in with_library(read, collection).values()
        if state.reason
    ]
    if as_json:
        print_json(rows)
    elif rows:
        table(("source", "reason", "message"), rows)
    else:
        typer.echo(f"Every file of collection {collection!r} was read.")


app.command()(flagged)
app.command()(check)


@app.command()
def versions(document: Which, collection: CollectionOption = "default", as_json: JsonOption = False) -> None:
    """List the kept versions of a DOCUMENT (its path, URL or id), newest first.

    Example: footnote documents versions handbook.pdf
    """

    async def read(opened: Library) -> Sequence[VersionSummary]:
        found = await find_document(opened, collection, document)
        return await opened.catalog.versions(collection, found.document.id)

    rows: list[dict[str, Any]] = [
        {
            "version": each.version,
            "title": each.title,
            "size": each.size,
            "chunks": each.chunks,
            "ingested_at": each.ingested_at,
            "current": each.current,
        }
        for each in with_library(read, collection)
    ]
    if as_json:
        print_json(rows)
        return
    for row in rows:
        row["ingested_at"] = time.strftime("%Y-%m-%d %H:%M", time.localtime(row["ingested_at"]))
        row["current"] = "*" if row["current"] else ""
    table(("current", "version", "title", "size", "chunks", "ingested_at"), rows)


@app.command()
def restore(
    document: Which,
    version: Annotated[str, typer.Argument(help="The version's SHA-256, or its first digits.")],
    collection: CollectionOption = "default",
) -> None:
    """Make a kept VERSION (the first digits of its SHA-256) of a DOCUMENT (its path, URL or id) the current one again,
    until its file is synced the next time.

    Example: footnote documents restore handbook.pdf 3f2a9c
    """

    async def change(opened: Library) -> Indexed:
        return await opened.indexing.restore(await find_document(opened, collection, document), version)

    done = with_library(change, collection)
    typer.echo(f"{done.source} is in version {version} again, {done.chunks} chunks.")


@app.command()
def delete(
    documents: Annotated[list[str], typer.Argument(help="Ids, paths or URLs.")],
    collection: CollectionOption = "default",
) -> None:
    """Delete DOCUMENTS (paths, URLs or ids): all versions, texts, vectors, originals, and the cached answers that used
    them. The files themselves stay, and come back when they are ingested or synced again.

    Example: footnote documents delete handbook.pdf
    """

    async def change(opened: Library) -> int:
        from apps.sources import FileList

        known = FileList(await opened.states.states(collection))
        sources = [await _source(opened, collection, each, known) for each in dict.fromkeys(documents)]
        await opened.indexing.remove_sources(collection, sources, known)
        return len(sources)

    typer.echo(f"Deleted {with_library(change, collection)} of collection {collection!r}.")


def _names(which: str) -> tuple[str, str]:
    """Return what a document may be called that someone names so."""
    return which, str(Path(which).resolve())


async def find_document(opened: Library, collection: str, which: str) -> DocumentSummary:
    """Return the document with this id, source or path. Raises NotFoundError."""
    from apps.collection_settings import known_collection
    from apps.sources import identify
    from contracts import NotFoundError

    await known_collection(opened.collections, collection)
    for each in (which, *(identify(collection, name) for name in _names(which))):
        if found := await opened.catalog.find(collection, each):
            return found
    raise NotFoundError(f"No document {which!r} in collection {collection!r}; `footnote documents` lists them.")


async def _source(opened: Library, collection: str, which: str, known: FileList) -> str:
    """Return the source that is called so: of a document, an archive, or a file that could not be read."""
    for name in _names(which):
        if known.get(name):
            return name
    return (await find_document(opened, collection, which)).document.source
