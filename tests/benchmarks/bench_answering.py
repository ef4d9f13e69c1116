"""Requests per second and latency of the whole path from question to cited answer, with a language model that answers
at once and no cache, beside LangChain, FAISS, Guardrails AI, MLflow and FastAPI put together as their documentation
shows.

Run it with ``python -m tests.benchmarks.bench_answering --corpus FILE… --questions FILE --peer-python PYTHON``. The
files hold a JSON object a line: passages with `title` and `text`, questions with `question`. The peer has an
environment of its own::

    uv venv peers && uv pip install --python peers -r requirements/benchmarks.in

Both are one process with an HTTP API and get the same passages, embedding model, number of hits, model server (it says
sentences of the passages it is shown) and MLflow server, on SQLite. Footnote also finds by words, remembers the
conversation, checks each sentence against its source and streams from the model; the peer does none of that. Questions
do not come again, callers ask again as soon as they are answered, and the two take turns. After each turn the traces
that arrived are counted, at first and once no more came. CPU time is that of the API process; that of MLflow's server
comes besides. `--work FOLDER` keeps what was made for the next run.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

import psutil

from observability.mlflow_server import mlflow_service
from retrieval.embedding.sentence_transformers_embedder import packaged_model
from tests.benchmarks.answering_material import NOBODY, prepare
from tests.benchmarks.closed_loop import Load, closed_loop
from tests.benchmarks.fake_model_server import MODEL
from tests.running_stack import ROOT, free_ports

HITS = 4  # LangChain's default
_HERE = Path(__file__).parent
_START_S = 600.0
_QUIET_S = 3.0  # no trace came for so long: no more will
_DRAIN_S = 120.0


@dataclass(slots=True)
class Turn:
    """One turn of one side: what its callers got, CPU milliseconds a request of its process and of MLflow's server, and
    the share of its traces that were there at the end of the turn, and later."""

    load: Load
    cpu_ms: float
    mlflow_ms: float
    at_once: float
    in_the_end: float


@dataclass(slots=True)
class Side:
    """One side: how it is asked, its process, its experiment in MLflow where it is traced, and its turns by callers."""

    name: str
    port: int
    path: str
    process: psutil.Process
    experiment: str = ""
    turns: dict[int, list[Turn]] = field(default_factory=dict)

    def median(self, callers: int, of: str) -> float:
        """Return the median over the turns of what the turns' requests took, or how many there were a second."""
        turns = self.turns[callers]
        if of == "rps":
            return statistics.median(turn.load.per_second for turn in turns)
        return statistics.median(_percentile(turn.load.ms, of) for turn in turns)

    def best(self, callers: int, of: str) -> float:
        """Return the same of the best turn."""
        turns = self.turns[callers]
        if of == "rps":
            return max(turn.load.per_second for turn in turns)
        return min(_percentile(turn.load.ms, of) for turn in turns)


def _percentile(values: Sequence[float], name: str) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * float(name[1:]) / 100))]


class Traces:
    """How many traces of an experiment the MLflow server has stored."""

    def __init__(self, folder: Path) -> None:
        self._url = f"file:{folder / 'mlflow.sqlite'}?mode=ro"

    def count(self, experiment: str) -> int:
        """Return their number."""
        query = "SELECT count(*) FROM trace_info JOIN experiments USING (experiment_id) WHERE name = ?"
        with sqlite3.connect(self._url, uri=True, timeout=30) as database:
            return int(database.execute(query, (experiment,)).fetchone()[0])

    def settle(self, experiment: str) -> int:
        """Wait until no more come and return their number."""
        deadline, before, since = time.monotonic() + _DRAIN_S, -1, time.monotonic()
        while time.monotonic() < deadline:
            found = self.count(experiment)
            if found != before:
                before, since = found, time.monotonic()
            elif time.monotonic() - since > _QUIET_S:
                break
            time.sleep(0.25)
        return before


