"""`footnote compact`: it needs no other process."""

from __future__ import annotations

import typer

from apps.cli.library import with_library


def compact() -> None:
    """Remove outdated versions and whatever nothing needs, and give the space back to the disk.

    Example: footnote compact
    """
    with_library(lambda opened: opened.housekeeping.compact())
    typer.echo("Compacted.")
