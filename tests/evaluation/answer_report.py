"""Tables of answers' figures in Markdown: a column per control, then where answers were lost, and what they cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from tests.evaluation.answer_measures import Measure, answered_by_kind, losses, measures
from tests.evaluation.answer_outcomes import Control, Loss, Outcome
from tests.evaluation.answer_tasks import AnswerSet

_LOSSES: Mapping[Loss, str] = {
    "right": "right",
    "not found": "the search did not find the answer",
    "turned down": "found, but refused before anything was written",
    "not shown": "found, but not in the prompt",
    "not written": "in the prompt, but not what the model wrote",
    "held back": "written, but held back",
    "blocked": "the question, or the answer, was blocked",
    "refused rightly": "unanswerable, refused",
    "made up": "unanswerable, answered",
}


def report(asked: AnswerSet, outcomes: Sequence[Outcome], seed: int = 0) -> str:
    """Return the set's part of the report."""
    runs = _by_control(outcomes)
    tables = {control: measures(asked, own, seed) for control, own in runs.items()}
    names = dict.fromkeys(name for table in tables.values() for name in table)
    lines = [
        f"## {asked.name}: {len(asked.tasks)} questions",
        "",
        *_table(["", *runs], ([name, *(_cell(tables[control].get(name)) for control in runs)] for name in names)),
        "",
        *_table(["answered", *runs], _kind_rows(runs)),
    ]
    if any(outcome.loss for outcome in outcomes):
        lines += ["", *_table(["where answers were lost", *_searching(runs)], _loss_rows(runs))]
    if any(outcome.violations for outcome in outcomes):
        lines += ["", *_table(["questions in which a rule fired", *_searching(runs)], _rule_rows(runs))]
    lines += ["", *_table(["", *runs], _cost_rows(runs)), ""]
    return "\n".join(lines)


def _by_control(outcomes: Sequence[Outcome]) -> dict[Control, list[Outcome]]:
    runs: dict[Control, list[Outcome]] = {}
    for outcome in outcomes:
        runs.setdefault(outcome.control, []).append(outcome)
    return runs


def _searching(runs: Mapping[Control, Sequence[Outcome]]) -> list[Control]:
    return [control for control in runs if control != "closed-book"]


def _kind_rows(runs: Mapping[Control, Sequence[Outcome]]) -> Iterable[list[str]]:
    tables = {control: answered_by_kind(own) for control, own in runs.items()}
    for kind in dict.fromkeys(kind for table in tables.values() for kind in table):
        yield [kind, *(f"{t[kind][0]} of {t[kind][1]}" if kind in t else "" for t in tables.values())]


def _loss_rows(runs: Mapping[Control, Sequence[Outcome]]) -> Iterable[list[str]]:
    counts = {control: losses(runs[control]) for control in _searching(runs)}
    for loss, words in _LOSSES.items():
        row = [count[loss] for count in counts.values()]
        if any(row):
            yield [words, *map(str, row)]


def _rule_rows(runs: Mapping[Control, Sequence[Outcome]]) -> Iterable[list[str]]:
    counts = [Counter(rule for o in runs[control] for rule in set(o.violations)) for control in _searching(runs)]
    for rule in sorted(set().union(*counts)):
        yield [rule, *(str(count[rule]) for count in counts)]


def _cost_rows(runs: Mapping[Control, Sequence[Outcome]]) -> Iterable[list[str]]:
    seconds = {control: [outcome.seconds for outcome in own] for control, own in runs.items()}
    yield [
        "seconds, p50 and p95",
        *(f"{np.percentile(s, 50):.2f}, {np.percentile(s, 95):.2f}" for s in seconds.values()),
    ]
    yield ["tokens read, mean", *(f"{np.mean([o.prompt_tokens for o in own]):.0f}" for own in runs.values())]
    yield ["tokens written, mean", *(f"{np.mean([o.completion_tokens for o in own]):.0f}" for own in runs.values())]
    notices = {control: sum(bool(outcome.notice) for outcome in own) for control, own in runs.items()}
    if any(notices.values()):
        yield ["answers with a notice", *map(str, notices.values())]


def _cell(measure: Measure | None) -> str:
    if measure is None:
        return ""
    value = measure.value
    bounds = "" if value.low is None or value.high is None else f" ({_short(value.low)}–{_short(value.high)})"
    return f"{_short(value.mean)}{bounds}, n={measure.n}"


def _short(number: float) -> str:
    """Return three decimals without the zero before them."""
    return f"{number:.3f}".removeprefix("0") if number < 1 else f"{number:.3f}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    return [_row(head), _row(["---"] * len(head)), *map(_row, rows)]


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
