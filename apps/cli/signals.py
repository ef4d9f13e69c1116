"""Signals that ask a command which stays to end."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def ended_by_signals() -> Iterator[Callable[[], bool]]:
    """Cancel the current task at the first Ctrl-C, SIGTERM or SIGHUP; later ones change nothing."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None
    received: list[signal.Signals] = []

    def end(name: signal.Signals) -> None:
        if not received:
            task.cancel()
        received.append(name)

    names = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # started by nohup: it outlives its terminal
        names.append(signal.SIGHUP)
    for name in names:
        loop.add_signal_handler(name, end, name)
    try:
        yield lambda: bool(received)
    finally:
        for name in names:
            loop.remove_signal_handler(name)
