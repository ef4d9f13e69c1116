"""`footnote search`: it needs no other process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from apps.cli.library import with_library
from apps.cli.output import CollectionOption, JsonOption, print_json

if TYPE_CHECKING:
    from apps.api.schemas import HitOut, SearchOut
    from apps.bootstrap import Library
    from contracts import Retrieved

Mode = Literal["hybrid", "dense", "sparse"]
CallerOption = Annotated[str, typer.Option("--as", metavar="NAME", help="Search as this person.")]
GroupsOption = Annotated[list[str] | None, typer.Option("--group", metavar="NAME", help="A group that person is in.")]
FilterOption = Annotated[
    list[str] | None,
    typer.Option("--filter", "-f", metavar="FILTER", help="year>=2020, tags=visitors, source~handbook/**; repeatable."),
]


def search(
    query: Annotated[str, typer.Argument(help="What to look for; passages hold what stands in quotes, if any does.")],
    collection: CollectionOption = "default",
    top_k: Annotated[int, typer.Option("--top-k", "-k", min=1, max=100, help="How many passages.")] = 5,
    mode: Annotated[
        Mode | None,
        typer.Option(help="By meaning (dense), by words (sparse), or both; else as FOOTNOTE_RETRIEVAL__MODE."),
    ] = None,
    filters: FilterOption = None,
    principal: CallerOption = "local",
    groups: GroupsOption = None,
    explain: Annotated[bool, typer.Option("--explain", help="Show each step: ranks, scores, milliseconds.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Find passages without asking the model.

    Example: footnote search "opening hours" -k 3 -f "year>=2020" --explain
    """
    from apps.api.schemas import search_out
    from apps.filters import typed_filters
    from contracts import Caller, Query, SearchMode

    async def read(opened: Library) -> Retrieved:
        from apps.collection_settings import known_collection

        caller = Caller(principal, tuple(groups or ()))
        await known_collection(opened.collections, collection, caller.scope)
        wanted = SearchMode(mode) if mode else opened.settings.retrieval.mode
        return await opened.retriever.retrieve(
            Query(query, collection, caller, top_k, typed_filters(filters or ()), wanted)
        )

    found = search_out(query, with_library(read, collection), explain=explain)
    if as_json:
        print_json(found.model_dump() if explain else [hit.model_dump() for hit in found.hits])
        return
    for rank, hit in enumerate(found.hits, start=1):
        _show(rank, hit)
    if not found.hits:
        typer.echo("Nothing was found.")
    if explain:
        _show_steps(found)


def _show(rank: int, hit: HitOut) -> None:
    page = f", p. {hit.page}" if hit.page else ""
    typer.secho(f"{rank}. {hit.title}{page}  ({hit.score:.2f})  {hit.source}", bold=True)
    if hit.explanation is not None:
        steps = [f"{one.step} #{one.rank} ({one.score:.4g})" for one in hit.explanation.standings]
        if hit.explanation.expanded_from is not None:
            steps.append("widened from characters {}–{}".format(*hit.explanation.expanded_from))
        typer.secho(f"   {' → '.join(steps)}", dim=True)
    typer.echo(f"   {' '.join(hit.text.split())[:300]}\n")


def _show_steps(found: SearchOut) -> None:
    typer.secho("; ".join(f"{step} {ms:.1f} ms" for step, ms in found.timings.items()), dim=True)
    for text in found.searched_for[1:]:
        typer.secho(f"searched for too: {text}", dim=True)
