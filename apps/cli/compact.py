"""`footnote compact`: it needs no other process."""

from __future__ import annotations

import asyncio

import typer

from apps.cli.output import library
from apps.cli.run import fail_clearly


def compact() -> None:
    """Remove outdated versions and whatever nothing needs, and give the space back to the disk.

    Example: footnote compact
    """
    with fail_clearly():
        asyncio.run(library().housekeeping.compact())
    typer.echo("Compacted.")
