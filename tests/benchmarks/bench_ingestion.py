"""Seconds and memory from files to searchable, beside LlamaIndex's IngestionPipeline and LangChain's loaders, splitter
and FAISS, with the same embedding model.

Run it with ``python -m tests.benchmarks.bench_ingestion --data FOLDER --passages 2000 --peers-python PYTHON``. FOLDER
holds passages in BEIR's layout at any depth; with ``--files FOLDER…`` other files are read instead, and no search is
judged. The peers have an environment of their own::

    uv venv peers && uv pip install --python peers -r requirements/benchmarks.in

Each contender starts in a fresh process, imports and model included, and they take turns; the best of `--rounds`
counts. Peak memory is the largest sum over the process and its children, sampled. Footnote's time is that of the
command ``footnote ingest``, which also leaves everything on disk, with the making of the index at the first search; the
peers keep theirs in memory. Footnote's second run over the unchanged folder comes last.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from retrieval.embedding.sentence_transformers_embedder import packaged_model
from tests.benchmarks.beir_passages import Passages, mean_ndcg, read_passages, write_passages
from tests.benchmarks.ingestion_peers import SEARCHABLE

PEERS = ("llamaindex", "langchain")
SUFFIXES = {".txt", ".md", ".csv", ".html", ".pdf", ".docx"}  # what all contenders read
_SAMPLE_S = 0.05
_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Outcome:
    """One contender's run: seconds until the folder was searchable, the largest memory until then in MiB, and what it
    said of files, chunks and the files found for each query."""

    seconds: float
    peak_mib: float
    files: int
    chunks: int
    found: Mapping[str, Sequence[str]]


class PeakMemory:
    """The largest resident memory of a process with its children, in MiB; pages that they share count for each."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self._stop = threading.Event()
        self.mib = 0.0
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> float:
        """Stop watching and return the peak."""
        self._stop.set()
        self._thread.join()
        return self.mib

    def _watch(self) -> None:
        while not self._stop.wait(_SAMPLE_S):
            total = 0
            try:
                for process in (self._process, *self._process.children(recursive=True)):
                    total += process.memory_info().rss
            except psutil.Error:  # one of them just ended
                continue
            self.mib = max(self.mib, total / (1 << 20))


def run_peer(name: str, python: str, folder: Path, queries: Path) -> Outcome:
    """Let a peer ingest the folder and search."""
    command = [python, str(_HERE / "ingestion_peers.py"), name, str(folder), str(packaged_model()), str(queries)]
    started = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=_env()) as process:
        peak = PeakMemory(process.pid)
        assert process.stdout is not None
        for line in process.stdout:
            if line.strip() == SEARCHABLE:
                break
        seconds, mib = time.perf_counter() - started, peak.stop()
        rest = process.stdout.read()
    if process.returncode:
        raise SystemExit(f"{name} failed: run {' '.join(command)}")
    said = json.loads(rest.strip().splitlines()[-1])
    return Outcome(seconds, mib, said["files"], said["chunks"], said["found"])


def run_footnote(folder: Path, queries: Path, data_dir: Path) -> Outcome:
    """Let `footnote ingest` read the folder, and search in a second process."""
    shutil.rmtree(data_dir, ignore_errors=True)
    seconds, mib, done = _footnote("ingest", folder, data_dir)
    added = [each for each in done if each["outcome"] == "added"]
    search = [sys.executable, "-m", "tests.benchmarks.ingestion_search", str(queries)]
    said = json.loads(subprocess.check_output(search, text=True, env=_env(data_dir), stderr=subprocess.DEVNULL))
    chunks = sum(int(each["chunks"]) for each in added)
    return Outcome(seconds + said["index_seconds"], mib, len(added), chunks, said["found"])


