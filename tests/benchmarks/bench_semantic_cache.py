"""Answers served to questions put in other words: how many, how many of them wrong, beside GPTCache and LangChain.

Run it with ``python -m tests.benchmarks.bench_semantic_cache --gptcache mock_data.json --banking77 train.csv --squad
qa.jsonl --peers-python PYTHON``. The peers have an environment of their own::

    uv venv peers && uv pip install --python peers -r requirements/benchmarks.in

All are given the same vectors, of Footnote's embedder. Footnote takes the first of the four nearest cached questions
that agrees (cache/question_agreement.py); GPTCache and LangChain's RedisSemanticCache take the nearest within their
threshold, really, in a process of their own: once with the default, once refusing nothing, and by that the other
thresholds are told. `best` is the threshold with the most right less wrong, `as few wrong` the one with the most right
at no more wrong than Footnote; both are chosen on the answers, which no one who sets a threshold can do.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cache.question_agreement import agrees
from cache.question_words import question_words
from retrieval.embedding.sentence_transformers_embedder import SentenceTransformersEmbedder
from tests.benchmarks.question_pairs import Asked, changed, gptcache_pairs, intents, same_passages

_NEAREST = 4
_PEERS = {"GPTCache": "gptcache", "RedisSemanticCache": "langchain"}
_STEPS = np.arange(0.5, 1.0, 0.005)  # similarities below which a peer may refuse


@dataclass(frozen=True)
class Served:
    right: int
    wrong: int
    missed: int

    def row(self, name: str, note: str = "") -> str:
        asked = self.right + self.wrong + self.missed
        return f"{name:<40}{self.right / asked:>8.1%}{self.wrong / asked:>8.1%}{self.missed / asked:>8.1%}  {note}"


def counted(asked: Asked, served: Iterable[int]) -> Served:
    """Return how many were served rightly, wrongly and not at all; `served` are places of cached texts, -1 for none."""
    outcome = [None if its < 0 else asked.may_serve(place, its) for place, its in enumerate(served)]
    return Served(outcome.count(True), outcome.count(False), outcome.count(None))


def ours(asked: Asked, similarities: NDArray[np.float32]) -> tuple[Served, list[float]]:
    """Return what Footnote serves, and the microseconds of each decision, the questions read for the first time."""
    question_words.cache_clear()
    served, taken = [], []
    for place, row in enumerate(similarities):
        its = -1
        for near in np.argsort(-row, kind="stable")[:_NEAREST].tolist():
            start = time.perf_counter()
            agreed = agrees(asked.asked[place], asked.cached[near], float(row[near]))
            taken.append(1e6 * (time.perf_counter() - start))
            if agreed:
                its = near
                break
        served.append(its)
    return counted(asked, served), taken


def theirs(peers_python: str, peer: str, asked: Asked, texts: list[str], vectors: NDArray[np.float32]) -> list[dict]:
    """Return what the peer served with its default threshold and with none."""
    with tempfile.TemporaryDirectory() as folder:
        np.save(Path(folder, "vectors.npy"), vectors)
        material = {"texts": texts, "cached": asked.cached, "asked": asked.asked}
        Path(folder, "texts.json").write_text(json.dumps(material), "utf-8")
        script = Path(__file__).with_name("semantic_cache_peers.py")
        run = subprocess.run([peers_python, script, peer, folder], capture_output=True)
    if run.returncode:
        last = run.stderr.decode(errors="replace").strip().splitlines()[-1:]
        raise SystemExit(f"{peer} did not run: {last}; install requirements/benchmarks.in for {peers_python!r}")
    return [json.loads(line) for line in run.stdout.splitlines() if line.startswith(b'{"threshold"')]


def at_thresholds(asked: Asked, served: list[int], similarities: NDArray[np.float32]) -> list[tuple[float, Served]]:
    """Return what would be served at each similarity, from what is served when nothing is refused."""
    near = [similarities[place, its] if its >= 0 else -1.0 for place, its in enumerate(served)]
    return [
        (step, counted(asked, [its if its_near >= step else -1 for its, its_near in zip(served, near, strict=True)]))
        for step in _STEPS.tolist()
    ]


def compare(asked: Asked, embedder: SentenceTransformersEmbedder, peers_python: str) -> None:
    texts = list(dict.fromkeys([*asked.cached, *asked.asked]))
    vectors = np.asarray(asyncio.run(embedder.embed(texts)), np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    known = dict(zip(texts, vectors, strict=True))
    similarities = np.array([known[t] for t in asked.asked]) @ np.array([known[t] for t in asked.cached]).T
    footnote, taken = ours(asked, similarities)
    print(f"\n{asked.name}: {len(asked.asked)} asked, {len(asked.cached)} cached")
    print(f"{'':<40}{'right':>8}{'wrong':>8}{'missed':>8}")
    p50, p99 = np.percentile(taken, [50, 99])
    print(footnote.row("footnote", f"{p50:.0f} µs a decision, p99 {p99:.0f}"), flush=True)
    for name, peer in _PEERS.items() if peers_python else ():
        default, everything = theirs(peers_python, peer, asked, texts, vectors)
        note = f"{everything['ms']:.1f} ms a lookup, search included"
        print(counted(asked, default["served"]).row(f"{name}, default {default['threshold']}", note))
        steps = at_thresholds(asked, everything["served"], similarities)
        step, best = max(steps, key=lambda each: each[1].right - each[1].wrong)
        print(best.row(f"{name}, best", f"cosine {step:.3f}"))
        careful = [each for each in steps if each[1].wrong <= footnote.wrong]
        if careful:
            step, few = max(careful, key=lambda each: each[1].right)
            print(few.row(f"{name}, as few wrong", f"cosine {step:.3f}"), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gptcache", type=Path, help="GPTCache's mock_data.json: origin, similar")
    parser.add_argument("--banking77", type=Path, help="Banking77's train.csv: text, category")
    parser.add_argument("--squad", type=Path, help="SQuAD 2 as JSON lines: question, answers")
    parser.add_argument("--peers-python", default="", help="without it, Footnote runs alone")
    arguments = parser.parse_args()
    named = {"--gptcache": arguments.gptcache, "--banking77": arguments.banking77, "--squad": arguments.squad}
    given = " ".join(f"{option} {path}" for option, path in named.items() if path)
    print(f"python -m tests.benchmarks.bench_semantic_cache {given}")
    embedder = SentenceTransformersEmbedder()
    if arguments.gptcache:
        compare(gptcache_pairs(arguments.gptcache), embedder, arguments.peers_python)
    if arguments.banking77:
        compare(intents(arguments.banking77), embedder, arguments.peers_python)
    if arguments.squad:
        compare(same_passages(arguments.squad), embedder, arguments.peers_python)
        compare(changed(arguments.squad), embedder, arguments.peers_python)


if __name__ == "__main__":
    main()
