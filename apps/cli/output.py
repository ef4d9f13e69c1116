"""What the commands share: common options, the library they open, tables and JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from apps.bootstrap import Library

CollectionOption = Annotated[str, typer.Option("--collection", "-c", help="The collection's name.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def library(collection: str = "default") -> Library:
    """Open what works with every other process down. Raises FootnoteError."""
    from apps.bootstrap import open_library
    from apps.settings import check_collection_name, load_settings
    from observability.logs import configure_logs

    check_collection_name(collection)
    settings = load_settings()
    configure_logs("WARNING" if settings.log_level == "INFO" else settings.log_level)
    return open_library(settings)


def table(columns: Sequence[str], rows: Sequence[Mapping[str, object]]) -> None:
    """Print rows under their columns."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    shown = Table(*columns, box=None, pad_edge=False)
    for row in rows:
        shown.add_row(*(Text(str(row[column])) for column in columns))
    Console(width=None if sys.stdout.isatty() else 200).print(shown)


def print_json(value: object) -> None:
    """Print a value as JSON."""
    json.dump(value, sys.stdout, indent=2, ensure_ascii=False, default=str)
    sys.stdout.write("\n")
