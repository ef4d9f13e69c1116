"""`footnote ingest` and `footnote sync`: they need no other process."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from pathlib import PurePath
from typing import TYPE_CHECKING, Annotated

import typer

from apps.cli.output import CollectionOption, JsonOption, library, print_json, table
from apps.cli.run import fail_clearly

if TYPE_CHECKING:
    from apps.bootstrap import Library
    from apps.sources import Indexed
    from apps.syncing import Plan
    from contracts import SourceTree

_SHOWN_ROWS = 100
Paths = Annotated[
    list[str], typer.Argument(help="Files, folders, or URLs such as s3://bucket/folder; folders with all below them.")
]


def ingest(paths: Paths, collection: CollectionOption = "default", as_json: JsonOption = False) -> None:
    """Make files searchable. Unchanged files are skipped, changed ones replaced.

    Example: footnote ingest handbook.pdf papers/ https://example.org/report.html
    """
    from apps.bootstrap import open_tree

    with fail_clearly():
        opened = library(collection)
        trees = [open_tree(path) for path in paths]
        failed = asyncio.run(_once(opened, trees, collection, as_json=as_json))
    raise typer.Exit(1 if failed else 0)


def sync(
    paths: Paths,
    collection: CollectionOption = "default",
    delete: Annotated[bool, typer.Option("--delete", help="Delete documents whose files are gone.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Stay, and follow every change until Ctrl-C.")] = False,
    interval: Annotated[float, typer.Option(min=1, help="Seconds between looks at what is not on this machine.")] = 60,
    allow_empty: Annotated[bool, typer.Option(help="With --delete: also when a folder is empty now.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Make the collection mirror folders, buckets or web folders: new, changed, moved and, with --delete, gone files.

    Example: footnote sync ~/papers s3://team/handbook --delete --watch
    """
    from apps.bootstrap import open_tree

    if watch and dry_run:
        raise typer.BadParameter("--watch and --dry-run do not go together.")
    with fail_clearly():
        opened = library(collection)
        trees = [open_tree(path) for path in paths]
        if dry_run:
            plan = asyncio.run(opened.syncing.plan(trees, collection, exact=True))
            _show_plan(plan, delete=delete, as_json=as_json)
            failed = bool(plan.unreadable)
        elif watch:
            asyncio.run(_watch(opened, trees, collection, delete=delete, interval=interval))
            failed = False
        else:
            failed = asyncio.run(
                _once(opened, trees, collection, mirror=True, delete=delete, allow_empty=allow_empty, as_json=as_json)
            )
    raise typer.Exit(1 if failed else 0)


async def _once(
    opened: Library,
    trees: Sequence[SourceTree],
    collection: str,
    *,
    mirror: bool = False,
    delete: bool = False,
    allow_empty: bool = False,
    as_json: bool = False,
) -> bool:
    """Bring the collection up to date, tell what was done, and return whether anything failed."""
    from apps.syncing import check_not_emptied
    from contracts import InvalidInputError

    started = time.perf_counter()
    plan = await opened.syncing.plan(trees, collection)
    if delete and not allow_empty:
        check_not_emptied(plan, trees)
    if not (plan.read or plan.moved or plan.same or (mirror and plan.gone)):
        raise InvalidInputError(f"No files to read in {', '.join(repr(tree.root) for tree in trees)}.")
    for folder, reason in plan.unreadable:
        typer.echo(f"skipped {folder!r}: {reason}", err=True)
    work = opened.syncing.run(plan, delete=delete)
    done = [*plan.same, *await _shown(work, len(plan.read) + len(plan.moved), quiet=as_json)]
    every = [each for top in done for each in top.every()]
    seconds = time.perf_counter() - started
    await opened.indexing.record(collection, every, seconds)
    await opened.aclose()
    if as_json:
        print_json([_indexed_json(each) for each in every])
    else:
        _show_outcomes(every, seconds)
        if mirror and plan.gone and not delete:
            typer.echo(f"{len(plan.gone)} files are gone; --delete deletes their documents.")
    return bool(plan.unreadable) or any(each.reason for each in every)


async def _watch(
    opened: Library, trees: Sequence[SourceTree], collection: str, *, delete: bool, interval: float
) -> None:
    from apps.bootstrap import open_watch
    from apps.syncing import check_not_emptied
    from contracts import InvalidInputError, StoreUnavailableError

    async with aclosing(open_watch(trees, interval)) as rounds:
        async for _ in rounds:
            try:
                plan = await opened.syncing.plan(trees, collection)
                if delete:
                    check_not_emptied(plan, trees)
                async for top in opened.syncing.run(plan, delete=delete):
                    for done in top.every():
                        why = f"  {done.reason}: {done.message}" if done.reason else ""
                        typer.echo(f"{time.strftime('%H:%M:%S')} {done.outcome:>9}  {done.source}{why}")
            except (InvalidInputError, StoreUnavailableError) as exc:  # a disk that is away may come back
                typer.echo(f"{time.strftime('%H:%M:%S')} {exc}", err=True)


async def _shown(work: AsyncIterator[Indexed], total: int, *, quiet: bool) -> list[Indexed]:
    """Collect the outcomes, with a progress bar on a terminal and plain lines elsewhere."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    done: list[Indexed] = []
    console = Console(stderr=True)
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=console, disable=quiet or not console.is_terminal) as progress:
        task = progress.add_task("Ingesting", total=total)
        async for each in work:
            done.append(each)
            progress.update(task, description=_short(each.source), advance=1)
            if not (quiet or console.is_terminal):
                typer.echo(f"{each.outcome:>9}  {_short(each.source)}", err=True)
        progress.update(task, description="Ingested")
    return done


def _show_outcomes(done: Sequence[Indexed], seconds: float) -> None:
    from apps.sources import Outcome

    changed = [each for each in done if each.outcome is not Outcome.UNCHANGED]
    shown = changed if len(changed) <= _SHOWN_ROWS else [each for each in changed if each.reason]
    rows = [
        {
            "file": _short(each.source),
            "outcome": each.outcome.value,
            "chunks": each.chunks,
            "why": f"{each.reason}: {each.message}" if each.reason else "",
        }
        for each in shown
    ]
    if rows:
        table(("file", "outcome", "chunks", "why"), rows)
    counts = ", ".join(f"{n} {o}" for o in Outcome if (n := sum(each.outcome is o for each in done)))
    typer.echo(f"{len(done)} files in {seconds:.1f} s: {counts}.")


def _show_plan(plan: Plan, *, delete: bool, as_json: bool) -> None:
    rows = [{"would": "add" if plan.is_new(each) else "update", "file": each.name} for each in plan.read]
    rows += [{"would": "move", "file": f"{old.source} → {new.name}"} for old, new in plan.moved]
    rows += [{"would": "delete" if delete else "keep, though it is gone", "file": name} for name in plan.gone]
    rows += [{"would": "skip: " + reason, "file": folder} for folder, reason in plan.unreadable]
    if as_json:
        print_json(rows)
        return
    if rows:
        table(("would", "file"), rows)
    typer.echo(f"{len(rows)} changes; {len(plan.same)} files are unchanged.")


def _short(source: str) -> str:
    """The last part of a source; for a file in an archive, what follows the archive's folder."""
    outer, mark, inner = source.partition("!/")
    return f"{PurePath(outer).name or outer}{mark}{inner}"


def _indexed_json(each: Indexed) -> dict[str, object]:
    return {
        "source": each.source,
        "outcome": each.outcome.value,
        "document_id": each.document_id,
        "chunks": each.chunks,
        "seconds": round(each.seconds, 3),
        "reason": each.reason,
        "message": each.message,
    }
