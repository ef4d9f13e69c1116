"""The figures of one set under one control: each a mean over questions, or over citations or sentences, with its n."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from apps.evaluation.scipy_statistics import Estimate, estimate
from tests.evaluation.answer_metrics import (
    contains,
    exact_match,
    f1,
    knowledge_precision,
    number_recall,
    rouge_l_recall,
)
from tests.evaluation.answer_outcomes import Loss, Outcome
from tests.evaluation.answer_tasks import AnswerSet, Kind

Compare = Callable[[str, Sequence[str], str], float]
_SHORT: Mapping[str, Compare] = {"exact match": exact_match, "F1": f1, "gold contained": contains}
_LONG: Mapping[str, Compare] = {"F1": f1, "ROUGE-L recall": rouge_l_recall}


@dataclass(frozen=True, slots=True)
class Measure:
    """A mean with its 95% interval, of `n` values."""

    value: Estimate
    n: int


def measures(asked: AnswerSet, outcomes: Sequence[Outcome], seed: int = 0) -> dict[str, Measure]:
    """Return what can be measured on the outcomes, by name, in the order of the table; a refusal is a wrong answer to
    what can be answered."""
    found = {
        **_closeness(asked, outcomes),
        **_refusals(outcomes),
        **_citations(outcomes),
        **_groundedness(asked, outcomes),
        **_retrieval(outcomes),
    }
    return {name: Measure(estimate(values, seed), len(values)) for name, values in found.items() if values}


def losses(outcomes: Sequence[Outcome]) -> Counter[Loss]:
    """Return how often an answer was right, or where it was lost."""
    return Counter(outcome.loss for outcome in outcomes if outcome.loss)


def answered_by_kind(outcomes: Sequence[Outcome]) -> dict[Kind, tuple[int, int]]:
    """Return how many questions of each kind were answered, of how many."""
    asked = Counter(outcome.task.kind for outcome in outcomes)
    answered = Counter(outcome.task.kind for outcome in outcomes if not outcome.refused)
    return {kind: (answered[kind], count) for kind, count in asked.items()}


def _closeness(asked: AnswerSet, outcomes: Sequence[Outcome]) -> dict[str, list[float]]:
    answerable = [outcome for outcome in outcomes if outcome.task.answerable]
    compared = {
        name: [compare(outcome.reply, outcome.task.answers, asked.language) for outcome in answerable]
        for name, compare in (_SHORT if asked.short else _LONG).items()
    }
    if asked.short:
        compared["gold contained, where answered"] = [
            contains(outcome.reply, outcome.task.answers, asked.language)
            for outcome in answerable
            if not outcome.refused
        ]
    else:
        numbers = (number_recall(outcome.reply, outcome.task.answers) for outcome in answerable)
        compared["numbers contained"] = [share for share in numbers if share is not None]
    return compared


def _refusals(outcomes: Sequence[Outcome]) -> dict[str, list[float]]:
    """Precision and recall of refusing what cannot be answered; nothing to say of a control that refuses nothing."""
    if all(outcome.control == "closed-book" for outcome in outcomes):
        return {}
    return {
        "answered, of the answerable": [float(not o.refused) for o in outcomes if o.task.answerable],
        "refusal precision": [float(not o.task.answerable) for o in outcomes if o.refused],
        "refusal recall": [float(o.refused) for o in outcomes if not o.task.answerable],
        "answered or refused rightly": [float(o.refused != o.task.answerable) for o in outcomes],
    }


def _citations(outcomes: Sequence[Outcome]) -> dict[str, list[float]]:
    """Precision is the share of an answer's citations that are gold, recall that of the gold passages it cites."""
    answered = [outcome for outcome in outcomes if outcome.task.answerable and not outcome.refused]
    cited = [outcome for outcome in answered if outcome.cited]
    return {
        "citation precision": [sum(c.gold for c in o.cited) / len(o.cited) for o in cited],
        "citation recall": [o.recalled for o in answered if o.recalled is not None],
        "sentences that cite": [float(s.markers > 0) for o in outcomes for s in o.sentences],
    }


def _groundedness(asked: AnswerSet, outcomes: Sequence[Outcome]) -> dict[str, list[float]]:
    """By the product's own signal, and by one that it does not use: the share of words that the cited passages have."""
    sentences = [sentence for outcome in outcomes for sentence in outcome.sentences]
    return {
        "sentences supported": [float(sentence.supported) for sentence in sentences],
        "support of a sentence": [sentence.support for sentence in sentences],
        "words of the cited passages": [
            knowledge_precision(outcome.reply, [cited.text for cited in outcome.cited], asked.language)
            for outcome in outcomes
            if not outcome.refused and outcome.control != "closed-book"
        ],
    }


def _retrieval(outcomes: Sequence[Outcome]) -> dict[str, list[float]]:
    searched = [outcome.found for outcome in outcomes if outcome.found and outcome.control == "rag"]
    depths = sorted({depth for found in searched for depth in found})
    return {f"gold found in the first {depth}": [found[depth] for found in searched] for depth in depths}
