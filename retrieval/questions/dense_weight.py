"""How much the vectors of a query count beside its words: less, the less its language is the embedder's."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from contracts import Embedder

# Share of a query's letters that the embedder reads as words. With an English model, English questions have .85 to 1,
# German and Spanish ones .55 to .9, Arabic, Chinese and Russian ones next to nothing.
_FLUENT, _FOREIGN = 0.9, 0.3
_LEAST = 0.001  # orders what no word was found in


@runtime_checkable
class FluentEmbedder(Protocol):
    """An embedder that can tell how well it knows a text's language."""

    def fluency(self, text: str) -> float:
        """Return the share of the text's letters, 0 to 1, that the model reads as words and parts of words."""
        ...


def dense_weight(embedder: Embedder, query: str) -> float:
    """Return what the weight of the dense view is to be multiplied with, above 0, 1 at most; 1 for an embedder that
    cannot tell."""
    if not isinstance(embedder, FluentEmbedder):
        return 1.0
    known = (embedder.fluency(query) - _FOREIGN) / (_FLUENT - _FOREIGN)
    return max(_LEAST, min(1.0, max(0.0, known)) ** 2)  # squared, German and Spanish are nowhere below BM25 alone
