"""Questions with known answers, what counts as found and as right, and the table that shows it."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from textwrap import shorten
from typing import Any

from rich.console import Group
from rich.table import Table

Json = Mapping[str, Any]
_SHOWN = 140  # characters of a reply in the table
_REQUIRED = {"id", "question", "answer", "accept", "documents", "page", "unanswerable"}


@dataclass(frozen=True, slots=True)
class Gold:
    """A question with its answer. `accept` are other wordings of it, `documents` the names of files that hold it,
    `history` the questions asked before in the same conversation."""

    id: str
    question: str
    answer: str | None
    accept: tuple[str, ...]
    documents: tuple[str, ...]
    page: int | None
    unanswerable: bool
    history: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """Return which of the three groups of the summary the question belongs to."""
        if self.unanswerable:
            return "unanswerable"
        return "follow-up" if self.history else "answerable"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came back. Ranks count from 1, None is a miss; `page_rank` asks for document and page. `cited` is true when
    a citation names a gold document."""

    gold: Gold
    reply: str
    document_rank: int | None
    page_rank: int | None
    right: bool
    cited: bool
    abstained: bool
    seconds: float


@dataclass(frozen=True, slots=True)
class Tally:
    """So many out of so many."""

    count: int
    of: int

    @property
    def share(self) -> float:
        """Return the share, 0 when there was nothing to count."""
        return self.count / self.of if self.of else 0.0

    def __str__(self) -> str:
        return f"{self.count}/{self.of} ({self.share:.0%})"


def load_questions(path: Path) -> tuple[Gold, ...]:
    """Return the questions of a JSON Lines file. Raises ValueError naming the line that is wrong."""
    questions = [_gold(line, number) for number, line in enumerate(path.read_text("utf-8").splitlines(), 1) if line]
    ids = [question.id for question in questions]
    if len(ids) != len(set(ids)):
        raise ValueError(f"{path.name!r}: two questions have the same id")
    return tuple(questions)


def normalise(text: str) -> str:
    """Return lower-case words with single spaces, without accents of typography, so that spellings can be compared.

    >>> normalise("It costs €1,180.00 — from 19:12!")
    'it costs 1180.00 from 19:12'
    """
    text = unicodedata.normalize("NFKC", text).casefold().replace("’", "'")
    text = re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", text)
    return " ".join(re.findall(r"\d+(?:[.:]\d+)*|[^\W\d_]+(?:'[^\W\d_]+)*", text))


def is_right(gold: Gold, reply: str) -> bool:
    """Return True when the reply contains the answer, or another wording of it, as whole words."""
    said = f" {normalise(reply)} "
    return any(f" {normalise(wanted)} " in said for wanted in (gold.answer, *gold.accept) if wanted)


def rank(gold: Gold, hits: Sequence[Json], *, page: bool = False) -> int | None:
    """Return the place, from 1, of the first hit in a gold document, with `page` on the gold page too; else None."""
    for place, hit in enumerate(hits, 1):
        if _file_name(hit) in gold.documents and (not page or gold.page in (None, hit["page"])):
            return place
    return None


def score(gold: Gold, hits: Sequence[Json], reply: Json, seconds: float) -> Outcome:
    """Return the outcome of a search's `hits` and a query's `reply`, both as the API gave them."""
    abstained = bool(reply["abstained"])
    return Outcome(
        gold=gold,
        reply=reply["answer"],
        document_rank=rank(gold, hits),
        page_rank=rank(gold, hits, page=True),
        right=abstained if gold.unanswerable else not abstained and is_right(gold, reply["answer"]),
        cited=any(_file_name(citation) in gold.documents for citation in reply["citations"]),
        abstained=abstained,
        seconds=seconds,
    )


def summarise(outcomes: Iterable[Outcome]) -> dict[str, Tally]:
    """Return the tallies by name, in the order of the table."""
    groups: dict[str, list[Outcome]] = {"answerable": [], "follow-up": [], "unanswerable": []}
    for outcome in outcomes:
        groups[outcome.gold.kind].append(outcome)
    single = groups["answerable"]
    return {
        "document found first": _tally(single, lambda o: o.document_rank == 1),
        "document found": _tally(single, lambda o: o.document_rank is not None),
        "document and page found": _tally(single, lambda o: o.page_rank is not None),
        "answer right": _tally(single, lambda o: o.right),
        "right document cited": _tally(single, lambda o: o.cited),
        "abstained though answerable": _tally(single, lambda o: o.abstained),
        "follow-up right": _tally(groups["follow-up"], lambda o: o.right),
        "unanswerable refused": _tally(groups["unanswerable"], lambda o: o.abstained),
    }


def render(outcomes: Sequence[Outcome]) -> Group:
    """Return one table with a row per question and one with the tallies."""
    rows = Table("id", "question", "expected", "reply", "rank", "page", "cited", "right", "s", title="Sample questions")
    for o in outcomes:
        marks = ["yes" if value else "no" for value in (o.cited, o.right)]
        ranks = [str(value) if value else "-" for value in (o.document_rank, o.page_rank)]
        reply = "(abstained)" if o.abstained else shorten(o.reply, _SHOWN, placeholder=" …")
        rows.add_row(
            o.gold.id, o.gold.question, o.gold.answer or "(nothing)", reply, *ranks, *marks, f"{o.seconds:.1f}"
        )
    tallies = Table("measure", "result", title="Summary")
    for name, tally in summarise(outcomes).items():
        tallies.add_row(name, str(tally))
    return Group(rows, tallies)


def _tally(outcomes: Sequence[Outcome], holds: Callable[[Outcome], bool]) -> Tally:
    return Tally(sum(map(holds, outcomes)), len(outcomes))


def _file_name(hit: Json) -> str:
    return PurePath(str(hit["source"])).name


def _gold(line: str, number: int) -> Gold:
    try:
        fields = json.loads(line)
    except json.JSONDecodeError as exc:
        raise ValueError(f"line {number} is not JSON: {exc}") from exc
    missing = _REQUIRED - fields.keys()
    if missing:
        raise ValueError(f"line {number} lacks {', '.join(sorted(missing))}")
    if fields["unanswerable"] == bool(fields["answer"]) or bool(fields["answer"]) != bool(fields["documents"]):
        raise ValueError(f"line {number}: a question has an answer and documents, or is unanswerable")
    lists = {name: tuple(fields.get(name, ())) for name in ("accept", "documents", "history")}
    return Gold(**{**fields, **lists})
