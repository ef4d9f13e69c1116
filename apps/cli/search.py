"""`footnote search`: it needs no other process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from apps.cli.library import with_library
from apps.cli.output import CollectionOption, JsonOption, print_json

if TYPE_CHECKING:
    from apps.bootstrap import Library
    from contracts import Hit


def search(
    query: Annotated[str, typer.Argument(help="What to look for.")],
    collection: CollectionOption = "default",
    top_k: Annotated[int, typer.Option("--top-k", "-k", min=1, max=100, help="How many passages.")] = 5,
    as_json: JsonOption = False,
) -> None:
    """Find passages without asking the model.

    Example: footnote search "opening hours" -k 3
    """
    from apps.api.schemas import hit_out
    from contracts import Caller, InvalidInputError, Query

    async def read(opened: Library) -> tuple[Hit, ...]:
        if not query.strip():
            raise InvalidInputError("The query is empty; say what to look for.")
        from apps.collection_settings import known_collection

        await known_collection(opened.collections, collection)
        return (await opened.retriever.retrieve(Query(query, collection, Caller(), top_k))).hits

    hits = [hit_out(hit) for hit in with_library(read, collection)]
    if as_json:
        print_json([hit.model_dump() for hit in hits])
        return
    for rank, hit in enumerate(hits, start=1):
        page = f", p. {hit.page}" if hit.page else ""
        typer.secho(f"{rank}. {hit.title}{page}  ({hit.score:.2f})  {hit.source}", bold=True)
        typer.echo(f"   {' '.join(hit.text.split())[:300]}\n")
    if not hits:
        typer.echo("Nothing was found.")
