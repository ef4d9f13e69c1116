"""Sends small files to the worker processes in groups: each trip there takes longer than reading one of them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

from ingestion.parsing.sandbox_worker import Job, Outcome

_MOST = 32  # files in a group

SendGroup = Callable[[Sequence[Job]], Awaitable[Sequence[Outcome]]]
SendOne = Callable[[Job], Awaitable[Outcome]]


class FileGroups:
    """Groups what is asked for while the workers are busy; nothing waits for a group to fill.

    When a group fails, by one of its files, each of them is sent on its own: none suffers for another.
    """

    def __init__(self, send_group: SendGroup, send_one: SendOne, workers: int) -> None:
        self._send_group = send_group
        self._send_one = send_one
        self._workers = workers
        self._waiting: deque[tuple[Job, asyncio.Future[Outcome | None]]] = deque()
        self._sent: set[asyncio.Task[None]] = set()

    async def parse(self, job: Job) -> Outcome:
        """Return what the parser says of the file. Raises what `send_one` raises."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Outcome | None] = loop.create_future()
        self._waiting.append((job, answer))
        loop.call_soon(self._send_waiting)  # soon: what is asked for at the same time goes together
        return await answer or await self._send_one(job)

    def _send_waiting(self) -> None:
        while self._waiting and len(self._sent) < 2 * self._workers:  # one under way, one at hand for each worker
            share = -(-len(self._waiting) // self._workers)
            group = [self._waiting.popleft() for _ in range(min(share, _MOST))]
            group = [(job, answer) for job, answer in group if not answer.done()]  # the others were cancelled
            if group:
                self._send(group)

    def _send(self, group: Sequence[tuple[Job, asyncio.Future[Outcome | None]]]) -> None:
        task = asyncio.create_task(self._answer(group))
        self._sent.add(task)
        for _, answer in group:  # to cancel one ends the worker, so that a file that hangs does not go on
            answer.add_done_callback(lambda answer: task.cancel() if answer.cancelled() else None)

    async def _answer(self, group: Sequence[tuple[Job, asyncio.Future[Outcome | None]]]) -> None:
        outcomes: Sequence[Outcome | None] = [None] * len(group)
        try:
            if len(group) > 1:
                outcomes = await self._send_group([job for job, _ in group])
        except Exception:  # whatever it was, it comes again to the file that caused it
            pass
        finally:
            task = asyncio.current_task()
            assert task is not None
            self._sent.discard(task)
            for (_, answer), outcome in zip(group, outcomes, strict=True):
                if not answer.done():
                    answer.set_result(outcome)
            self._send_waiting()
