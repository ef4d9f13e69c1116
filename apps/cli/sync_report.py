"""What `footnote ingest` and `footnote sync` tell of their work."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING

import typer

from apps.cli.output import print_json, table

if TYPE_CHECKING:
    from apps.sources import Indexed
    from apps.syncing import Plan

_SHOWN_ROWS = 100


async def shown(work: AsyncIterator[Indexed], total: int, *, quiet: bool) -> list[Indexed]:
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
                typer.echo(f"{each.outcome:>9}  {_short(each.source)}{flagged_note(each)}", err=True)
        progress.update(task, description="Ingested")
    return done


def show_outcomes(done: Sequence[Indexed], seconds: float) -> None:
    """Print a row for each file that was touched, or for each that failed or has flagged passages when there are many,
    and the counts."""
    from apps.sources import Outcome

    changed = [each for each in done if each.outcome is not Outcome.UNCHANGED]
    shown = changed if len(changed) <= _SHOWN_ROWS else [each for each in changed if each.reason or each.flagged]
    rows = [
        {
            "file": _short(each.source),
            "outcome": each.outcome.value,
            "chunks": each.chunks,
            "flagged": each.flagged or "",
            "why": f"{each.reason}: {each.message}" if each.reason else "",
        }
        for each in shown
    ]
    total = sum(each.flagged for each in done)
    if rows:
        table(("file", "outcome", "chunks", *(("flagged",) if total else ()), "why"), rows)
    counts = ", ".join(f"{n} {o}" for o in Outcome if (n := sum(each.outcome is o for each in done)))
    typer.echo(f"{len(done)} files in {seconds:.1f} s{f': {counts}' if counts else ''}.")
    if total:
        typer.echo(f"{total} passages are flagged; `footnote documents flagged` lists them.")


def show_plan(plan: Plan, *, delete: bool, as_json: bool) -> None:
    """Print what a sync would do."""
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


def flagged_note(each: Indexed) -> str:
    """Return what a line on a file says of its flagged passages: nothing where there is none."""
    return f"  {each.flagged} of {each.chunks} passages flagged" if each.flagged else ""


def _short(source: str) -> str:
    """The last part of a source; for a file in an archive, what follows the archive's folder."""
    outer, mark, inner = source.partition("!/")
    return f"{PurePath(outer).name or outer}{mark}{inner}"


def outcome_json(each: Indexed) -> dict[str, object]:
    """Return what became of a file, as it is printed for programs."""
    return {
        "source": each.source,
        "outcome": each.outcome.value,
        "document_id": each.document_id,
        "chunks": each.chunks,
        "flagged": each.flagged,
        "seconds": round(each.seconds, 3),
        "reason": each.reason,
        "message": each.message,
    }
