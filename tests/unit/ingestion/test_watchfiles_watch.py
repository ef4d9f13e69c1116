"""When a watch says that it is time to look again."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from pathlib import Path

import pytest

from contracts import InvalidInputError
from ingestion.sources.watchfiles_watch import watch


async def test_a_change_that_counts_is_told_and_others_are_not(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    async with aclosing(watch([tmp_path], 600, ignored=tmp_path / "data")) as rounds:
        await anext(rounds)
        (tmp_path / ".git").mkdir()
        (tmp_path / ".git/index").write_text("x")
        (tmp_path / "data/catalog.sqlite").write_text("x")
        upcoming = asyncio.ensure_future(anext(rounds))
        await asyncio.wait({upcoming}, timeout=3)
        assert not upcoming.done()
        (tmp_path / ".footnoteignore").write_text("*.log")
        await asyncio.wait_for(upcoming, 20)
        (tmp_path / "a.txt").write_text("x")  # while nobody waits
        await asyncio.sleep(2)
        await asyncio.wait_for(anext(rounds), 20)


async def test_without_a_change_it_is_time_after_the_interval(tmp_path: Path) -> None:
    for places in ([tmp_path], []):
        async with aclosing(watch(places, 0.2)) as rounds:
            for _ in range(3):
                await asyncio.wait_for(anext(rounds), 20)


async def test_what_cannot_be_watched_is_said(tmp_path: Path) -> None:
    async with aclosing(watch([tmp_path / "no/such"], 600)) as rounds:
        await anext(rounds)
        with pytest.raises(InvalidInputError, match="cannot be watched"):
            await asyncio.wait_for(anext(rounds), 20)
