"""`footnote rebuild`: search indexes made anew from the catalog."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from apps.cli.library import with_library

if TYPE_CHECKING:
    from apps.bootstrap import Library


def rebuild(
    collections: Annotated[list[str] | None, typer.Argument(help="Which collections; all without a name.")] = None,
) -> None:
    """Make the search indexes anew from the catalog, which holds all that they are made of.

    Never needed in ordinary life: an index that is missing or damaged is made anew by itself.

    Example: footnote rebuild default
    """

    async def work(opened: Library) -> None:
        from apps.collection_settings import existing_collection

        names = list(dict.fromkeys(collections or [found.name for found in await opened.collections.list()]))
        known = [await existing_collection(opened.collections, name) for name in names]
        for found in known:
            opened.remove_views(found.name)
            await opened.views.open(found.name, opened.open_embedder(found.embedder))
            typer.echo(f"Rebuilt {found.name!r}; passages that can be found: {found.chunks}.")

    with_library(work)
