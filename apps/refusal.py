"""The words of an answer that is none."""

from __future__ import annotations

from collections.abc import Sequence

from contracts import Hit

_TITLES = 3


def refusal(collection: str, hits: Sequence[Hit]) -> str:
    """Return what is said when the documents do not answer: where it was searched, and what came closest."""
    searched = f"I searched the collection “{collection}”"
    if not hits:
        return f"I found no answer to this in the documents. {searched} and found nothing related."
    titles = list(dict.fromkeys(hit.document.title for hit in hits))[:_TITLES]
    return f"I found no answer to this in the documents. {searched}; the closest passages were in {', '.join(titles)}."
