"""Searches on a GPU, where there is one."""

import faiss
import numpy as np
import pytest

from contracts import PUBLIC, Selection
from retrieval.dense.exact_index import ExactIndex
from retrieval.dense.faiss_gpu import FaissGpu, on_gpu
from retrieval.dense.faiss_index import FaissIndex
from retrieval.dense.index_policy import IndexPolicy
from tests.feeds import MemoryFeed

GPU = hasattr(faiss, "StandardGpuResources") and faiss.get_num_gpus() > 0
needs_gpu = pytest.mark.skipif(not GPU, reason="FAISS finds no GPU")
ALL = Selection((PUBLIC,))


def fill(feed: MemoryFeed) -> np.ndarray:
    rows = np.random.default_rng(3).standard_normal((4000, 64)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    for n in range(400):
        feed.put(f"d{n}", vectors=rows[10 * n : 10 * n + 10], readers=("*",) if n % 2 else ("*", "alice"))
    return rows


def open_index(feed: MemoryFeed, *, graph: bool) -> FaissIndex:
    policy = IndexPolicy(exact_rows=100, graph_rows=1_000_000 if graph else 0)
    return FaissIndex(feed, "c", embedder="e", dimension=64, policy=policy, quiet_s=3600)


@pytest.mark.skipif(GPU, reason="this is about machines without one")
async def test_without_a_gpu_the_structure_stays_as_it_is() -> None:
    feed = MemoryFeed()
    fill(feed)
    index = open_index(feed, graph=False)
    await index.refresh()
    await index.settle()
    frozen = index._state.freeze()
    assert frozen.structure is not None
    assert on_gpu(frozen.structure, frozen.contents) is frozen.structure


@needs_gpu
@pytest.mark.parametrize("flat", [True, False], ids=["flat", "structure"])
@pytest.mark.parametrize("graph", [True, False], ids=["graph", "lists"])
async def test_a_gpu_finds_what_brute_force_finds(graph: bool, flat: bool) -> None:
    if graph and not flat and "CUVS" not in faiss.get_compile_options():
        pytest.skip("FAISS was built without cuVS")
    feed = MemoryFeed()
    rows = fill(feed)
    index, exact = open_index(feed, graph=graph), ExactIndex(feed, "c", embedder="e")
    await index.refresh()
    await index.settle()
    frozen = index._state.freeze()
    assert isinstance(frozen.structure, FaissGpu)
    double = FaissGpu(frozen.structure._inner, frozen.contents, flat_bytes=1 << 30 if flat else 0)
    index._state.take_structure(double, frozen)
    feed.delete("d7")
    feed.put("new", vectors=rows[:1])
    await index.refresh()
    await exact.refresh()
    found = 0
    for query in rows[:50]:
        mine, theirs = await index.search(query, 10, ALL), await exact.search(query, 10, ALL)
        assert mine[0][1] == pytest.approx(theirs[0][1], abs=1e-4)
        found += len({key for key, _ in mine} & {key for key, _ in theirs})
    assert found >= 0.9 * 500
    alice = await index.search(rows[0], 10, Selection(("alice",)))
    assert [key for key, _ in alice] == [key for key, _ in await exact.search(rows[0], 10, Selection(("alice",)))]
