"""`footnote collections`: list, create, reembed, recut, delete."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Annotated, Literal

import typer

from apps.cli.output import JsonOption, library, print_json, table
from apps.cli.run import fail_clearly

app = typer.Typer(help="The collections: list them, make one, change how one is cut and embedded, delete.")
Name = Annotated[str, typer.Argument(help="The collection's name.")]
Strategies = Literal["structural", "fixed", "sentence_window", "parent_child"]
Strategy = Annotated[Strategies, typer.Option(help="How its documents are cut.")]
Tokens = Annotated[int | None, typer.Option(min=32, help="Size of a chunk, in tokens of the embedder.")]
Overlap = Annotated[int | None, typer.Option(min=0, help="How much of one chunk the next repeats, in tokens.")]


@app.callback(invoke_without_command=True)
def collections(context: typer.Context, as_json: JsonOption = False) -> None:
    """List the collections.

    Example: footnote collections
    """
    from apps.api.schemas import collection_out

    if context.invoked_subcommand:
        return
    with fail_clearly():
        rows = [collection_out(found).model_dump() for found in asyncio.run(library().collections.list())]
    if as_json:
        print_json(rows)
    else:
        table(("name", "documents", "chunks", "failures", "embedder", "strategy", "generation"), rows)


@app.command()
def create(
    name: Name,
    model: Annotated[str, typer.Option(help="The sentence encoder: a hub id or a folder.")] = "",
    strategy: Strategy = "structural",
    chunk_tokens: Tokens = None,
    overlap_tokens: Overlap = None,
) -> None:
    """Make a collection with settings of its own.

    Example: footnote collections create contracts --strategy parent_child
    """
    from apps.bootstrap import default_cutting
    from contracts import ChunkStrategy, ConflictError

    with fail_clearly():
        opened = library(name)
        if asyncio.run(opened.collections.find(name)):
            raise ConflictError(f"Collection {name!r} exists already.")
        cutting = default_cutting(opened.settings, ChunkStrategy(strategy), chunk_tokens, overlap_tokens)
        embedder = opened.open_embedder(model or opened.indexing.embedder)
        asyncio.run(opened.collections.ensure(name, embedder.name, cutting))
    typer.echo(f"Made collection {name!r}.")


@app.command()
def recut(
    name: Name,
    strategy: Strategy = "structural",
    chunk_tokens: Tokens = None,
    overlap_tokens: Overlap = None,
) -> None:
    """Change how a collection's documents are cut; they are cut anew when they are next synced or ingested.

    Example: footnote collections recut contracts --strategy sentence_window
    """
    from apps.bootstrap import default_cutting
    from contracts import ChunkStrategy

    with fail_clearly():
        opened = library(name)
        cutting = default_cutting(opened.settings, ChunkStrategy(strategy), chunk_tokens, overlap_tokens)
        asyncio.run(opened.collections.recut(name, cutting))
    typer.echo(f"Collection {name!r} is cut anew at the next `footnote sync`.")


@app.command()
def reembed(
    name: Name, model: Annotated[str, typer.Option(help="The sentence encoder: a hub id, a folder, or a package's.")]
) -> None:
    """Give a collection another embedder. It is searched with the old one until all is embedded; started again, it
    goes on where it was broken off.

    Example: footnote collections reembed default --model BAAI/bge-small-en-v1.5
    """
    from rich.console import Console
    from rich.progress import Progress

    with fail_clearly():
        opened = library(name)

        async def run() -> None:
            console = Console(stderr=True)
            with Progress(console=console, disable=not console.is_terminal) as progress:
                task = progress.add_task("Embedding", total=None)
                async with aclosing(opened.reembedding.run(name, model)) as steps:
                    async for done, total in steps:
                        progress.update(task, completed=done, total=total)

        asyncio.run(run())
    typer.echo(f"Collection {name!r} is searched with {opened.open_embedder(model).name} now.")


@app.command()
def delete(name: Name, yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False) -> None:
    """Delete a collection with all its documents.

    Example: footnote collections delete old-papers --yes
    """
    with fail_clearly():
        opened = library(name)
        found = asyncio.run(opened.collections.find(name))
        if found and not yes:
            typer.confirm(f"Delete {name!r} with its {found.documents} documents?", abort=True)
        asyncio.run(opened.indexing.remove_collection(name))
    typer.echo(f"Deleted collection {name!r}.")
