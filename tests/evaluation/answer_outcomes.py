"""What became of a question: the answer beside its gold, what it cites, and at which step a right answer was lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from contracts import Answer, BlockedError, Hit
from tests.evaluation.answer_metrics import contains
from tests.evaluation.answer_tasks import AnswerSet, Task
from tests.evaluation.answer_watch import Sheet
from tests.evaluation.gold_passages import file_name, found_share, is_gold
from validation.support.citations import without_markers

Control = Literal["rag", "oracle", "closed-book"]
Loss = Literal[
    "right",
    "refused rightly",
    "blocked",
    "not found",
    "turned down",
    "not shown",
    "not written",
    "held back",
    "made up",
]
_DEPTHS = (1, 3, 8)


@dataclass(frozen=True, slots=True)
class Cited:
    """A citation: the file, the passage's text, and whether it is gold."""

    marker: int
    file: str
    text: str
    gold: bool


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of the answer, how many passages it cites, and how well they support it by the product's word."""

    text: str
    markers: int
    support: float
    supported: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """One question under one control. `reply` is the answer without markers, empty where it refused; `shown` is what
    the model was asked each time it was called, and `written` what it wrote. `found` is the share of the gold passages
    among the first hits, by how many; `recalled` the share of them that is cited. `loss` tells where a right answer
    was lost, for short gold answers."""

    set: str
    control: Control
    task: Task
    reply: str
    refused: bool
    finish: str
    cited: tuple[Cited, ...] = ()
    sentences: tuple[Sentence, ...] = ()
    recalled: float | None = None
    found: Mapping[int, float] | None = None
    shown: tuple[str, ...] = ()
    written: tuple[str, ...] = ()
    loss: Loss | None = None
    mode: str = ""
    notice: str = ""
    violations: tuple[str, ...] = ()
    seconds: float = 0.0
    timings: Mapping[str, float] | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return all of it for a line of a file."""
        return asdict(self)


def outcome_of(
    asked: AnswerSet, task: Task, control: Control, *, answer: Answer | BlockedError, sheet: Sheet, seconds: float
) -> Outcome:
    """Return the outcome of an answer, or of a question that a guard refused."""
    written = tuple(call.written for call in sheet.calls)
    if isinstance(answer, BlockedError):
        rules = tuple(violation.rule for violation in answer.violations)
        loss = _loss(asked, task, "", sheet, blocked=True)
        return Outcome(
            asked.name,
            control,
            task,
            "",
            True,
            "blocked",
            violations=rules,
            loss=loss,
            written=written,
            seconds=seconds,
        )
    refused = answer.abstained or not answer.text or answer.finish == "blocked"
    reply = "" if refused else without_markers(answer.text)
    hits = tuple(citation.hit for citation in answer.citations)
    return Outcome(
        set=asked.name,
        control=control,
        task=task,
        reply=reply,
        refused=refused,
        finish=answer.finish,
        cited=tuple(_cited(c.marker, c.hit, asked, task) for c in answer.citations),
        sentences=tuple(
            Sentence(answer.text[slice(*each.span)], len(each.markers), each.support, each.supported)
            for each in answer.sentences
        ),
        recalled=None if refused else found_share(hits, task, asked.language),
        found=_found(sheet.hits, task, asked.language),
        shown=tuple(call.prompt for call in sheet.calls),
        written=written,
        loss=_loss(asked, task, reply, sheet, blocked=answer.finish == "blocked"),
        mode=answer.mode,
        notice=answer.notice,
        violations=tuple(violation.rule for violation in answer.violations),
        seconds=seconds,
        timings=dict(answer.timings),
        prompt_tokens=answer.usage.prompt_tokens,
        completion_tokens=answer.usage.completion_tokens,
    )


def _cited(marker: int, hit: Hit, asked: AnswerSet, task: Task) -> Cited:
    gold = is_gold(hit, task, short=asked.short, language=asked.language)
    return Cited(marker, file_name(hit), hit.chunk.text, gold)


def _found(hits: Sequence[Hit], task: Task, language: str) -> dict[int, float] | None:
    shares = {depth: found_share(hits[:depth], task, language) for depth in _DEPTHS}
    return {depth: share for depth, share in shares.items() if share is not None} or None


def _loss(asked: AnswerSet, task: Task, reply: str, sheet: Sheet, *, blocked: bool) -> Loss | None:
    """Return the first step after which the gold answer was not there any more."""
    if not task.answerable:
        return "blocked" if blocked else "made up" if reply else "refused rightly"
    if not asked.short:
        return None
    steps: list[tuple[Loss, list[str]]] = [
        ("not found", [hit.chunk.text for hit in sheet.hits]),
        ("not shown", [call.prompt for call in sheet.calls]),
        ("not written", [call.written for call in sheet.calls]),
        ("held back", [reply]),
    ]
    if not sheet.calls:  # no model was asked: what was found is quoted, or refused
        steps = [steps[0], ("held back" if reply else "turned down", [reply])]
    lost = (loss for loss, texts in steps if not any(contains(text, task.answers, asked.language) for text in texts))
    return "blocked" if blocked else next(lost, "right")