@contextmanager
def process(
    command: Sequence[object],
    env: Mapping[str, str],
    port: int,
    path: str,
    answers: Callable[[], bool] | None = None,
) -> Iterator[psutil.Process]:
    """Start a server, wait until it answers at the path, or by a question of its own, and end it."""
    answers = answers or (lambda: _answers(port, path))
    full = {name: value for name, value in os.environ.items() if not name.startswith(("FOOTNOTE_", "MLFLOW_"))}
    with subprocess.Popen([*map(str, command)], env={**full, **env}, cwd=ROOT, stdout=subprocess.DEVNULL) as started:
        try:
            deadline = time.monotonic() + _START_S
            while not answers():
                if started.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit(f"It did not come up: {command}")
                time.sleep(0.2)
            yield psutil.Process(started.pid)
        finally:
            started.terminate()


def _answers(port: int, path: str) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def open_sides(stack: ExitStack, work: Path, peer_python: str, model_port: int, mlflow_port: int) -> list[list[Side]]:
    """Start both sides, with MLflow and without."""
    model, mlflow = f"http://127.0.0.1:{model_port}/v1", f"http://127.0.0.1:{mlflow_port}"
    pairs = []
    for traced in (True, False):
        ours, theirs = free_ports(2)
        env = {
            "FOOTNOTE_DATA_DIR": str(work / "data"),
            "FOOTNOTE_API__PORT": str(ours),
            "FOOTNOTE_CACHE__ENABLED": "false",
            "FOOTNOTE_SERVING__BASE_URL": model,
            "FOOTNOTE_SERVING__MODEL": MODEL,
            "FOOTNOTE_RETRIEVAL__TOP_K": str(HITS),
            "FOOTNOTE_RETRIEVAL__PROMPT_SOURCES": str(HITS),
            "FOOTNOTE_OBSERVABILITY__MLFLOW_URL": mlflow if traced else NOBODY,
            "TOKENIZERS_PARALLELISM": "false",
        }
        command = [sys.executable, "-m", "apps.cli.main", "api"]
        footnote = stack.enter_context(process(command, env, ours, "/healthz"))
        pair = [Side("Footnote", ours, "/v1/query", footnote, "footnote" if traced else "")]
        if peer_python:
            peer = stack.enter_context(_peer(work, peer_python, theirs, model, mlflow if traced else ""))
            pair.append(Side("peer", theirs, "/ask", peer, "peer" if traced else ""))
        pairs.append(pair)
    return pairs


@contextmanager
def _peer(work: Path, python: str, port: int, model: str, mlflow: str) -> Iterator[psutil.Process]:
    home = work / "home"
    home.mkdir(exist_ok=True)
    (home / ".guardrailsrc").write_text("enable_metrics=false\nuse_remote_inferencing=false\n")
    env = {
        "HOME": str(home),
        "PEER_EMBEDDER": str(packaged_model()),
        "PEER_HITS": str(HITS),
        "PEER_MODEL": MODEL,
        "PEER_MODEL_URL": model,
        "TOKENIZERS_PARALLELISM": "false",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        **({"MLFLOW_TRACKING_URI": mlflow} if mlflow else {}),
    }
    command = [python, _HERE / "answering_peer.py", port, work / "corpus.json", work / "faiss"]
    with process(command, env, port, "/healthz") as started:
        yield started


def take_turn(
    side: Side, bodies: Iterator[dict[str, Any]], callers: int, seconds: float, traces: Traces, server: psutil.Process
) -> Turn:
    """Measure one side for some seconds, once its last turn's traces are out of the way."""
    before = traces.settle(side.experiment) if side.experiment else 0
    own, its = _cpu(side.process), _cpu(server)
    load = asyncio.run(closed_loop(side.port, side.path, bodies, callers, seconds))
    own, its = _cpu(side.process) - own, _cpu(server) - its
    asked = len(load.ms) + load.refused or 1
    at_once = (traces.count(side.experiment) - before) / asked if side.experiment else 0.0
    # Requests that ended after the clock are not counted as asked, but leave a trace.
    late = (traces.settle(side.experiment) - before) / (asked + callers) if side.experiment else 0.0
    return Turn(load, own * 1e3 / asked, its * 1e3 / asked, min(1.0, at_once), min(1.0, late))


def _cpu(one: psutil.Process) -> float:
    return sum(sum(each.cpu_times()[:2]) for each in (one, *one.children(recursive=True)))


