"""What the commands share: common options, tables and JSON."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Mapping, Sequence
from typing import Annotated

import typer

_UNCUT = 10_000  # characters; a program that reads lines wants them whole
CollectionOption = Annotated[str, typer.Option("--collection", "-c", help="The collection's name.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def table(columns: Sequence[str], rows: Sequence[Mapping[str, object]]) -> None:
    """Print rows under their columns."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    shown = Table(*columns, box=None, pad_edge=False)
    for row in rows:
        shown.add_row(*(Text(str(row[column])) for column in columns))
    if sys.stdout.isatty():
        Console().print(shown)
        return
    text = io.StringIO()
    Console(file=text, width=_UNCUT).print(shown)
    typer.echo("\n".join(line.rstrip() for line in text.getvalue().splitlines()))


def print_json(value: object) -> None:
    """Print a value as JSON."""
    json.dump(value, sys.stdout, indent=2, ensure_ascii=False, default=str)
    sys.stdout.write("\n")
    sys.stdout.flush()  # here and not at the end, where a reader that is gone could not be heeded
