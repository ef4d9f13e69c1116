"""Which structure an index has at which size, and when it is made anew."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """How nearest neighbours are found: by looking at all, in a graph (HNSW), or in lists (IVF) of vectors in 8 bits a
    dimension (SQ8) or fewer (PQ)."""

    EXACT = "exact"
    GRAPH = "graph"
    LISTS = "lists"
    SMALL_LISTS = "small lists"


@dataclass(frozen=True, slots=True)
class IndexPolicy:
    """Bounds in rows: exact search up to `exact_rows`, of a collection or of what a search may see of it; a graph up to
    `graph_rows`; lists above, in fewer bits where one byte a dimension would be over `memory_bytes`. Rows behind a
    structure are searched exactly, up to `tail_rows`; dead ones are kept up to `dead_share` of all."""

    exact_rows: int = 10_000
    graph_rows: int = 50_000
    memory_bytes: int = 4 << 30
    tail_rows: int = 10_000
    dead_share: float = 0.2

    def kind(self, rows: int, dimension: int) -> Kind:
        """Return the structure for so many rows."""
        if rows <= self.exact_rows:
            return Kind.EXACT
        if rows <= self.graph_rows:
            return Kind.GRAPH
        return Kind.LISTS if rows * dimension <= self.memory_bytes else Kind.SMALL_LISTS
