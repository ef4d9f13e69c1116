"""Seconds from the commit of one document to its being found by a hybrid search in another process, and what one added,
changed or removed document costs in a large collection.

Run it with ``python -m tests.benchmarks.bench_freshness --text FOLDER… --sizes 10000 100000``; FOLDER holds corpora in
BEIR's layout, as for bench_search, whose `--work` folder can be used again. Query vectors are looked up, so that no
embedding model is measured.

Found: another process, which searches in vain all the time, first finds the document, counted from the return of
`Catalog.put`. Next search: what the first search after a commit takes there when nothing was searched meanwhile, beside
the median of searches without a commit before them. Write: what the transaction took.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import statistics
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from contracts import EmbeddedVersion
from tests.benchmarks.bench_search import Contender, filled, footnote
from tests.benchmarks.search_catalog import COLLECTION, EMBEDDER, document
from tests.benchmarks.search_material import Material, make_material
from tests.library import Shelf

_PAUSE_S = 0.3  # what is built in the background after a change has ended by then


@dataclass(slots=True)
class Series:
    """Milliseconds of one kind of change."""

    write: list[float] = field(default_factory=list)
    found: list[float] = field(default_factory=list)
    next_search: list[float] = field(default_factory=list)


class Freshness:
    """A catalog that is written to here, and another process that searches it."""

    def __init__(self, material: Material, data_dir: Path, other: Contender) -> None:
        self._shelf = Shelf(data_dir)
        self._other = other
        self._query = material.queries[0]
        self._vector = material.query_vectors[:1]
        self._number = 9_000_000
        self.series = {kind: Series() for kind in ("added", "changed", "removed")}

    def round(self, *, watched: bool) -> None:
        """Add a document that answers the query best, change it, and remove it."""
        self._number += 1
        first = self._document(f"{self._query} {self._query} first edition {self._number}")
        second = self._document(f"{self._query} {self._query} second edition {self._number}")
        other = self._document("nothing of the kind is said any more", far=True)
        self._change("added", first, there=True, watched=watched)
        self._change("changed", other, there=False, watched=watched)
        self._change("changed", second, there=True, watched=watched)
        self._change("removed", None, there=False, watched=watched)

    def ordinary(self) -> float:
        """Return the milliseconds of a search that has no change to follow, the median of some."""
        each: list[float] = self._other.ask(first=0, count=30)["ms"]
        return statistics.median(each)

    def _document(self, text: str, *, far: bool = False) -> EmbeddedVersion:
        return document(self._number, [text], -self._vector if far else self._vector)

    def _change(self, kind: str, new: EmbeddedVersion | None, *, there: bool, watched: bool) -> None:
        series, name = self.series[kind], document(self._number, [""], self._vector).document.id
        asked: dict[str, Any] = {"watch": self._query, "document": name, "there": there}
        answers: list[dict[str, Any]] = []
        watcher = threading.Thread(target=lambda: answers.append(self._other.ask(**asked)))
        if watched:
            watcher.start()
            time.sleep(_PAUSE_S)
        started = time.perf_counter()
        asyncio.run(self._write(name, new))
        committed = time.perf_counter()
        series.write.append((committed - started) * 1e3)
        if not watched:
            watcher.start()
        watcher.join()
        (answer,) = answers
        if watched:
            series.found.append((answer["at"] - committed) * 1e3)
        else:
            series.next_search.append(answer["first_ms"])
        time.sleep(_PAUSE_S)

    async def _write(self, name: str, new: EmbeddedVersion | None) -> None:
        if new is None:
            await self._shelf.catalog.delete(COLLECTION, [name])
        else:
            await self._shelf.catalog.put([new], EMBEDDER)


def measure(size: int, arguments: argparse.Namespace, work: Path) -> None:
    """Print the figures of one size."""
    material = make_material(arguments.text, size, work / str(size))
    data_dir = filled(material, restricted=False)
    copy = work / f"{size}-changing"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(data_dir, copy)
    with footnote(material, copy) as other:
        other.ask(settle=1)
        freshness = Freshness(material, copy, other)
        before = freshness.ordinary()
        for number in range(2 * arguments.rounds):
            freshness.round(watched=number % 2 == 0)
        print(f"{size} chunks; a search without a change before it {before:.2f} ms", flush=True)
        for kind, series in freshness.series.items():
            figures = f"{_of(series.found)}   next search {_of(series.next_search)}   write {_of(series.write)}"
            print(f"  {kind:<9}found after {figures}", flush=True)
    shutil.rmtree(copy)


def _of(each: list[float]) -> str:
    return f"{statistics.median(each):>7.1f} ms (longest {max(each):.1f})"


def main() -> None:
    """Measure each size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--text", type=Path, nargs="+", required=True)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--work", type=Path, help="a folder that is kept")
    arguments = parser.parse_args()
    print("python -m tests.benchmarks.bench_freshness", *sys.argv[1:], flush=True)
    with tempfile.TemporaryDirectory() as made:
        for size in arguments.sizes:
            measure(size, arguments, arguments.work or Path(made))


if __name__ == "__main__":
    main()
