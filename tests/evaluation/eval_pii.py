"""Scores the detector of personal data, and counts what it finds in ordinary text.

    python -m tests.evaluation.eval_pii ../shared/data [--folds 4]

On Presidio's generated sentences, by cross-validation over templates: no sentence of a template is scored by a tagger
that was trained on another of it. With `--folds 0` only ordinary text is looked at, with the shipped tagger.

How it is counted. A token (a run of letters, a run of digits, another character) inside an annotated span is personal;
"tokens" compares that, whatever the type, with the tokens inside findings of all kinds but nationality and age, which
the set does not annotate. "Spans" joins neighbours of one type that only white space and ,.; part, in gold and findings
alike, and asks for both ends and the type to be right. "Spans, any type" joins whatever the type, and asks for both
ends. "Overlapping" asks for the type and any common character. F2 weighs recall four times as much as precision.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from validation.personal_data.pii import DEFAULT_KINDS, Finding, PiiKind, find_pii
from validation.personal_data.pii_features import tokens_of
from validation.training.train_pii import KIND_OF, Course, annotated, tagger_of

TYPES = {
    **KIND_OF,
    "CREDIT_CARD": PiiKind.CARD,
    "PHONE_NUMBER": PiiKind.PHONE,
    "DATE_TIME": PiiKind.DATE,
    "EMAIL_ADDRESS": PiiKind.EMAIL,
    "US_SSN": PiiKind.SSN,
    "IBAN_CODE": PiiKind.IBAN,
    "DOMAIN_NAME": PiiKind.URL,
    "US_DRIVER_LICENSE": PiiKind.DRIVER_LICENSE,
    "IP_ADDRESS": PiiKind.IP,
}
KINDS = frozenset(TYPES.values())
Spans = set[tuple[int, int, str]]


class Score:
    """Counts of right, found and wanted."""

    def __init__(self) -> None:
        self.counts: dict[str, Counter[str]] = defaultdict(Counter)
        self.milliseconds: list[float] = []

    def add(self, text: str, gold: Sequence[Finding], found: Sequence[Finding]) -> None:
        wanted, got = joined(text, gold), joined(text, found)
        for token in tokens_of(text):
            marked, true = (any(s < token.end and token.start < e for s, e, _ in spans) for spans in (got, wanted))
            self._count("tokens, any type", marked and true, marked, true)
        whole, true_whole = (joined(text, _untyped(given)) for given in (found, gold))
        self._count("spans, any type", len(whole & true_whole), len(whole), len(true_whole))
        for kind in KINDS:
            mine, theirs = ({span for span in spans if span[2] == kind} for spans in (got, wanted))
            for name in ("spans", f"  {kind}"):
                self._count(name, len(mine & theirs), len(mine), len(theirs))
            near = sum(any(a < e and s < b for a, b, _ in mine) for s, e, _ in theirs)
            precise = sum(any(a < e and s < b for a, b, _ in theirs) for s, e, _ in mine)
            self.counts["overlapping"].update(right=near, precise=precise, found=len(mine), wanted=len(theirs))

    def _count(self, name: str, right: int, found: int, wanted: int) -> None:
        self.counts[name].update(right=right, found=found, wanted=wanted)

    def show(self) -> None:
        for name, count in self.counts.items():
            precision = count.get("precise", count["right"]) / max(1, count["found"])
            recall = count["right"] / max(1, count["wanted"])
            f2 = 5 * precision * recall / (4 * precision + recall) if precision + recall else 0.0
            print(f"{name:20} P {precision:.3f} R {recall:.3f} F2 {f2:.3f}  n {count['wanted']}")
        times = sorted(self.milliseconds)
        print(f"processor ms a sentence: p50 {times[len(times) // 2]:.2f}, p95 {times[int(len(times) * 0.95)]:.2f}")


def _untyped(findings: Iterable[Finding]) -> list[Finding]:
    return [Finding(PiiKind.PERSON, finding.start, finding.end) for finding in findings]


def joined(text: str, findings: Iterable[Finding]) -> Spans:
    """Return spans with neighbours of one kind made one."""
    spans: list[tuple[int, int, str]] = []
    for finding in sorted(findings, key=lambda finding: finding.start):
        if spans and spans[-1][2] == finding.kind and not text[spans[-1][1] : finding.start].strip(" \n\t,.;"):
            spans[-1] = (spans[-1][0], max(finding.end, spans[-1][1]), finding.kind)
        else:
            spans.append((finding.start, finding.end, finding.kind))
    return set(spans)


def cross_validate(data: Path, folds: int, wrong: Callable[[str, Spans, Spans], None]) -> Score:
    """Return the score over all sentences, each found in by a tagger of other templates."""
    rows = json.loads((data / "guard/pii/generated_large.json").read_text("utf-8"))
    templates = sorted({row["template_id"] for row in rows})
    random.Random(7).shuffle(templates)
    fold_of = {template: at % folds for at, template in enumerate(templates)}
    course, score = Course.of(data), Score()
    for fold in range(folds):
        taught = course.teach(annotated(row for row in rows if fold_of[row["template_id"]] != fold))
        tagger = tagger_of(taught, course.lexicon)
        for row in (row for row in rows if fold_of[row["template_id"]] == fold):
            text = row["full_text"]
            gold = [
                Finding(TYPES[span["entity_type"]], span["start_position"], span["end_position"])
                for span in row["spans"]
            ]
            began = time.thread_time()
            found = find_pii(text, KINDS, tagger)
            score.milliseconds.append((time.thread_time() - began) * 1000)
            score.add(text, gold, found)
            wrong(text, joined(text, gold), joined(text, found))
        print(f"fold {fold + 1} of {folds} done", flush=True)
    return score


def ordinary(data: Path) -> dict[str, list[str]]:
    """Return texts that were not trained on."""

    def field(name: str, key: str) -> list[str]:
        return [json.loads(line)[key] for line in (data / name).read_text("utf-8").splitlines()]

    return {
        "SQuAD questions": field("qa/squad2/qa.jsonl", "question"),
        "SQuAD paragraphs": field("qa/squad2/corpus.jsonl", "text"),
        "Anthropic docs": field("qa/anthropic_docs/corpus.jsonl", "text"),
        "Vaswani abstracts": field("retrieval/vaswani/corpus.jsonl", "text")[:2000],
    }


def count_found(texts: Sequence[str], kinds: frozenset[PiiKind]) -> Counter[str]:
    """Return how many findings of each kind there are."""
    return Counter(finding.kind.value for text in texts for finding in find_pii(text, kinds))


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("data", type=Path)
    arguments.add_argument("--folds", type=int, default=4)
    arguments.add_argument("--errors", type=int, default=0, help="how many wrong sentences to show")
    given = arguments.parse_args()
    if given.folds:
        wrong: list[tuple[str, Spans, Spans]] = []
        score = cross_validate(
            given.data, given.folds, lambda *case: wrong.append(case) if case[1] != case[2] else None
        )
        score.show()
        for text, gold, found in random.Random(1).sample(wrong, min(given.errors, len(wrong))):
            print(
                repr(text),
                *(
                    f"\n   {name} {sorted((text[s:e], k) for s, e, k in spans)}"
                    for name, spans in (("missed", gold - found), ("false", found - gold))
                ),
            )
    for name, texts in ordinary(given.data).items():
        print(f"{name}: {len(texts)} texts; default kinds {dict(count_found(texts, DEFAULT_KINDS))}", flush=True)
        print(f"   all kinds {dict(count_found(texts[:400], frozenset(PiiKind)))} in the first {len(texts[:400])}")


if __name__ == "__main__":
    main()
