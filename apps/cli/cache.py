"""`footnote cache`: what is cached of answers, and clearing it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from apps.cli.library import with_library
from apps.cli.output import JsonOption, print_json, table

app = typer.Typer(help="Show what is cached of answers, or clear it.", no_args_is_help=True)


@app.command()
def stats(as_json: JsonOption = False) -> None:
    """Show how many answers are cached, how lookups ended since the cache was last cleared, and what hits saved.

    Example: footnote cache stats
    """
    from apps.cached_answers import cache_stats

    found = asdict(with_library(lambda opened: cache_stats(opened.caches.upkeep)))
    if as_json:
        print_json(found)
        return
    lookups = found["exact"] + found["semantic"] + found["misses"] + found["stale"]
    hits = found["exact"] + found["semantic"]
    table(("what", "count"), [{"what": name.replace("_", " "), "count": count} for name, count in found.items()])
    typer.echo(f"{hits / lookups:.1%} of {lookups} lookups were hits." if lookups else "Nothing was looked up yet.")


@app.command()
def clear(
    collection: Annotated[str, typer.Argument(help="The collection's name; without one all answers go.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Remove the cached answers from a COLLECTION, or all.

    Example: footnote cache clear contracts
    """
    from apps.cached_answers import cleared_answers

    count = with_library(lambda opened: cleared_answers(opened.caches.upkeep, collection), collection or "default")
    if as_json:
        print_json({"answers": count})
    else:
        typer.echo(f"Removed {count} cached {'answer' if count == 1 else 'answers'}.")
