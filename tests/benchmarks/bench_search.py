"""Latency, throughput, recall, memory and loading of hybrid search over 10,000 to 1,000,000 chunks, beside LlamaIndex's
and LangChain's stock hybrid retrievers.

Run it with ``python -m tests.benchmarks.bench_search --text FOLDER… --sizes 10000 100000 --peers-python PYTHON``. Each
FOLDER holds corpora and queries in BEIR's layout, at any depth: passages are put together from their sentences. Vectors
are a mixture of Gaussians. The peers have an environment of their own::

    uv venv peers && uv pip install --python peers -r requirements/benchmarks.in

Every contender gets the same texts, vectors and queries, runs in a process of its own and takes turns with the others.
Query vectors are looked up by all of them, so no embedding model is measured. Footnote reads its documents from its
catalog on disk, checks who may see them, and follows the catalog before each search; the peers hold all in memory and
know neither access nor changes. `--work FOLDER` keeps what was made for the next run.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.benchmarks.search_catalog import EVERYONE, HUNDREDTH, TENTH, fill
from tests.benchmarks.search_footnote import TOP
from tests.benchmarks.search_material import CHUNKS_PER_DOCUMENT, Material, make_material
from tests.library import Shelf

PEERS = ("llamaindex", "langchain")
CROWD = 8  # callers at once
_SECONDS = 10.0  # about so long is a peer's turn, however slow it is
_PEERS_UP_TO = 100_000
_HERE = Path(__file__).parent
_ROWS = 50_000


class Contender:
    """A process that was loaded and searches when it is asked to."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.loaded = self._answer()

    def ask(self, **request: Any) -> dict[str, Any]:
        """Return the answer to a request."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith("{"):
                found: dict[str, Any] = json.loads(line)
                return found
        raise SystemExit(f"A contender ended: {self._process.args!r}")


@contextmanager
def contender(*command: object) -> Iterator[Contender]:
    """Start a process and end it."""
    with subprocess.Popen([*map(str, command)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Contender(process)
        finally:
            assert process.stdin is not None
            process.stdin.close()


def footnote(material: Material, data_dir: Path) -> Any:
    """Start Footnote on a filled catalog."""
    return contender(sys.executable, "-m", "tests.benchmarks.search_footnote", material.folder, data_dir)


def filled(material: Material, *, restricted: bool) -> Path:
    """Return a data folder whose catalog holds the material, and whose indexes are built."""
    data_dir = stored(material, restricted=restricted)
    if not (data_dir / "built").exists():
        with footnote(material, data_dir) as first:
            settled = first.ask(settle=1)
            print(f"  indexes built from the catalog in {settled['seconds']:.1f} s", flush=True)
        (data_dir / "built").touch()
    return data_dir


def stored(material: Material, *, restricted: bool) -> Path:
    """Return a data folder whose catalog holds the material."""
    data_dir = material.folder / ("restricted" if restricted else "public")
    if not (data_dir / "stored").exists():
        data_dir.mkdir(parents=True, exist_ok=True)
        shelf, started = Shelf(data_dir), time.perf_counter()
        documents = asyncio.run(fill(shelf.collections, shelf.catalog, material, restricted=restricted))
        print(f"  {documents} documents stored in {time.perf_counter() - started:.1f} s", flush=True)
        (data_dir / "stored").touch()
    return data_dir


def exact(material: Material, count: int, visible: NDArray[np.bool_]) -> list[set[int]]:
    """Return the rows nearest to each of the first queries, of the visible rows only."""
    queries, vectors = material.query_vectors[:count], material.vectors
    scores, rows = np.empty((count, 0), dtype=np.float32), np.empty((count, 0), dtype=np.int64)
    for start in range(0, len(vectors), _ROWS):
        some = queries @ np.asarray(vectors[start : start + _ROWS]).T
        some[:, ~visible[start : start + _ROWS]] = -np.inf
        best = np.argpartition(-some, TOP, axis=1)[:, :TOP]
        scores = np.concatenate([scores, np.take_along_axis(some, best, axis=1)], axis=1)
        rows = np.concatenate([rows, best + start], axis=1)
    order = np.argsort(-scores, axis=1)[:, :TOP]
    return [set(each.tolist()) for each in np.take_along_axis(rows, order, axis=1)]


def recall(one: Contender, material: Material, share: int = 1, group: str = "", count: int = 200) -> float:
    """Return how many of the ten nearest a search by meaning finds for one who sees a `share`-th of the documents."""
    visible = np.arange(len(material.vectors)) // CHUNKS_PER_DOCUMENT % share == 0
    rows = one.ask(nearest=count, groups=[group] if group else [])["rows"]
    found = zip(exact(material, count, visible), rows, strict=True)
    return sum(len(best & set(mine)) for best, mine in found) / (TOP * count)


def ours(one: Contender, queries: int, rounds: int) -> None:
    """Print Footnote's line for each mode, with one caller and with many."""
    for mode in ("dense", "sparse", "hybrid"):
        turns = [one.ask(first=0, count=queries, mode=mode) for _ in range(rounds)]
        crowd = [one.ask(first=0, count=queries, mode=mode, callers=CROWD) for _ in range(rounds)]
        show(f"  footnote {mode}", turns, crowd)
        steps = ", ".join(f"{step} {ms:.2f}" for step, ms in turns[-1]["steps"].items())
        used = min(turn["cpu_seconds"] for turn in turns) / queries * 1e3
        print(f"    milliseconds: {steps}; computing time {used:.2f}", flush=True)


