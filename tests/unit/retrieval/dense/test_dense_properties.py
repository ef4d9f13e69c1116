"""Whatever happens to a collection, FAISS finds what brute force finds, and nobody finds what they may not read."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from contracts import PUBLIC, Selection, Vectors
from retrieval.dense.exact_index import ExactIndex
from retrieval.dense.faiss_index import FaissIndex
from retrieval.dense.faiss_threads import open_search_threads
from retrieval.dense.index_policy import IndexPolicy
from tests.feeds import MemoryFeed

T = TypeVar("T")
DIMENSION = 8
POLICIES = (
    IndexPolicy(),
    IndexPolicy(exact_rows=4, graph_rows=1000, tail_rows=6, dead_share=0.3),
    IndexPolicy(exact_rows=4, graph_rows=4, tail_rows=6, dead_share=0.3),
)
THREADS = open_search_threads(1)
names = st.sampled_from([f"d{n}" for n in range(40)])
readers = st.lists(st.sampled_from([PUBLIC, "alice", "bob", "staff"]), unique=True, max_size=3).map(tuple)
selections = st.builds(Selection, scope=readers, documents=st.none() | st.frozensets(names))


def rows(seed: int, count: int) -> Vectors:
    made = np.random.default_rng(seed).standard_normal((count, DIMENSION)).astype(np.float32)
    return made / np.linalg.norm(made, axis=1, keepdims=True)


class Following(RuleBasedStateMachine):
    """Puts, deletions, changes of readers and upkeep in any order; searches must always agree."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.feed = MemoryFeed()
        self.readers: dict[str, tuple[str, ...]] = {}
        self.owner: dict[int, str] = {}
        self.seed = 0

    @initialize(policy=st.sampled_from(POLICIES), filled=st.booleans())
    def open(self, policy: IndexPolicy, filled: bool) -> None:
        for n in range(30 if filled else 0):
            self.put(f"d{n}", 4, (("*",), ("alice",), ("bob", "staff"))[n % 3])
        self.exact = ExactIndex(self.feed, "c", embedder="e")
        self.faiss = FaissIndex(
            self.feed, "c", embedder="e", dimension=DIMENSION, policy=policy, quiet_s=3600, threads=THREADS
        )

    @rule(name=names, count=st.integers(0, 5), may_read=readers)
    def put(self, name: str, count: int, may_read: tuple[str, ...]) -> None:
        self.seed += 1
        keys = self.feed.put(name, vectors=rows(self.seed, count), readers=may_read)
        self.owner.update(dict.fromkeys(keys, name))
        self.readers[name] = may_read

    @precondition(lambda self: self.readers)
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.readers)))
        self.feed.delete(name)
        del self.readers[name]

    @precondition(lambda self: self.readers)
    @rule(data=st.data(), may_read=readers)
    def share(self, data: st.DataObject, may_read: tuple[str, ...]) -> None:
        name = data.draw(st.sampled_from(sorted(self.readers)))
        self.feed.share(name, *may_read)
        self.readers[name] = may_read

    @rule()
    def build(self) -> None:
        self.run(self.faiss.refresh())
        self.run(self.faiss.settle())

    @rule(selection=selections, k=st.integers(0, 30), seed=st.integers(10_000, 10_010))
    def search(self, selection: Selection, k: int, seed: int) -> None:
        query = rows(seed, 1)[0]
        self.run(self.faiss.refresh())
        self.run(self.exact.refresh())
        mine = self.run(self.faiss.search(query, k, selection))
        theirs = self.run(self.exact.search(query, k, selection))
        assert len(mine) == len(theirs)
        for key, _ in mine:
            name = self.owner[key]
            assert set(self.readers[name]) & set(selection.scope)
            assert selection.documents is None or name in selection.documents
        np.testing.assert_allclose([score for _, score in mine], [score for _, score in theirs], atol=1e-5)

    @invariant()
    def holds_the_same_vectors(self) -> None:
        if not hasattr(self, "faiss"):
            return
        self.run(self.faiss.refresh())
        self.run(self.exact.refresh())
        keys = sorted(self.owner)[-50:]
        mine, theirs = self.run(self.faiss.vectors(keys)), self.run(self.exact.vectors(keys))
        assert mine.keys() == theirs.keys()
        for key, row in theirs.items():
            np.testing.assert_array_equal(mine[key], row)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    def teardown(self) -> None:
        self.loop.close()


TestFollowing = Following.TestCase
TestFollowing.settings = settings(max_examples=15, stateful_step_count=20, deadline=None)
