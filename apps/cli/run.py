"""How every command fails: one clear line on standard error and an exit code."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer


@contextmanager
def fail_clearly() -> Iterator[None]:
    """Turn an error that Footnote names into one line and exit code 1."""
    from contracts import FootnoteError  # numpy comes with it: not needed for `--help`

    try:
        yield
    except FootnoteError as exc:
        typer.secho(f"Error: {exc}", fg="red", err=True)
        raise typer.Exit(1) from exc