def show(name: str, turns: Sequence[dict[str, Any]], crowd: Sequence[dict[str, Any]]) -> tuple[float, float]:
    """Print a contender's latencies and queries per second; return the latter, the best of all turns."""
    alone = max(len(turn["ms"]) / turn["seconds"] for turn in turns)
    many = max(len(turn["ms"]) / turn["seconds"] for turn in crowd)
    p50, p99 = np.percentile(np.concatenate([turn["ms"] for turn in turns]), (50, 99))
    _, crowded = np.percentile(np.concatenate([turn["ms"] for turn in crowd]), (50, 99))
    print(f"{name:<34}{p50:>9.2f}{p99:>9.2f}{alone:>9.1f}{many:>11.1f}{crowded:>9.1f}", flush=True)
    return alone, many


def side_by_side(one: Contender, peers: dict[str, Contender], queries: int, rounds: int) -> None:
    """Let all contenders take turns, and print how many times a peer's queries per second Footnote's are."""
    everyone = {"footnote": one, **peers}
    counts = {name: _fitting(each, queries) for name, each in everyone.items()}
    alone: dict[str, list[dict[str, Any]]] = {name: [] for name in everyone}
    crowd: dict[str, list[dict[str, Any]]] = {name: [] for name in everyone}
    for _ in range(rounds):
        for name, each in everyone.items():
            alone[name].append(each.ask(first=0, count=counts[name], callers=1))
            crowd[name].append(each.ask(first=0, count=counts[name], callers=CROWD))
    rates = {name: show(f"  {name} ({counts[name]} queries)", alone[name], crowd[name]) for name in everyone}
    for name in peers:
        ratios = [mine / theirs for mine, theirs in zip(rates["footnote"], rates[name], strict=True)]
        print(f"  {ratios[0]:.1f} times {name} with one caller, {ratios[1]:.1f} times with {CROWD}", flush=True)


def _fitting(each: Contender, queries: int) -> int:
    trial = each.ask(first=0, count=3, callers=1)["seconds"] / 3
    return max(10, min(queries, int(_SECONDS / trial)))


def measure(size: int, arguments: argparse.Namespace, work: Path) -> None:
    """Print all figures of one size."""
    print(f"{size} chunks", flush=True)
    material = make_material(arguments.text, size, work / str(size))
    queries = min(arguments.queries, len(material.queries))
    data_dir = filled(material, restricted=False)
    print(f"{'':<34}{'p50 ms':>9}{'p99 ms':>9}{'q/s':>9}{f'q/s of {CROWD}':>11}{'p99 ms':>9}", flush=True)
    with ExitStack() as stack:
        one = stack.enter_context(footnote(material, data_dir))
        loaded, warm = one.loaded, one.ask(settle=1)
        one.ask(first=0, count=queries)
        ours(one, queries, arguments.rounds)
        mib = max(warm["mib"], one.ask(settle=1)["mib"])
        catalog = sum(path.stat().st_size for path in data_dir.glob("catalog.sqlite*"))
        everything = sum(path.stat().st_size for path in data_dir.rglob("*") if path.is_file())
        print(
            f"  recall@{TOP} of the dense view {recall(one, material):.3f}; from snapshots to the first answer "
            f"{loaded['seconds']:.2f} s; bytes per chunk: memory {mib * (1 << 20) / size:.0f}, "
            f"indexes on disk {(everything - catalog) / size:.0f}, catalog {catalog / size:.0f}",
            flush=True,
        )
        if arguments.peers_python and size <= _PEERS_UP_TO:
            script = _HERE / "search_peers.py"
            peers = {
                name: stack.enter_context(contender(arguments.peers_python, script, name, material.folder, size))
                for name in PEERS
            }
            for name, peer in peers.items():
                mib, seconds = peer.loaded["mib"], peer.loaded["seconds"]
                print(f"  {name}: built in {seconds:.1f} s, {mib * (1 << 20) / size:.0f} bytes per chunk", flush=True)
            side_by_side(one, peers, queries, arguments.rounds)
    if size <= arguments.restricted_up_to:
        restricted(material, queries, arguments.rounds)


def restricted(material: Material, queries: int, rounds: int) -> None:
    """Print what searches cost those who may see a part of a collection, and what a filter costs."""
    with footnote(material, filled(material, restricted=True)) as one:
        one.ask(settle=1)
        cases: list[tuple[str, dict[str, Any]]] = [
            ("all of it, none public", {"groups": [EVERYONE]}),
            ("10 % of it", {"groups": [TENTH]}),
            ("1 % of it", {"groups": [HUNDREDTH]}),
            ("all, filter of 5 %", {"groups": [EVERYONE], "year": "2003"}),
            ("10 %, filter of 5 %", {"groups": [TENTH], "year": "2003"}),
        ]
        for name, case in cases:
            one.ask(first=0, count=20, **case)
            turns = [one.ask(first=0, count=queries, **case) for _ in range(rounds)]
            show(f"  sees {name}", turns, [one.ask(first=0, count=queries, callers=CROWD, **case)])
        shares = {EVERYONE: 1, TENTH: 10, HUNDREDTH: 100}
        recalls = ", ".join(f"1/{share} {recall(one, material, share, group):.3f}" for group, share in shares.items())
        print(f"  recall@{TOP} of the dense view for who sees {recalls}", flush=True)


def main() -> None:
    """Measure each size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--text", type=Path, nargs="+", required=True)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--queries", type=int, default=600)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--restricted-up-to", type=int, default=100_000, help="chunks")
    parser.add_argument("--peers-python", default="", help="without it, Footnote runs alone")
    parser.add_argument("--work", type=Path, help="a folder that is kept")
    arguments = parser.parse_args()
    print("python -m tests.benchmarks.bench_search", *sys.argv[1:], flush=True)
    with tempfile.TemporaryDirectory() as made:
        for size in arguments.sizes:
            measure(size, arguments, arguments.work or Path(made))


if __name__ == "__main__":
    main()