def resync(folder: Path, data_dir: Path) -> float:
    """Return the seconds of `footnote sync` on a folder that did not change."""
    seconds, _, done = _footnote("sync", folder, data_dir)
    if any(each["outcome"] not in ("unchanged", "failed") for each in done):
        raise SystemExit("The folder was not unchanged.")
    return seconds


def _footnote(command: str, folder: Path, data_dir: Path) -> tuple[float, float, list[dict[str, str | int]]]:
    program = Path(sys.executable).with_name("footnote")
    with tempfile.TemporaryFile("w+") as output:
        started = time.perf_counter()
        process = subprocess.Popen(
            [program, command, str(folder), "--json"], stdout=output, stderr=subprocess.DEVNULL, env=_env(data_dir)
        )
        peak = PeakMemory(process.pid)
        process.wait()
        seconds, mib = time.perf_counter() - started, peak.stop()
        output.seek(0)
        return seconds, mib, json.loads(output.read())


def _env(data_dir: Path | None = None) -> dict[str, str]:
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    env |= {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "true"}
    return env | {"FOOTNOTE_DATA_DIR": str(data_dir)} if data_dir else env


def copy_files(folders: Sequence[Path], target: Path) -> int:
    """Copy what all contenders read, under names that are free."""
    target.mkdir()
    files = [file for folder in folders for file in sorted(folder.rglob("*")) if file.suffix.lower() in SUFFIXES]
    for number, file in enumerate(files):
        shutil.copyfile(file, target / f"{number:04}-{file.stem[:60]}{file.suffix.lower()}")
    return len(files)


def show(name: str, best: Outcome, ours: Outcome, passages: Passages | None) -> None:
    """Print one contender's line."""
    quality = f"{mean_ndcg(best.found, passages.qrels):>9.4f}" if passages else f"{'-':>9}"
    rate, ratio = best.files / best.seconds, best.seconds / ours.seconds
    print(
        f"{name:<12}{best.seconds:>9.1f}{rate:>9.1f}{ratio:>7.2f}{best.peak_mib:>10.0f}{best.files:>8}{best.chunks:>8}{quality}",
        flush=True,
    )


def main() -> None:
    """Compare the contenders."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--passages", type=int, default=2000)
    parser.add_argument("--files", type=Path, nargs="+")
    parser.add_argument("--peers-python", default="", help="without it, Footnote runs alone")
    parser.add_argument("--rounds", type=int, default=2)
    arguments = parser.parse_args()
    if bool(arguments.data) == bool(arguments.files):
        parser.error("say either --data or --files")
    print("python -m tests.benchmarks.bench_ingestion", *sys.argv[1:], flush=True)
    with tempfile.TemporaryDirectory() as made:
        folder, queries, data_dir = Path(made) / "files", Path(made) / "queries.json", Path(made) / "data"
        passages = read_passages(arguments.data, arguments.passages) if arguments.data else None
        if passages:
            write_passages(passages, folder)
        count = len(passages.files) if passages else copy_files(arguments.files, folder)
        queries.write_text(json.dumps(passages.queries if passages else {}), encoding="utf-8")
        best: dict[str, Outcome] = {}
        for _ in range(arguments.rounds):
            turn = {"footnote": run_footnote(folder, queries, data_dir)}
            for peer in PEERS if arguments.peers_python else ():
                turn[peer] = run_peer(peer, arguments.peers_python, folder, queries)
            best = {name: min(best.get(name, one), one, key=lambda each: each.seconds) for name, one in turn.items()}
        print(f"{count} files, {len(passages.queries) if passages else 0} judged queries; best of {arguments.rounds}")
        titles = f"{'seconds':>9}{'files/s':>9}{'ratio':>7}{'peak MiB':>10}{'files':>8}{'chunks':>8}{'nDCG@10':>9}"
        print(f"{'':<12}{titles}")
        for name, one in best.items():
            show(name, one, best["footnote"], passages)
        print(f"second sync of the unchanged folder: {resync(folder, data_dir):.2f} s")


if __name__ == "__main__":
    main()
