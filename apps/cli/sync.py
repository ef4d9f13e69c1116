"""`footnote ingest` and `footnote sync`: they need no other process."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Annotated

import typer

from apps.cli.library import with_library
from apps.cli.output import CollectionOption, JsonOption, print_json
from apps.cli.run import STOPPED
from apps.cli.sync_report import flagged_note, outcome_json, show_outcomes, show_plan, shown

if TYPE_CHECKING:
    from apps.bootstrap import Library
    from apps.following import Following

Paths = Annotated[list[str], typer.Argument(help="Files, folders, or URLs; folders with all below them.")]


def ingest(paths: Paths, collection: CollectionOption = "default", as_json: JsonOption = False) -> None:
    """Make files searchable. Unchanged files are skipped, changed ones replaced.

    PATHS are files, folders with all below them, and URLs such as https://example.org/report.html or s3://bucket/folder.

    Example: footnote ingest handbook.pdf papers/ https://example.org/report.html
    """
    failed = with_library(lambda opened: _once(opened, paths, collection, as_json=as_json), collection)
    raise typer.Exit(1 if failed else 0)


def sync(
    paths: Paths,
    collection: CollectionOption = "default",
    delete: Annotated[bool, typer.Option("--delete", help="Delete documents whose files are gone.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Stay, and follow every change until Ctrl-C.")] = False,
    interval: Annotated[float, typer.Option(min=1, help="Seconds between looks at what is not on this machine.")] = 60,
    allow_empty: Annotated[
        bool, typer.Option("--allow-empty", help="With --delete: also when a folder is empty now.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Make the collection mirror folders, buckets or web folders: new, changed, moved and, with --delete, gone files.

    PATHS are files, folders with all below them, and URLs such as https://example.org/papers/ or s3://bucket/folder.

    Example: footnote sync ~/papers s3://team/handbook --delete --watch
    """
    from apps.following import Following

    if watch and dry_run:
        raise typer.BadParameter("--watch and --dry-run do not go together.")
    if dry_run:
        failed = with_library(lambda opened: _plan(opened, paths, collection, delete, as_json=as_json), collection)
    elif watch:
        failed = False
        try:
            with_library(
                lambda opened: _watch(
                    opened, paths, collection, interval, Following(opened.syncing, delete, allow_empty), as_json=as_json
                ),
                collection,
            )
        except typer.Exit as stopped:
            if stopped.exit_code not in STOPPED:  # which is how one ends it
                raise
    else:
        failed = with_library(
            lambda opened: _once(
                opened, paths, collection, mirror=True, delete=delete, allow_empty=allow_empty, as_json=as_json
            ),
            collection,
        )
    raise typer.Exit(1 if failed else 0)


async def _once(
    opened: Library,
    paths: Sequence[str],
    collection: str,
    *,
    mirror: bool = False,
    delete: bool = False,
    allow_empty: bool = False,
    as_json: bool = False,
) -> bool:
    """Bring the collection up to date, tell what was done, and return whether anything failed."""
    from apps.bootstrap import open_tree
    from apps.syncing import check_not_emptied
    from contracts import InvalidInputError

    started = time.perf_counter()
    trees = [open_tree(path) for path in paths]
    plan = await opened.syncing.plan(trees, collection)
    for folder, reason in plan.unreadable:
        typer.echo(f"skipped {folder!r}: {reason}", err=True)
    if delete and not allow_empty:
        check_not_emptied(plan, trees)
    if not (plan.read or plan.moved or plan.same or (mirror and plan.gone)):
        raise InvalidInputError(f"No files to read in {', '.join(repr(tree.root) for tree in trees)}.")
    work = opened.syncing.run(plan, delete=delete)
    done = [*plan.same, *await shown(work, len(plan.read) + len(plan.moved), quiet=as_json)]
    every = [each for top in done for each in top.every()]
    seconds = time.perf_counter() - started
    await opened.indexing.record(collection, every, seconds)
    if as_json:
        print_json([outcome_json(each) for each in every])
    else:
        show_outcomes(every, seconds)
        if mirror and plan.gone and not delete:
            typer.echo(f"{len(plan.gone)} files are gone; --delete deletes their documents.")
    return bool(plan.unreadable) or any(each.reason for each in every)


async def _plan(opened: Library, paths: Sequence[str], collection: str, delete: bool, *, as_json: bool) -> bool:
    """Tell what a sync would do, and return whether something cannot be looked at."""
    from apps.bootstrap import open_tree

    plan = await opened.syncing.plan([open_tree(path) for path in paths], collection, exact=True)
    show_plan(plan, delete=delete, as_json=as_json)
    return bool(plan.unreadable)


async def _watch(
    opened: Library, paths: Sequence[str], collection: str, interval: float, following: Following, *, as_json: bool
) -> None:
    """Follow the sources until cancelled, and tell each thing that is done on a line of its own."""
    from apps.bootstrap import open_tree, open_watch
    from apps.following import Trouble

    trees = [open_tree(path) for path in paths]
    typer.echo("Watching; Ctrl-C ends it.", err=True)
    async with (
        aclosing(open_watch(opened.settings, trees, interval)) as rounds,
        aclosing(following.run(trees, collection, rounds)) as news,
    ):
        async for each in news:
            now = time.strftime("%H:%M:%S")
            if isinstance(each, Trouble):
                typer.echo(f"{now} {each.message}", err=True)
            elif as_json:
                typer.echo(json.dumps(outcome_json(each), ensure_ascii=False))
            else:
                why = f"  {each.reason}: {each.message}" if each.reason else flagged_note(each)
                typer.echo(f"{now} {each.outcome:>9}  {each.source}{why}")
