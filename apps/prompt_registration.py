"""Prompts are shown in a registry once that answers: beside the work of a process, never in its way."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from contracts import PromptRegistry, PromptText


async def register_prompts(
    registry: PromptRegistry, prompts: Mapping[str, PromptText], *, attempts: int = 20, pause_s: float = 15.0
) -> bool:
    """Return whether the prompts are there at last; between attempts there is a pause, because the registry may be
    starting just now."""
    for attempt in range(attempts):
        if attempt:
            await asyncio.sleep(pause_s)
        if await registry.register(prompts):
            return True
    return False
