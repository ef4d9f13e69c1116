"""Which structure an index has at which size, and when it is made anew.

Where the bounds come from (``tests/benchmarks/bench_dense.py``, 384 dimensions, one core of a busy machine, the median
of one query by one, ten hits; recall against brute force on clustered vectors and, in brackets, on 24,000 passages and
questions embedded by MiniLM):

| | 10k rows | 30k | 100k | 1M | recall@10 | CPU to build 50k, 100k | bytes a chunk beside its vector |
|---|---|---|---|---|---|---|---|
| exact | .7 to 1.1 ms | 2 to 7 ms | 13 to 26 ms | | 1 | none | 21 |
| graph (HNSW32, SQ8) | .23 ms | .30 ms | .26 ms | | .998 (.994) | 7.4 s, 19.8 s | 677 |
| lists (IVF, SQ8) | .18 ms | .26 ms | .57 ms | 4.0 ms | 1.000 (.986) | 2.0 s, 4.3 s | 420 |

By time alone exact search is fastest only up to some 2,000 rows. It is kept up to 10,000, where it takes less than a
millisecond, a small part of what embedding the question takes: it misses nothing, needs no building, and follows every
change for nothing. The graph finds most on real embeddings and stays fast, but building it costs four times as much, so
it ends where that would be more than some seconds.

A search that may see only a part compares all of that up to the same 10,000 rows, and beyond wherever a structure says
that it would be no better: the graph where a third is left out, since a filtered graph loses recall (.82 at 100k for a
scope that reads half of the topics); the lists where reading those with enough selected rows costs as much (1 % of 1M).
"""

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
