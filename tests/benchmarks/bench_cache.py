"""The answer cache over HTTP: exact hits, hits by other words, and a replay in which popular questions come again while
documents are edited.

Run it with ``python -m tests.benchmarks.bench_cache --corpus FILE… --questions FILE``. The files hold a JSON object a
line: passages with `title` and `text`, questions with `question`. The API is one process with the embedded Redis, the
language model a stand-in that quotes the passages at once, MLflow away; the callers ask again as soon as they are
answered, from the same machine.

The replay draws questions by Zipf's law (exponent 1), some of them worded otherwise, while one document after another
gets another edition. Every answer is compared with the editions that were there while it was made: an answer with an
older one is stale. Beside it the same replay goes to the same API with ``"fresh": true``, which never serves a cached
answer: the time per answer of both is compared. `--work FOLDER` keeps what was made for the next run.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import re
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import accumulate, cycle
from pathlib import Path
from typing import Any

from apps.bootstrap import Library, open_library
from apps.settings import ObservabilitySettings, Settings
from apps.sources import Source, local_file
from cache.redis_server import redis_service
from tests.benchmarks.answering_material import NOBODY, prepare
from tests.benchmarks.bench_answering import process
from tests.benchmarks.closed_loop import Load, closed_loop, post
from tests.benchmarks.fake_model_server import MODEL
from tests.running_stack import free_ports

_PATH = "/v1/query"
_EDITION = re.compile(r"Edition (\d+) of file (\d+)\.")
_REWORDINGS = ("Please tell me: {}", "{} Please.", "Can you tell me, {}", "I would like to know: {}")


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which that share of the values lies."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def shown(name: str, load: Load, callers: int) -> str:
    """Return a line about what callers got."""
    how = ", ".join(f"{count} {kind}" for kind, count in Counter(a["cache"] for a in load.answers).most_common())
    return (
        f"  {name:<22} {callers:>3} callers: {load.per_second:7.1f}/s; p50 {percentile(load.ms, 0.5):6.2f} ms, "
        f"p95 {percentile(load.ms, 0.95):6.2f} ms, p99 {percentile(load.ms, 0.99):6.2f} ms; {how}; "
        f"refused {load.refused}"
    )


def exact_hits(port: int, questions: Sequence[str], seconds: float, callers: Sequence[int]) -> None:
    """Ask the same few questions again and again."""
    bodies = cycle([{"question": question} for question in questions[:100]])
    asyncio.run(closed_loop(port, _PATH, bodies, 4, 3.0))
    for count in callers:
        print(shown("exact hits", asyncio.run(closed_loop(port, _PATH, bodies, count, seconds)), count), flush=True)


def semantic_hits(port: int, questions: Sequence[str], seconds: float) -> None:
    """Ask each question in words that it was never asked in; the vectors of all of them have to be made."""
    asyncio.run(_ask_once(port, questions))
    reworded = ({"question": wording.format(question)} for wording in _REWORDINGS for question in questions)
    load = asyncio.run(closed_loop(port, _PATH, reworded, 1, seconds))
    hits = [ms for ms, answer in zip(load.ms, load.answers, strict=True) if answer["cache"] == "semantic"]
    print(shown("asked in other words", load, 1), flush=True)
    if hits:
        print(f"    semantic hits alone: p50 {percentile(hits, 0.5):.2f} ms, p95 {percentile(hits, 0.95):.2f} ms")


async def _ask_once(port: int, questions: Sequence[str]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for question in questions:
        await post(reader, writer, _PATH, {"question": question})
    writer.close()


@dataclass(slots=True)
class Editions:
    """The editions of each file, and when each had become the current one."""

    done: dict[int, list[float]] = field(default_factory=dict)

    def stale(self, text: str, asked: float) -> bool:
        """Return whether the text cites an edition that another had replaced before the question was asked."""
        return any(
            len(done := self.done.get(int(number), [])) > int(edition) + 1 and done[int(edition) + 1] < asked
            for edition, number in _EDITION.findall(text)
        )


@dataclass(slots=True)
class Replay:
    """What a replay gave: milliseconds and cache outcome of each answer, and how many were stale."""

    ms: list[float] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)
    stale: int = 0
    edits: int = 0


async def replay(
    port: int, asked: Sequence[str], library: Library, folder: Path, callers: int, *, fresh: bool
) -> Replay:
    """Ask while documents are edited, until all has been asked."""
    done, editions, left = Replay(), Editions(), iter(asked)
    over = asyncio.Event()

    async def caller() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for question in left:
            begun = time.monotonic()
            _, answer = await post(reader, writer, _PATH, {"question": question, "fresh": fresh})
            done.ms.append((time.monotonic() - begun) * 1e3)
            done.outcomes[answer["cache"]] += 1
            told = " ".join([answer["answer"], *(citation["text"] for citation in answer["citations"])])
            done.stale += editions.stale(told, begun)
        writer.close()

    editing = asyncio.create_task(_edit(library, folder, editions, over, done))
    await asyncio.gather(*(caller() for _ in range(callers)))
    over.set()
    await editing
    return done


async def _edit(library: Library, folder: Path, editions: Editions, over: asyncio.Event, done: Replay) -> None:
    """Give one file after another a further edition."""
    files = sorted(folder.iterdir())
    texts = {path: _EDITION.sub("", path.read_text("utf-8")).strip() for path in files}
    order = random.Random(1)
    while not over.is_set():
        number = order.randrange(len(files))
        path = files[number]
        known = editions.done.setdefault(number, [])
        path.write_text(f"{texts[path]} Edition {len(known)} of file {number}.", encoding="utf-8")
        await library.indexing.index(Source(str(path), local_file(path)))
        known.append(time.monotonic())
        done.edits += 1
        await asyncio.sleep(0.2)
    for path, text in texts.items():
        path.write_text(text, encoding="utf-8")


def zipf(questions: Sequence[str], count: int) -> list[str]:
    """Return questions drawn by Zipf's law; every third time one is asked, in other words."""
    chance = random.Random(2)
    weights = list(accumulate(1 / rank for rank in range(1, len(questions) + 1)))
    drawn = chance.choices(questions, cum_weights=weights, k=count)
    times: Counter[str] = Counter()
    said = []
    for question in drawn:
        times[question] += 1
        said.append(_REWORDINGS[times[question] % 4].format(question) if times[question] % 3 == 0 else question)
    return said


