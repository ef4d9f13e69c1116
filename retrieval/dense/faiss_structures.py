"""Structures by their kind: built, and read from a file."""

from __future__ import annotations

from pathlib import Path

from retrieval.dense.faiss_gpu import on_gpu
from retrieval.dense.faiss_graph import FaissGraph
from retrieval.dense.faiss_lists import FaissLists
from retrieval.dense.faiss_threads import load_faiss
from retrieval.dense.index_contents import Contents, Proceed
from retrieval.dense.index_policy import Kind
from retrieval.dense.structure import Structure


def build(kind: Kind, contents: Contents, proceed: Proceed) -> Structure:
    """Return a new structure over all slots that are alive."""
    if kind is Kind.GRAPH:
        return on_gpu(FaissGraph.build(contents, proceed), contents)
    return on_gpu(FaissLists.build(kind, contents, proceed), contents)


def load(path: Path, kind: Kind, contents: Contents, *, covers: int, trained_on: int) -> Structure:
    """Return the structure in a file, mapped into memory, over the first slots of the contents. Raises RuntimeError."""
    faiss = load_faiss()
    index = faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC)
    holds = contents.alive[:covers].copy()
    if kind is Kind.GRAPH:
        return on_gpu(FaissGraph(index, covers, holds, trained_on), contents)
    return on_gpu(FaissLists(index, kind, covers, holds, trained_on), contents)
