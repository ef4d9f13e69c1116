"""`footnote collections`: list, create, share, reembed, recut, delete."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from apps.cli.library import with_library
from apps.cli.output import JsonOption, print_json, table
from apps.cli.transfer import shown

if TYPE_CHECKING:
    from apps.bootstrap import Library
    from contracts import Collection, Embedder

app = typer.Typer(help="List the collections, make one, change how one is cut and embedded, delete.")
Name = Annotated[str, typer.Argument(help="The collection's name.")]
Strategies = Literal["structural", "fixed", "sentence_window", "parent_child"]
Strategy = Annotated[Strategies | None, typer.Option(help="How its documents are cut.")]
Tokens = Annotated[int | None, typer.Option(min=32, max=8192, help="Size of a chunk, in tokens of the embedder.")]
Readers = Annotated[
    str, typer.Option(metavar="A,B", help="Who finds anything in it: people and groups; `*` is everyone.")
]
Overlap = Annotated[int | None, typer.Option(min=0, help="How much of one chunk the next repeats, in tokens.")]


@app.callback(invoke_without_command=True)
def collections(context: typer.Context, as_json: JsonOption = False) -> None:
    """List the collections; the commands below make one, change how one is cut and embedded, and delete.

    Example: footnote collections
    """
    from apps.api.schemas import collection_out

    if context.invoked_subcommand:
        return
    rows = [collection_out(found).model_dump() for found in with_library(lambda opened: opened.collections.list())]
    if as_json:
        print_json(rows)
    elif not rows:
        typer.echo("There are no collections yet. Make one by adding documents: footnote ingest PATH")
    else:
        rows = [{**row, "readers": ", ".join(row["readers"])} for row in rows]
        table(("name", "readers", "documents", "chunks", "failures", "embedder", "strategy", "generation"), rows)


@app.command()
def create(
    name: Name,
    model: Annotated[str, typer.Option(help="The sentence encoder: a hub id or a folder.")] = "",
    strategy: Strategy = None,
    chunk_tokens: Tokens = None,
    overlap_tokens: Overlap = None,
    readers: Readers = "*",
) -> None:
    """Make a collection called NAME with settings of its own; what is not said is as in the settings.

    Example: footnote collections create contracts --strategy parent_child
    """
    from apps.bootstrap import default_cutting
    from apps.collection_settings import changed_cutting, new_collection
    from contracts import ChunkStrategy

    async def make(opened: Library) -> Collection:
        chosen = ChunkStrategy(strategy) if strategy else None
        cutting = changed_cutting(default_cutting(opened.settings), chosen, chunk_tokens, overlap_tokens)
        embedder = model or opened.indexing.embedder
        return await new_collection(
            opened.collections, opened.open_embedder, name, embedder, cutting, readers.split(",")
        )

    with_library(make, name)
    typer.echo(f"Made collection {name!r}.")


@app.command()
def share(
    name: Name,
    readers: Annotated[list[str], typer.Argument(metavar="READER...", help="People and groups; `*` is everyone.")],
) -> None:
    """Let only these readers find anything in the collection NAME; of that, only what a document's own readers allow.

    Example: footnote collections share contracts alice legal
    """
    from apps.collection_settings import share_collection

    allowed = with_library(lambda opened: share_collection(opened.collections, name, readers), name)
    typer.echo(f"Collection {name!r} is for {'everyone' if allowed == ('*',) else ', '.join(allowed)} now.")


@app.command("cache")
def keep_answers(name: Name, on: Annotated[Literal["on", "off"], typer.Argument(help="on or off.")]) -> None:
    """Say whether answers from the collection NAME are cached; what is cached of it goes when that is switched off.

    Example: footnote collections cache news off
    """
    from apps.cached_answers import cleared_answers

    async def change(opened: Library) -> None:
        await opened.collections.keep_answers(name, on == "on")
        if on == "off":
            await cleared_answers(opened.caches.upkeep, name)

    with_library(change, name)
    typer.echo(f"Answers from collection {name!r} are {'cached' if on == 'on' else 'made anew each time'} now.")


@app.command()
def recut(
    name: Name,
    strategy: Strategy = None,
    chunk_tokens: Tokens = None,
    overlap_tokens: Overlap = None,
) -> None:
    """Change how the documents of collection NAME are cut; they are cut anew when they are next synced or ingested.
    What is not said stays as it is.

    Example: footnote collections recut contracts --strategy sentence_window
    """
    from apps.collection_settings import recut_collection
    from contracts import ChunkStrategy

    if strategy is None and chunk_tokens is None and overlap_tokens is None:
        raise typer.BadParameter("say what to change: --strategy, --chunk-tokens or --overlap-tokens.")
    chosen = ChunkStrategy(strategy) if strategy else None
    with_library(lambda opened: recut_collection(opened.collections, name, chosen, chunk_tokens, overlap_tokens), name)
    typer.echo(f"Collection {name!r} is cut anew at the next `footnote sync`.")


@app.command()
def reembed(
    name: Name, model: Annotated[str, typer.Option(help="The sentence encoder: a hub id, a folder, or a package's.")]
) -> None:
    """Give the collection NAME another embedder. It is searched with the old one until all is embedded; started again,
    it goes on where it was broken off.

    Example: footnote collections reembed default --model BAAI/bge-small-en-v1.5
    """
    from apps.collection_settings import model_name

    async def change(opened: Library) -> Embedder:
        await shown("Embedding", opened.reembedding.run(name, model_name(model)))
        return opened.open_embedder(model_name(model))

    typer.echo(f"Collection {name!r} is searched with {with_library(change, name).name} now.")


@app.command()
def delete(name: Name, yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False) -> None:
    """Delete the collection NAME with all its documents.

    Example: footnote collections delete old-papers --yes
    """
    found = with_library(lambda opened: opened.collections.find(name), name)
    if found and not yes:
        typer.confirm(f"Delete {name!r} with its {found.documents} documents?", abort=True)
    with_library(lambda opened: opened.indexing.remove_collection(name), name)
    typer.echo(f"Deleted collection {name!r}.")
