"""`footnote ingest`, `documents`, `collections` and `search`: they need no other process."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from apps.cli.run import fail_clearly

if TYPE_CHECKING:
    from apps.bootstrap import Library
    from apps.indexing import Indexed

Collection = Annotated[str, typer.Option("--collection", "-c", help="The collection's name.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def ingest(
    paths: Annotated[list[Path], typer.Argument(help="Files and folders; folders are read with all below them.")],
    collection: Collection = "default",
    as_json: Json = False,
) -> None:
    """Make files searchable. Unchanged files are skipped, changed ones replaced.

    Example: footnote ingest handbook.pdf papers/
    """
    import time

    from apps.cli.files import find_files

    skipped: list[str] = []

    def skip(line: str) -> None:
        typer.echo(line, err=True)
        skipped.append(line)

    with fail_clearly():
        library = _library(collection)
        files = find_files(paths, skip)
        started = time.perf_counter()
        done = asyncio.run(_ingest(library, files, collection, started, show=not as_json))
    if as_json:
        _print_json([_indexed_json(each) for each in done])
    else:
        _ingest_table(done, time.perf_counter() - started)
    if skipped or any(each.reason for each in done):
        raise typer.Exit(1)


def documents(collection: Collection = "default", as_json: Json = False) -> None:
    """List the documents of a collection.

    Example: footnote documents --collection default
    """
    from apps.api.schemas import document_out

    async def read() -> list[dict[str, object]]:
        found, after = [], ""
        while page := await library.catalog.list(collection, limit=500, after=after):
            found += [document_out(summary).model_dump() for summary in page]
            after = page[-1].document.id
        return found

    with fail_clearly():
        library = _library(collection)
        rows = asyncio.run(read())
    if as_json:
        _print_json(rows)
    elif not rows:
        typer.echo(f"Collection {collection!r} holds no documents yet. Add some: footnote ingest PATH")
    else:
        _table(("title", "source", "media_type", "chunks", "id"), rows)


def collections(as_json: Json = False) -> None:
    """List the collections."""
    from apps.api.schemas import collection_out

    with fail_clearly():
        library = _library("default")
        rows = [collection_out(found).model_dump() for found in asyncio.run(library.catalog.collections())]
    if as_json:
        _print_json(rows)
    else:
        _table(("name", "documents", "chunks", "generation"), rows)


def search(
    query: Annotated[str, typer.Argument(help="What to look for.")],
    collection: Collection = "default",
    top_k: Annotated[int, typer.Option("--top-k", "-k", min=1, max=100, help="How many passages.")] = 5,
    as_json: Json = False,
) -> None:
    """Find passages without asking the model.

    Example: footnote search "opening hours" -k 3
    """
    from apps.api.schemas import hit_out
    from contracts import Caller, InvalidInputError, Query

    with fail_clearly():
        if not query.strip():
            raise InvalidInputError("The query is empty; say what to look for.")
        library = _library(collection)
        found = asyncio.run(library.retriever.retrieve(Query(query, collection, Caller(), top_k)))
    hits = [hit_out(hit) for hit in found.hits]
    if as_json:
        _print_json([hit.model_dump() for hit in hits])
        return
    for rank, hit in enumerate(hits, start=1):
        page = f", p. {hit.page}" if hit.page else ""
        typer.secho(f"{rank}. {hit.title}{page}  ({hit.score:.2f})  {hit.source}", bold=True)
        typer.echo(f"   {' '.join(hit.text.split())[:300]}\n")


def _library(collection: str) -> Library:
    import re

    from apps.bootstrap import open_library
    from apps.settings import load_settings
    from contracts import InvalidInputError
    from observability.logs import configure_logs

    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", collection):
        raise InvalidInputError(
            f"{collection!r} is no collection name: use up to 64 letters, digits, - and _, first a letter or digit."
        )
    settings = load_settings()
    configure_logs("WARNING" if settings.log_level == "INFO" else settings.log_level)
    return open_library(settings)


async def _ingest(
    library: Library, files: Sequence[Path], collection: str, started: float, *, show: bool
) -> list[Indexed]:
    import time

    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from apps.indexing import Source

    done: list[Indexed] = []
    console = Console(stderr=True)
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Progress(*columns, console=console, disable=not (show and console.is_terminal)) as progress:
        task = progress.add_task("Ingesting", total=len(files))
        for file in files:
            progress.update(task, description=file.name)
            done.append(await library.indexing.index(Source(file, str(file), collection)))
            progress.advance(task)
            if show and not console.is_terminal:
                typer.echo(f"{done[-1].outcome:>9}  {file.name}", err=True)
        progress.update(task, description="Ingested")
    await library.indexing.record(collection, done, time.perf_counter() - started)
    return done


def _ingest_table(done: Sequence[Indexed], seconds: float) -> None:
    from apps.indexing import Outcome

    rows = [
        {
            "file": Path(each.source).name,
            "outcome": each.outcome.value,
            "chunks": each.chunks,
            "why": f"{each.reason}: {each.message}" if each.reason else "",
        }
        for each in done
    ]
    _table(("file", "outcome", "chunks", "why"), rows)
    counts = ", ".join(f"{n} {o}" for o in Outcome if (n := sum(each.outcome is o for each in done)))
    typer.echo(f"{len(done)} files in {seconds:.1f} s: {counts}.")


def _indexed_json(each: Indexed) -> dict[str, object]:
    return {
        "source": each.source,
        "outcome": each.outcome.value,
        "document_id": each.document_id,
        "chunks": each.chunks,
        "seconds": round(each.seconds, 3),
        "reason": each.reason,
        "message": each.message,
    }


def _table(columns: Sequence[str], rows: Sequence[Mapping[str, object]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*columns, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*(Text(str(row[column])) for column in columns))
    Console(width=None if sys.stdout.isatty() else 200).print(table)


def _print_json(value: object) -> None:
    json.dump(value, sys.stdout, indent=2, ensure_ascii=False, default=str)
    sys.stdout.write("\n")
