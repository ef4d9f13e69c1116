"""Steps that run side by side: a live list on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

_NAME_WIDTH = 14


class Steps:
    """Shows what is being done and how long it took. As a context manager it may draw a live list; what comes after
    that is told in plain lines."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._drawing = False
        self._began: dict[str, float] = {}
        self._tasks: dict[str, TaskID] = {}
        self._live = Progress(
            SpinnerColumn(finished_text="[green]✓[/]"),
            TextColumn(f"{{task.fields[name]:<{_NAME_WIDTH}}}"),
            TextColumn("{task.description}", style="dim"),
            TimeElapsedColumn(),
            console=console,
            disable=not console.is_terminal,
        )

    def __enter__(self) -> Self:
        self._live.start()
        self._drawing = self._console.is_terminal
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._live.stop()
        self._drawing = False

    def begin(self, name: str, doing: str) -> None:
        """Show that `name` is under way; said again, it goes on with something else."""
        self._began.setdefault(name, time.monotonic())
        if not self._drawing:
            self.say(f"{name:<{_NAME_WIDTH}} {doing} ...")
        elif name in self._tasks:
            self._live.update(self._tasks[name], description=doing)
        else:
            self._tasks[name] = self._live.add_task(doing, total=1, name=name)

    def end(self, name: str, done: str) -> None:
        """Show that `name` is done."""
        if self._drawing:
            self._live.update(self._tasks[name], description=done, completed=1)
        else:
            self.say(f"{name:<{_NAME_WIDTH}} {done}  {time.monotonic() - self._began[name]:.1f} s")

    def say(self, line: str) -> None:
        """Show something else."""
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)
