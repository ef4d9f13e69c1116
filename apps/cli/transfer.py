"""`footnote export` and `footnote import`."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path
from typing import Annotated

import typer

from apps.cli.library import with_library


def export(
    name: Annotated[str, typer.Argument(help="The collection's name.")],
    file: Annotated[Path, typer.Argument(help="Where to write it, such as papers.tar.zst.")],
) -> None:
    """Write the collection NAME to one FILE: documents, versions, passages, vectors and checksums.

    A file that is there is replaced once the new one is complete. Example: footnote export default default.tar.zst
    """
    with_library(lambda opened: shown("Exporting", opened.transfer.export(name, file)), name)
    typer.echo(f"Exported {name!r} to {file} ({file.stat().st_size / (1 << 20):.1f} MiB).")


def import_(
    file: Annotated[Path, typer.Argument(help="What `footnote export` wrote.")],
    name: Annotated[str, typer.Option("--as", help="The collection's new name; its own if none is given.")] = "",
) -> None:
    """Make a collection of an exported FILE; it finds what the exported one found, and nothing is computed again.

    Example: footnote import default.tar.zst --as copy
    """
    with_library(lambda opened: shown("Importing", opened.transfer.load(file, name)), name or "default")
    typer.echo(f"Imported {file}{f' as {name!r}' if name else ''}.")


async def shown(what: str, steps: AsyncGenerator[tuple[int, int]]) -> None:
    """Do steps that tell how many are done of how many, with a progress bar on a terminal."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task(what, total=None)
        async with aclosing(steps):
            async for done, total in steps:
                progress.update(task, completed=done, total=total)
