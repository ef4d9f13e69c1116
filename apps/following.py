"""Follows sources: syncs on every sign of a change, and goes on when something is in the way for a while."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field, replace

from apps.sources import Indexed, Source
from apps.syncing import Plan, Syncing, check_not_emptied
from contracts import InvalidInputError, ParseFailure, SourceTree, StoreUnavailableError

_NO_USE = frozenset({ParseFailure.TIMEOUT, ParseFailure.INTERNAL})  # trying the same bytes again each minute


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why sources, or some folders of theirs, cannot be looked at now."""

    message: str


@dataclass(frozen=True, slots=True)
class Following:
    """The use case over single syncs. `delete` and `allow_empty` are as for one."""

    syncing: Syncing
    delete: bool = False
    allow_empty: bool = False
    _given_up: dict[str, tuple[object, ...]] = field(default_factory=dict, init=False)

    async def run(
        self, trees: Sequence[SourceTree], collection: str, rounds: AsyncGenerator[None]
    ) -> AsyncGenerator[Indexed | Trouble]:
        """Sync at each of the `rounds` and yield what became of the files, and new trouble.

        Raises InvalidInputError and StoreUnavailableError in the first round; later ones are trouble, as a disk that is
        away may come back.
        """
        told: str | None = None
        async for _ in rounds:
            try:
                plan = await self._plan(trees, collection)
                trouble = "; ".join(f"skipped {folder!r}: {reason}" for folder, reason in plan.unreadable)
                async for done in self._carried_out(plan):
                    yield done
            except (InvalidInputError, StoreUnavailableError) as exc:
                if told is None:
                    raise
                trouble = str(exc)
            if trouble and trouble != told:
                yield Trouble(trouble)
            told = trouble

    async def _plan(self, trees: Sequence[SourceTree], collection: str) -> Plan:
        plan = await self.syncing.plan(trees, collection)
        if self.delete and not self.allow_empty:
            check_not_emptied(plan, trees)
        return plan

    async def _carried_out(self, plan: Plan) -> AsyncGenerator[Indexed]:
        """Yield what became of each file, but not of one that failed as before."""
        signs = {source.name: _signs(source) for source in plan.read}
        wanted = tuple(source for source in plan.read if self._given_up.get(source.name) != signs[source.name])
        async for top in self.syncing.run(replace(plan, read=wanted), delete=self.delete):
            self._given_up.pop(top.source, None)
            if top.source in signs and any(each.reason in _NO_USE for each in top.every()):
                self._given_up[top.source] = signs[top.source]
            for done in top.every():
                before = plan.known.get(done.source)
                if not (done.reason and before and before.message == done.message):
                    yield done


def _signs(source: Source) -> tuple[object, ...]:
    return source.fingerprint, source.problem, source.readers, dict(source.metadata)
