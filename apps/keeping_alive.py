"""What dies is started again, until it dies too often."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import NoReturn

from apps.supervisor import ChildDiedError, Supervisor
from contracts import Service

_RESTARTS = 3  # of one part; it starts over when the part stayed up for a while
_STEADY_S = 600.0
_PAUSE_S = 1.0


async def keep_alive(
    supervisor: Supervisor,
    services: Mapping[str, Service],
    *,
    say: Callable[[str], None],
    start_again: Callable[[Service], Awaitable[None]],
) -> NoReturn:
    """Start again whichever of the `services`, by name, dies, and `say` why it died. Raises ChildDiedError at the
    fourth death within ten minutes."""
    deaths: dict[str, list[float]] = {}
    clock = asyncio.get_running_loop().time
    while True:
        child = await supervisor.until_any_dies(services)
        recent = [when for when in deaths.get(child.name, []) if clock() - when < _STEADY_S]
        deaths[child.name] = [*recent, clock()]
        if len(recent) >= _RESTARTS:
            raise ChildDiedError(f"It does not stay up: {child.obituary()}")
        say(f"{child.obituary()}\nIt is started again.")
        await asyncio.sleep(_PAUSE_S)
        await start_again(services[child.name])
