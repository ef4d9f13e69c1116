"""`footnote search`: it needs no other process."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from apps.cli.output import CollectionOption, JsonOption, library, print_json
from apps.cli.run import fail_clearly


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

    with fail_clearly():
        if not query.strip():
            raise InvalidInputError("The query is empty; say what to look for.")
        opened = library(collection)
        found = asyncio.run(opened.retriever.retrieve(Query(query, collection, Caller(), top_k)))
    hits = [hit_out(hit) for hit in found.hits]
    if as_json:
        print_json([hit.model_dump() for hit in hits])
        return
    for rank, hit in enumerate(hits, start=1):
        page = f", p. {hit.page}" if hit.page else ""
        typer.secho(f"{rank}. {hit.title}{page}  ({hit.score:.2f})  {hit.source}", bold=True)
        typer.echo(f"   {' '.join(hit.text.split())[:300]}\n")
