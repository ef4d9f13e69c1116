"""Some minutes of many clients on the API, of whom some hang up in the middle of an answer and some read slowly: does
memory grow, does anything stay open, does anyone get another's answer?

Run it with ``python -m tests.benchmarks.bench_soak --minutes 10``. The API is one process without cache; the model
server is a stand-in that says sentences of the source in its prompt, at the pace of a model (`--vllm` takes the
packaged model instead, for which `--minutes 1 --clients 16` will do). Each of some hundred documents tells a number in
every sentence that no other tells, and each question is about one document: an answer that tells another is mixed up.

Every client asks again as soon as it is answered, on a connection of its own. A fifth of the requests are abandoned
after a random time, before or within the answer, and as many are read slowly, through a small buffer. The API's memory
is sampled; its slope is a least-squares fit over what follows the warm-up. At the end, a quiet moment after the last
client left, the model server must have no request running and the API as many descriptors open as before the first.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil

from tests.benchmarks.answering_material import NOBODY
from tests.benchmarks.bench_answering import process
from tests.benchmarks.bench_cache import percentile
from tests.benchmarks.model_engine import Engine, fake_engine, vllm_engine
from tests.benchmarks.token_stream_client import RefusedError, events
from tests.running_stack import ROOT, free_ports

_NUMBER = re.compile(r"\b\d{6}\b")
_LEFT = 0.2  # of the requests
_SLOW = 0.2
_SMALL = 2048  # bytes that a slow reader's socket takes
_SAMPLE_S = 2.0
_WARM = 0.25  # of the time
_QUIET_S = 60.0
_SYLLABLES = ("bar", "dol", "fen", "gar", "hul", "kes", "lim", "mor", "nor", "pel", "rud", "sil", "tam", "vor", "wex")


@dataclass(frozen=True, slots=True)
class Place:
    """What a document is about, and the number that only it tells."""

    name: str
    number: str

    @property
    def document(self) -> str:
        """Its text, with the number in each sentence."""
        return (
            f"{self.name} station\n\nThe register number of {self.name} station is {self.number} since it was opened. "
            f"Trains that stop at {self.name} station carry the number {self.number} on their last wagon. "
            f"Letters to {self.name} station need the number {self.number} below the name of the street."
        )

    @property
    def question(self) -> str:
        """What its first sentence answers."""
        return f"What is the register number of {self.name} station?"


@dataclass(slots=True)
class Sample:
    """The API at one moment."""

    second: float
    rss_mb: float
    descriptors: int


@dataclass(slots=True)
class Soak:
    """What the clients got, and how the API fared meanwhile."""

    first_sentence_ms: list[float] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)
    samples: list[Sample] = field(default_factory=list)


def places(count: int) -> list[Place]:
    """Return places with names that share no word."""
    chance = random.Random(3)
    names = [a + b + c for a in _SYLLABLES for b in _SYLLABLES for c in _SYLLABLES]
    numbers = chance.sample(range(100_000, 1_000_000), count)
    chosen = chance.sample(names, count)
    return [Place(name.title(), str(number)) for name, number in zip(chosen, numbers, strict=True)]


def ingest(known: list[Place], work: Path) -> None:
    """Let Footnote read the documents."""
    folder = work / "stations"
    folder.mkdir(parents=True, exist_ok=True)
    for place in known:
        (folder / f"{place.name}.txt").write_text(place.document, encoding="utf-8")
    env = {**os.environ, "FOOTNOTE_DATA_DIR": str(work / "data"), "FOOTNOTE_OBSERVABILITY__MLFLOW_URL": NOBODY}
    command = [sys.executable, "-m", "apps.cli.main", "ingest", str(folder)]
    subprocess.run(command, env=env, cwd=ROOT, check=True, capture_output=True)


class Clients:
    """Clients that ask until the time is over."""

    def __init__(self, port: int, known: list[Place], soak: Soak, seconds: float) -> None:
        self._port = port
        self._places = known
        self._soak = soak
        self._end = time.monotonic() + seconds
        self._chance = random.Random(4)

    async def all_of_them(self, count: int) -> None:
        """Return when the last client has left."""
        await asyncio.gather(*(self._client() for _ in range(count)))

    async def _client(self) -> None:
        while time.monotonic() < self._end:
            drawn = self._chance.random()
            patience_s = self._chance.expovariate(1 / 3) if drawn < _LEFT else None
            slow = _LEFT <= drawn < _LEFT + _SLOW
            try:
                async with asyncio.timeout(patience_s):
                    await self._ask(self._chance.choice(self._places), slow)
            except TimeoutError:
                self._soak.outcomes["left"] += 1
            except RefusedError as exc:
                self._soak.outcomes[f"HTTP {exc.status}"] += 1
                await asyncio.sleep(1)
            except (ConnectionError, asyncio.IncompleteReadError) as exc:
                self._soak.outcomes[type(exc).__name__] += 1

    async def _ask(self, place: Place, slow: bool) -> None:
        """Ask on a connection of its own, which is closed however this ends."""
        connection = socket.socket()
        connection.setblocking(False)
        if slow:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SMALL)
        try:
            await asyncio.get_running_loop().sock_connect(connection, ("127.0.0.1", self._port))
            reader, writer = await asyncio.open_connection(sock=connection, limit=_SMALL if slow else 1 << 16)
            try:
                await self._read(reader, writer, place, slow)
            finally:
                writer.transport.abort()
        finally:
            connection.close()

    async def _read(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, place: Place, slow: bool) -> None:
        begun, told, said = time.perf_counter(), set[str](), False
        body = {"question": place.question, "stream": True, "fresh": True}
        async for name, data in events(reader, writer, "/v1/query", body):
            if name == "error":
                raise RefusedError(200, data)
            if name == "token":
                if not said:
                    self._soak.first_sentence_ms.append((time.perf_counter() - begun) * 1e3)
                said = True
                told |= set(_NUMBER.findall(json.loads(data)["text"]))
            if slow:
                await asyncio.sleep(0.2)
        self._soak.outcomes["mixed up" if told - {place.number} else "own answer" if told else "no answer"] += 1


async def watch(api: psutil.Process, soak: Soak) -> None:
    """Sample the API until cancelled."""
    begun = time.monotonic()
    while True:
        soak.samples.append(sampled(api, time.monotonic() - begun))
        await asyncio.sleep(_SAMPLE_S)


def sampled(api: psutil.Process, second: float = 0.0) -> Sample:
    """Return the memory of the API and its children, and how many descriptors it has open."""
    family = [api, *api.children(recursive=True)]
    return Sample(second, sum(each.memory_info().rss for each in family) / 1e6, api.num_fds())


async def soaked(port: int, api: psutil.Process, known: list[Place], clients: int, seconds: float) -> Soak:
    """Return what came of so many clients in that time."""
    soak = Soak()
    watching = asyncio.create_task(watch(api, soak))
    await Clients(port, known, soak, seconds).all_of_them(clients)
    watching.cancel()
    return soak


def report(soak: Soak, clients: int, minutes: float) -> None:
    """Print what the clients got and how memory went."""
    counted = ", ".join(f"{count} {kind}" for kind, count in soak.outcomes.most_common())
    ms = soak.first_sentence_ms
    print(f"  {clients} clients for {minutes:g} minutes: {counted}; mixed up {soak.outcomes['mixed up']} (goal 0)")
    if ms:
        print(f"  first sentence: p50 {percentile(ms, 0.5):.0f} ms, p99 {percentile(ms, 0.99):.0f} ms, of {len(ms)}")
    kept = [sample for sample in soak.samples if sample.second > _WARM * soak.samples[-1].second]
    rss = [sample.rss_mb for sample in kept]
    slope = float(np.polyfit([sample.second / 60 for sample in kept], rss, 1)[0])
    tenth = max(1, len(rss) // 10)
    first, last = statistics.mean(rss[:tenth]), statistics.mean(rss[-tenth:])
    print(
        f"  memory of the API after warm-up: {first:.0f} MB at first, {last:.0f} at last ({last / first:.3f}), most "
        f"{max(rss):.0f}; slope {slope:+.2f} MB/min; descriptors at most {max(s.descriptors for s in soak.samples)}",
        flush=True,
    )


def after(api: psutil.Process, engine: Engine, before: Sample) -> None:
    """Print what is still open once it is quiet."""
    running, begun = float("nan"), time.monotonic()
    while (waited := time.monotonic() - begun) < _QUIET_S:
        running = engine.counted("vllm:num_requests_running")
        if not running and sampled(api).descriptors <= before.descriptors:
            break
        time.sleep(0.5)
    now = sampled(api)
    established = sum(each.status == psutil.CONN_ESTABLISHED for each in api.net_connections("tcp"))
    print(
        f"  {waited:.1f} s after the last client: {running:.0f} requests run in the model server (goal 0); descriptors "
        f"{now.descriptors}, {before.descriptors} before the first client; {established} connections; memory "
        f"{now.rss_mb:.0f} MB, {before.rss_mb:.0f} before",
        flush=True,
    )


def main() -> None:
    """Soak the API."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--places", type=int, default=300)
    parser.add_argument("--pace-ms", type=float, default=100, help="what the stand-in takes for a token")
    parser.add_argument("--vllm", action="store_true", help="the packaged model instead of the stand-in")
    parser.add_argument("--models", type=Path, help="a data folder that has the packaged model")
    arguments = parser.parse_args()
    print("python -m tests.benchmarks.bench_soak", *sys.argv[1:], flush=True)
    with ExitStack() as stack:
        work = Path(stack.enter_context(tempfile.TemporaryDirectory())).resolve()
        known = places(arguments.places)
        ingest(known, work)
        models = (arguments.models or work / "data").resolve()
        engine = stack.enter_context(
            vllm_engine(models, kv_cache_gb=2, flags=()) if arguments.vllm else fake_engine(arguments.pace_ms)
        )
        (port,) = free_ports(1)
        env = {
            "FOOTNOTE_DATA_DIR": str(work / "data"),
            "FOOTNOTE_API__PORT": str(port),
            "FOOTNOTE_CACHE__ENABLED": "false",
            "FOOTNOTE_OBSERVABILITY__MLFLOW_URL": NOBODY,
            "FOOTNOTE_RETRIEVAL__TOP_K": "1",
            "FOOTNOTE_RETRIEVAL__PROMPT_SOURCES": "1",
            "FOOTNOTE_SERVING__BASE_URL": engine.url,
            "FOOTNOTE_SERVING__MODEL": engine.model,
            "TOKENIZERS_PARALLELISM": "false",
        }
        command = [sys.executable, "-m", "apps.cli.main", "api"]
        api = stack.enter_context(process(command, env, port, "/readyz"))
        asyncio.run(soaked(port, api, known, 4, 10.0))  # warms it up
        time.sleep(6)  # connections to the model server that are idle are closed by then
        before = sampled(api)
        soak = asyncio.run(soaked(port, api, known, arguments.clients, arguments.minutes * 60))
        report(soak, arguments.clients, arguments.minutes)
        after(api, engine, before)


if __name__ == "__main__":
    main()