def report(pair: Sequence[Side], callers: int) -> None:
    """Print each side's figures, and the ratios."""
    for side in pair:
        turns = side.turns[callers]
        loads = [turn.load for turn in turns]
        cited = statistics.mean("[" in a["answer"] for load in loads for a in load.answers)
        traced = f"; traces there at the end {_mean(turns, 'at_once'):.0%}, later {_mean(turns, 'in_the_end'):.0%}, "
        traced += f"MLflow's CPU {_mean(turns, 'mlflow_ms'):.1f} ms"
        print(
            f"  {side.name:<9} {callers:>3} callers: requests/s median {side.median(callers, 'rps'):6.1f}, best "
            f"{side.best(callers, 'rps'):6.1f}; p50 {side.median(callers, 'p50'):7.1f} ms, best "
            f"{side.best(callers, 'p50'):7.1f}; p95 {side.median(callers, 'p95'):7.1f} ms; CPU "
            f"{_mean(turns, 'cpu_ms'):5.1f} ms a request; cited {cited:.0%}, refused {sum(x.refused for x in loads)}"
            + (traced if side.experiment else ""),
            flush=True,
        )
    if len(pair) == 2:
        ours, peer = pair
        for kind in ("median", "best"):
            faster = getattr(ours, kind)(callers, "rps") / getattr(peer, kind)(callers, "rps")
            share = getattr(ours, kind)(callers, "p50") / getattr(peer, kind)(callers, "p50")
            print(f"    {kind}: {faster:.1f} times the requests/s, {share:.2f} of the p50", flush=True)


def _mean(turns: Sequence[Turn], name: str) -> float:
    return statistics.mean(float(getattr(turn, name)) for turn in turns)


def main() -> None:
    """Measure both sides with MLflow, then without."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, nargs="+", required=True)
    parser.add_argument("--questions", type=Path, required=True)
    parser.add_argument("--passages", type=int, default=1000)
    parser.add_argument("--callers", type=int, nargs="+", default=[1, 8, 32])
    parser.add_argument("--seconds", type=float, default=6.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peer-python", default="", help="without it, Footnote runs alone")
    parser.add_argument("--work", type=Path, help="a folder that is kept")
    arguments = parser.parse_args()
    print("python -m tests.benchmarks.bench_answering", *sys.argv[1:], flush=True)
    with ExitStack() as stack:
        work = arguments.work or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        questions = prepare(arguments.corpus, arguments.questions, arguments.passages, work.resolve())
        model_port, mlflow_port = free_ports(2)
        fake = [sys.executable, "-m", "tests.benchmarks.fake_model_server", model_port]
        stack.enter_context(process(fake, {}, model_port, "/v1/models"))
        store = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        service = mlflow_service(store, python=Path(sys.executable), host="127.0.0.1", port=mlflow_port)
        server = stack.enter_context(process(service.argv, dict(service.env), mlflow_port, "/health"))
        pairs = open_sides(stack, work.resolve(), arguments.peer_python, model_port, mlflow_port)
        measure(pairs, questions, arguments, Traces(store), server)


def measure(
    pairs: Sequence[Sequence[Side]],
    questions: Sequence[str],
    arguments: argparse.Namespace,
    traces: Traces,
    server: psutil.Process,
) -> None:
    """Let the sides take turns."""
    bodies = {id(side): _endless(questions) for pair in pairs for side in pair}
    for pair in pairs:
        print("with MLflow" if pair[0].experiment else "without MLflow", flush=True)
        for side in pair:
            asyncio.run(closed_loop(side.port, side.path, bodies[id(side)], 4, 5.0))  # warms it up
        for callers in arguments.callers:
            for _ in range(arguments.rounds):
                for side in pair:
                    turn = take_turn(side, bodies[id(side)], callers, arguments.seconds, traces, server)
                    side.turns.setdefault(callers, []).append(turn)
            report(pair, callers)


def _endless(questions: Sequence[str]) -> Iterator[dict[str, Any]]:
    while True:
        for question in questions:
            yield {"question": question}


if __name__ == "__main__":
    main()
