"""`footnote up`, `down`, `status` and `doctor`."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from apps.cli.run import fail_clearly

if TYPE_CHECKING:
    from collections.abc import Sequence

    from apps.doctor import Check
    from apps.settings import Settings

_STOP_TIMEOUT_S = 90.0
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def up(
    docs: Annotated[list[Path] | None, typer.Option("--docs", help="Ingest this file or folder too.")] = None,
    samples: Annotated[bool, typer.Option(help="Ingest the samples and ask a question about them.")] = True,
) -> None:
    """Start everything, answer a sample question, and stay until Ctrl-C.

    Example: footnote up --docs ~/papers
    """
    import asyncio

    from rich.console import Console

    from apps.cli.up import run_up
    from apps.run_file import RunFile
    from apps.settings import load_settings
    from contracts import InvalidInputError

    console = Console(highlight=False)
    with fail_clearly():
        settings = load_settings()
        for path in docs or []:
            if not path.exists():
                raise InvalidInputError(f"{str(path)!r} does not exist.")
        run_file = RunFile(settings.data_dir)
        with run_file.hold():
            _refuse(_problems(settings))
            asyncio.run(run_up(settings, run_file, console, docs=docs or [], with_samples=samples))


def down() -> None:
    """Stop the running stack.

    Example: footnote down
    """
    import psutil

    from apps.run_file import RunFile
    from apps.settings import load_settings

    with fail_clearly():
        stack = RunFile(load_settings().data_dir).read()
    if stack is None:
        typer.echo("Footnote does not run.")
        return
    process = psutil.Process(stack.pid)
    try:
        process.terminate()
        process.wait(_STOP_TIMEOUT_S)
    except psutil.NoSuchProcess:
        pass
    except psutil.AccessDenied as exc:
        typer.echo(f"Process {stack.pid} runs Footnote and belongs to another user: stop it as that user.", err=True)
        raise typer.Exit(1) from exc
    except psutil.TimeoutExpired as exc:
        typer.echo(f"Process {stack.pid} is still stopping after {_STOP_TIMEOUT_S:.0f} s.", err=True)
        raise typer.Exit(1) from exc
    typer.echo("Footnote is stopped.")


def status(as_json: Json = False) -> None:
    """Show each part of the stack; exit code 1 unless all of them are ready.

    Example: footnote status --json
    """
    from rich.console import Console
    from rich.table import Table

    from apps.settings import load_settings
    from apps.status import stack_status

    with fail_clearly():
        parts = stack_status(load_settings())
    if as_json:
        json.dump([asdict(part) for part in parts], sys.stdout, indent=2)
        sys.stdout.write("\n")
    else:
        table = Table("part", "state", "url", "process", box=None)
        for part in parts:
            table.add_row(part.name, part.state, part.url, str(part.pid or ""))
        Console(highlight=False).print(table)
    if any(part.state != "ready" for part in parts):
        raise typer.Exit(1)


def doctor(as_json: Json = False) -> None:
    """Check that everything can be started; exit code 1 when something is wrong.

    Example: footnote doctor
    """
    from rich.console import Console

    from apps.doctor import examine
    from apps.run_file import RunFile
    from apps.settings import load_settings

    with fail_clearly():
        settings = load_settings()
        checks = examine(settings, running=RunFile(settings.data_dir).read() is not None)
    if as_json:
        json.dump([{**asdict(check), "ok": check.ok} for check in checks], sys.stdout, indent=2)
        sys.stdout.write("\n")
    else:
        console = Console(highlight=False)
        for check in checks:
            mark = "[green]✓[/]" if check.ok else "[red]✗[/]"
            console.print(f"{mark} {check.name:<28}{check.found}", soft_wrap=True)
            if not check.ok:
                console.print(f"  → {check.remedy}", markup=False, soft_wrap=True)
    if not all(check.ok for check in checks):
        raise typer.Exit(1)


def _problems(settings: Settings) -> tuple[Check, ...]:
    from apps.doctor import examine

    return tuple(check for check in examine(settings) if not check.ok)


def _refuse(problems: Sequence[Check]) -> None:
    for problem in problems:
        typer.echo(f"Error: {problem.name}: {problem.found}. {problem.remedy}", err=True)
    if problems:
        raise typer.Exit(1)
