"""`footnote export` and `footnote import`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path
from typing import Annotated

import typer

from apps.cli.output import library
from apps.cli.run import fail_clearly


def export(
    name: Annotated[str, typer.Argument(help="The collection's name.")],
    file: Annotated[Path, typer.Argument(help="Where to write it, such as papers.tar.zst.")],
) -> None:
    """Write a collection to one file: documents, versions, passages, vectors and checksums.

    Example: footnote export default default.tar.zst
    """
    with fail_clearly():
        opened = library(name)
        asyncio.run(_show("Exporting", opened.transfer.export(name, file)))
    typer.echo(f"Exported {name!r} to {file} ({file.stat().st_size / (1 << 20):.1f} MiB).")


def import_(
    file: Annotated[Path, typer.Argument(help="What `footnote export` wrote.")],
    name: Annotated[str, typer.Option("--as", help="The collection's new name; its own if none is given.")] = "",
) -> None:
    """Make a collection of an exported file; it finds what the exported one found.

    Example: footnote import default.tar.zst --as copy
    """
    with fail_clearly():
        opened = library(name or "default")
        asyncio.run(_show("Importing", opened.transfer.load(file, name)))
    typer.echo(f"Imported {file}.")


async def _show(what: str, steps: AsyncGenerator[tuple[int, int]]) -> None:
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task(what, total=None)
        async with aclosing(steps):
            async for done, total in steps:
                progress.update(task, completed=done, total=total)
