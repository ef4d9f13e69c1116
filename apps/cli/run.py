"""How every command ends: one clear line on standard error for what went wrong, and an exit code."""

from __future__ import annotations

import asyncio
import gc
import signal
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import typer

T = TypeVar("T")
STOPPED = frozenset({130, 143})  # by Ctrl-C, by SIGTERM
_GARBAGE_THRESHOLD = (
    50_000  # objects; importing torch makes a million that stay, and each search for garbage reads them
)


@contextmanager
def fail_clearly() -> Iterator[None]:
    """Turn an error that Footnote names into one line and exit code 1."""
    from contracts import FootnoteError  # numpy comes with it: not needed for `--help`

    gc.set_threshold(_GARBAGE_THRESHOLD)
    try:
        yield
    except FootnoteError as exc:
        typer.secho(f"Error: {exc}", fg="red", err=True)
        raise typer.Exit(1) from exc
    finally:
        gc.freeze()  # the search at the end of the process, through all that libraries made, would take a second


def until_done(work: Coroutine[Any, Any, T]) -> T:
    """Run a command's work. Ctrl-C and SIGTERM cancel it, so that it cleans up; the exit code says which it was."""

    async def run() -> T:
        task = asyncio.current_task()
        assert task is not None
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        return await work

    try:
        return asyncio.run(run())
    except KeyboardInterrupt as exc:
        raise typer.Exit(130) from exc
    except asyncio.CancelledError as exc:
        raise typer.Exit(143) from exc
