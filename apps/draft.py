"""An answer while it is written: what has been released so far, and the events that tell a client so."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from contracts import Answer, CheckedSentence, Citation, Hit, Usage


@dataclass(frozen=True, slots=True)
class Found:
    """The passages that the answer is made from, before the first word of it."""

    hits: tuple[Hit, ...]
    generation: int
    cached: bool


@dataclass(frozen=True, slots=True)
class Released:
    """A piece of the answer that has passed the guard."""

    text: str


Event = Found | Released | Citation | Answer
Emit = Callable[[Event], Awaitable[None]]


class Draft:
    """The answer as far as it has been released, and `written`, all that the model has said so far."""

    def __init__(self, sources: Sequence[Hit], emit: Emit) -> None:
        self.sources = sources
        self._emit = emit
        self.text = ""
        self.written = ""
        self.usage = Usage()
        self.sentences = 0
        self.citations: dict[int, Citation] = {}

    def holds(self, checked: CheckedSentence) -> bool:
        """Whether the same sentence has been released before."""
        return checked.text.strip() in self.text

    async def release(self, text: str) -> None:
        self.text += text
        await self._emit(Released(text))

    async def add(self, checked: CheckedSentence, written: str) -> None:
        """Release a checked sentence with the white space that the model wrote around it, and cite its sources."""
        gap = " " if self.text and not self.text[-1].isspace() and not written[0].isspace() else ""
        lead = written[: len(written) - len(written.lstrip())]
        tail = written[len(written.rstrip()) :]
        await self.release(gap + (lead if self.text else "") + checked.text.strip() + tail)
        self.sentences += 1
        for marker in checked.markers:
            if marker not in self.citations:
                self.citations[marker] = Citation(marker, self.sources[marker - 1], checked.attributed_by)
                await self._emit(self.citations[marker])
