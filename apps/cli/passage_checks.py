"""`footnote documents flagged` and `footnote documents check`: what was found in passages, and finding it anew."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import typer

from apps.cli.library import with_library
from apps.cli.output import CollectionOption, JsonOption, print_json, table

if TYPE_CHECKING:
    from apps.bootstrap import Library
    from apps.sources import Indexed
    from contracts import Chunk, Document

_SHOWN_CHARS = 120  # of a passage


def flagged(collection: CollectionOption = "default", as_json: JsonOption = False) -> None:
    """List the passages that broke a rule when they were checked, such as one against prompt injection.

    Example: footnote documents flagged --collection default
    """

    async def read(opened: Library) -> list[dict[str, Any]]:
        from apps.collection_settings import known_collection
        from apps.flagged import flagged_passages

        await known_collection(opened.collections, collection)
        found = flagged_passages(opened.list_flagged, opened.catalog, collection)
        return [_flagged_row(document, chunk) async for document, chunk in found]

    rows = with_library(read, collection)
    if as_json:
        print_json(rows)
    elif rows:
        table(("source", "page", "rules", "text"), [_shortened(row) for row in rows])
    else:
        typer.echo(f"No passage of collection {collection!r} is flagged.")


def check(collection: CollectionOption = "default", as_json: JsonOption = False) -> None:
    """Check stored passages again after the rules for documents changed. A sync does that for its files; uploads and
    imported collections need this command.

    Example: footnote documents check --collection default
    """
    from apps.cli.sync_report import outcome_json, show_outcomes

    async def work(opened: Library) -> list[Indexed]:
        return [each async for each in opened.indexing.check_again(collection)]

    started = time.perf_counter()
    done = with_library(work, collection)
    if as_json:
        print_json([outcome_json(each) for each in done])
    else:
        show_outcomes(done, time.perf_counter() - started)
    raise typer.Exit(1 if any(each.reason for each in done) else 0)


def _flagged_row(document: Document, chunk: Chunk) -> dict[str, Any]:
    return {
        "document_id": document.id,
        "source": document.source,
        "page": chunk.page,
        "position": chunk.position,
        "flags": list(chunk.flags),
        "text": chunk.text,
    }


def _shortened(row: Mapping[str, Any]) -> dict[str, object]:
    """A row for people: the text on one line, cut, and what a terminal would obey made visible."""
    text = " ".join(row["text"].split())
    shown = "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)
    return {
        "source": row["source"],
        "page": row["page"] or "",
        "rules": ", ".join(row["flags"]),
        "text": shown if len(shown) <= _SHOWN_CHARS else shown[: _SHOWN_CHARS - 1] + "…",
    }
