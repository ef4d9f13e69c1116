"""What a cached answer is kept under, and what it is kept with."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from apps.draft import Released
from apps.turn import Turn
from contracts import Answer, CachedAnswer, Hit


def cache_key(turn: Turn, recipe: Sequence[str]) -> str:
    """Return the key of an answer: everything that shapes it but the documents, as a hash."""
    query = turn.query
    parts = (
        recipe,
        turn.guards.version,
        " ".join(query.text.lower().split()),
        [message.content for message in turn.history],
        query.collection,
        query.caller.scope,
        repr((query.filters, query.context)),
        query.top_k,
        turn.question.mode,
        turn.question.schema,
    )
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def entry_of(answer: Answer, hits: Sequence[Hit]) -> CachedAnswer:
    """Return what is cached: the answer with the chunks that it rests on, which are those of its prompt; a refusal
    names the closest ones too. The same text in another document, or under another title, is other evidence."""
    evidence = tuple(f"{hit.document.id} {hit.document.title} {hit.chunk.id}" for hit in hits)
    return CachedAnswer(answer, evidence, tuple(sorted({hit.document.id for hit in hits})))


def released_again(answer: Answer) -> list[Released]:
    """Return the pieces of a cached answer as they were released when it was made: its text, sentence by sentence."""
    pieces, at = [], 0
    for sentence in answer.sentences:
        pieces.append(Released(answer.text[at : sentence.span[1]], sentence.supported))
        at = sentence.span[1]
    return [*pieces, Released(answer.text[at:])] if at < len(answer.text) else pieces
