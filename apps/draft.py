"""An answer while it is written: what has been released so far, and the events that tell a client so."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from contracts import (
    Answer,
    AnswerMode,
    AnswerSentence,
    CacheStatus,
    CheckedSentence,
    Citation,
    Finish,
    Hit,
    Token,
    Usage,
    Violation,
)


@dataclass(frozen=True, slots=True)
class Found:
    """The passages that the answer is made from, before the first word of it."""

    hits: tuple[Hit, ...]
    generation: int
    cached: bool


@dataclass(frozen=True, slots=True)
class Released:
    """A piece of the answer that has passed the guard; one that is not `supported` is marked so."""

    text: str
    supported: bool = True


_SENTENCE_ENDS = (".", "!", "?", "…", "。", "！", "？", "؟", "]")
Event = Found | Released | Citation | Violation | Answer
Emit = Callable[[Event], Awaitable[None]]


def is_whole(sentence: str, *, cut_off: bool) -> bool:
    """Return whether the last sentence ended by itself: half a sentence may say the opposite of the whole one."""
    return not cut_off or sentence.rstrip().endswith(_SENTENCE_ENDS)


class Draft:
    """The answer as far as it has been released, and `written`, all that the model has said so far, and which one;
    `asked` is the one that it was to be. What is `verbatim` leaves with all its white space."""

    def __init__(self, sources: Sequence[Hit], emit: Emit) -> None:
        self.sources = sources
        self._emit = emit
        self.asked = ""
        self.verbatim = False
        self.tool_calls: tuple[Mapping[str, Any], ...] = ()
        self.text = ""
        self.written = ""
        self.written_by = ""
        self.usage = Usage()
        self.finish: Finish = "complete"
        self.mode = AnswerMode.GROUNDED
        self.notice = ""
        self.sentences: list[AnswerSentence] = []
        self.violations: list[Violation] = []
        self.citations: dict[int, Citation] = {}

    @property
    def keeps(self) -> bool:
        """Whether the answer may be cached: not what a model that is away, or silent, might say another time, and not
        what another one said for it."""
        silent = bool(self.sources) and self.mode is AnswerMode.GROUNDED and not self.written.strip()
        by_another = self.written_by not in ("", self.asked)
        return not silent and not by_another and not self.notice and self.finish in ("complete", "abstained")

    def answer(self, cache: CacheStatus, generation: int) -> Answer:
        """Return what has been released as an answer; what belongs to the request is filled in by the caller."""
        said = bool(self.sentences)
        return Answer(
            text=self.text if self.verbatim else self.text.strip(),
            citations=tuple(self.citations.values()),
            grounded=said and all(sentence.supported for sentence in self.sentences),
            abstained=not said and self.finish == "abstained",
            cache=cache,
            generation=generation,
            trace_id="",
            usage=self.usage,
            sentences=tuple(self.sentences),
            violations=tuple(self.violations),
            mode=self.mode,
            finish="complete" if said and self.finish == "abstained" else self.finish,
            notice=self.notice,
            tool_calls=self.tool_calls if self.finish == "tool_calls" else (),
        )

    def take(self, token: Token) -> bool:
        """Note what the model said, which none has seen yet; return whether the limit cut it off there."""
        self.written += token.text
        self.usage = token.usage or self.usage
        self.written_by = token.model or self.written_by
        self.tool_calls = token.tool_calls or self.tool_calls
        return token.cut_off

    def holds(self, checked: CheckedSentence) -> bool:
        """Whether the same sentence has been released before."""
        return checked.text.strip() in self.text

    async def release(self, text: str, *, supported: bool = True) -> None:
        self.text += text
        await self._emit(Released(text, supported))

    async def report(self, violations: Sequence[Violation]) -> None:
        """Tell what guards found, each thing once."""
        for violation in violations:
            if violation not in self.violations:
                self.violations.append(violation)
                await self._emit(violation)

    async def add(self, checked: CheckedSentence, written: str) -> None:
        """Release a checked sentence with the white space that the model wrote around it, and cite its sources."""
        gap = " " if self.text and not self.text[-1].isspace() and not written[0].isspace() else ""
        lead = written[: len(written) - len(written.lstrip())] if self.text else ""
        tail = written[len(written.rstrip()) :]
        said, supported = checked.text.strip(), checked.outcome == "pass"
        start = len(self.text) + len(gap) + len(lead)
        await self.release(gap + lead + said + tail, supported=supported)
        span = (start, start + len(said))
        self.sentences.append(
            AnswerSentence(span, checked.markers, checked.attributed_by, round(checked.support, 4), supported)
        )
        await self.cite(checked)

    async def add_whole(self, text: str, *, supported: bool) -> None:
        """Release an answer in one piece, as it is; what is in it has cited its sources each for itself."""
        self.verbatim = True
        await self.release(text, supported=supported)
        markers = tuple(sorted(self.citations))
        self.sentences.append(AnswerSentence((0, len(text)), markers, "matched", float(supported), supported))

    async def cite(self, checked: CheckedSentence) -> None:
        """Cite the sources of a sentence, each once; the first sentence that cites one says which part of it."""
        for position, marker in enumerate(checked.markers):
            if marker not in self.citations:
                hit = self.sources[marker - 1]
                inside = checked.quotes[position] if position < len(checked.quotes) else None
                self.citations[marker] = Citation(
                    marker, hit, checked.attributed_by, inside and _in_version(hit, inside)
                )
                await self._emit(self.citations[marker])


def _in_version(hit: Hit, inside: tuple[int, int]) -> tuple[int, int] | None:
    """Return where a range of the chunk's text stands in the document's version; None where the chunk does not have it
    from there: a table's head is repeated in each part of it, before the span begins."""
    start, stop = hit.chunk.span
    shift = stop - len(hit.chunk.text)
    return (inside[0] + shift, inside[1] + shift) if inside[0] + shift >= start else None
