"""Which passages are gold: found by the words that they share, because no two ways to cut a text cut it alike."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import PurePath

from contracts import Chunk, Document, Hit
from tests.evaluation.answer_metrics import contains, tokens
from tests.evaluation.answer_tasks import Passage, Task

_GRAM = 4  # words in a row
_ENOUGH = 0.5  # of the shorter text's


def is_of(hit: Hit, passage: Passage, language: str = "en") -> bool:
    """Return whether at least half of the shorter of both texts, by four words in a row, is in the other one."""
    found, wanted = _grams(hit.chunk.text, language), _grams(passage.text, language)
    return len(found & wanted) >= _ENOUGH * max(1, min(len(found), len(wanted)))


def is_gold(hit: Hit, task: Task, *, short: bool, language: str = "en") -> bool:
    """Return whether a hit answers the task: it is of a gold passage, or of the gold passage's document and holds a
    short answer, or, where no passages are known, of a gold document."""
    if not task.answerable:
        return False
    if not task.evidence:
        return file_name(hit) in task.documents
    if any(is_of(hit, passage, language) for passage in task.evidence):
        return True
    same = any(file_name(hit) == passage.document for passage in task.evidence)
    return short and same and bool(contains(hit.chunk.text, task.answers, language))


def file_name(hit: Hit) -> str:
    """Return the name of the file that a hit is from."""
    return PurePath(hit.document.source).name


def found_share(hits: Sequence[Hit], task: Task, language: str = "en") -> float | None:
    """Return the share of the gold passages, or documents, that are among the hits; None where none are known."""
    wanted = task.evidence or task.documents
    if not wanted or not task.answerable:
        return None
    names = {file_name(hit) for hit in hits}
    found = [
        gold in names if isinstance(gold, str) else any(is_of(hit, gold, language) for hit in hits) for gold in wanted
    ]
    return sum(found) / len(wanted)


def gold_hits(task: Task, collection: str) -> tuple[Hit, ...]:
    """Return the task's evidence as a search would that found nothing else."""
    return tuple(_hit(passage, position, collection) for position, passage in enumerate(task.evidence))


def _hit(passage: Passage, position: int, collection: str) -> Hit:
    title = PurePath(passage.document).stem
    name = f"gold-{position}"
    document = Document(name, collection, "gold", passage.document, title, "text/plain", len(passage.text))
    chunk = Chunk(name, name, "gold", position, passage.text, (0, len(passage.text)))
    return Hit(chunk, document, 1.0, 1.0)


@functools.lru_cache(maxsize=4096)
def _grams(text: str, language: str) -> frozenset[tuple[str, ...]]:
    words = tokens(text, language)
    return frozenset(tuple(words[start : start + _GRAM]) for start in range(max(1, len(words) - _GRAM + 1)))