def report(name: str, done: Replay) -> None:
    """Print what a replay gave."""
    how = ", ".join(f"{count} {kind}" for kind, count in done.outcomes.most_common())
    print(
        f"  {name:<22} {len(done.ms)} answers ({how}), {done.edits} edits: stale {done.stale}; mean "
        f"{statistics.mean(done.ms):.1f} ms, p50 {percentile(done.ms, 0.5):.1f}, p95 {percentile(done.ms, 0.95):.1f}",
        flush=True,
    )


def main() -> None:
    """Measure exact hits, other words, and the replay."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, nargs="+", required=True)
    parser.add_argument("--questions", type=Path, required=True)
    parser.add_argument("--passages", type=int, default=500)
    parser.add_argument("--asked", type=int, default=1500, help="questions of the replay")
    parser.add_argument("--callers", type=int, nargs="+", default=[1, 8, 32])
    parser.add_argument("--seconds", type=float, default=6.0)
    parser.add_argument("--pace-ms", type=float, default=5.0, help="what the stand-in for a model takes for a token")
    parser.add_argument("--work", type=Path, help="a folder that is kept")
    arguments = parser.parse_args()
    print("python -m tests.benchmarks.bench_cache", *sys.argv[1:], flush=True)
    with ExitStack() as stack:
        work = (arguments.work or Path(stack.enter_context(tempfile.TemporaryDirectory()))).resolve()
        questions = prepare(arguments.corpus, arguments.questions, arguments.passages, work)
        model_port, port = free_ports(2)
        fake = [sys.executable, "-m", "tests.benchmarks.fake_model_server", model_port, arguments.pace_ms]
        stack.enter_context(process(fake, {}, model_port, "/v1/models"))
        redis = redis_service(Path(stack.enter_context(tempfile.TemporaryDirectory())) / "redis.sock")
        stack.enter_context(process(redis.argv, {}, 0, "", redis.ready))
        settings: dict[str, Any] = {
            "FOOTNOTE_DATA_DIR": str(work / "data"),
            "FOOTNOTE_CACHE__URL": redis.url,
            "FOOTNOTE_SERVING__BASE_URL": f"http://127.0.0.1:{model_port}/v1",
            "FOOTNOTE_SERVING__MODEL": MODEL,
            "FOOTNOTE_OBSERVABILITY__MLFLOW_URL": NOBODY,
            "FOOTNOTE_API__PORT": str(port),
            "TOKENIZERS_PARALLELISM": "false",
        }
        api = [sys.executable, "-m", "apps.cli.main", "api"]
        stack.enter_context(process(api, settings, port, "/readyz"))
        exact_hits(port, questions, arguments.seconds, arguments.callers)
        semantic_hits(port, questions[100:400], arguments.seconds)
        asyncio.run(_replays(port, zipf(questions, arguments.asked), work, redis.url))


async def _replays(port: int, asked: Sequence[str], work: Path, redis: str) -> None:
    watch = ObservabilitySettings(mlflow_url=NOBODY)
    settings = Settings(data_dir=work / "data", observability=watch)
    library = open_library(settings.model_copy(update={"cache": settings.cache.model_copy(update={"url": redis})}))
    try:
        cached = await replay(port, asked, library, work / "files", 4, fresh=False)
        fresh = await replay(port, asked[: len(asked) // 4], library, work / "files", 4, fresh=True)
    finally:
        await library.aclose()
    report("replay, cached", cached)
    report("replay, made anew", fresh)
    served = sum(cached.outcomes[kind] for kind in ("exact", "semantic", "shared"))
    print(
        f"    saved {served / len(cached.ms):.1%} of the model's answers; mean time "
        f"{statistics.mean(cached.ms) / statistics.mean(fresh.ms):.2f} of that without cache",
        flush=True,
    )


if __name__ == "__main__":
    main()
