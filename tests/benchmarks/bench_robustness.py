"""What becomes of broken and hostile files: each ends with text or with a named reason, and harms no other.

Run by hand: ``python tests/benchmarks/bench_robustness.py --data FOLDER [--password WORD] [--list]``. Files inside
other files are read too, to a depth of four.
"""

import argparse
import asyncio
import functools
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from apps.parsing import ParseOptions, build_parser
from contracts import ParseError, Parser
from ingestion.parsing.pebble_sandbox import SandboxedParser

DEPTH = 4


@dataclass(frozen=True)
class Outcome:
    name: str
    result: str  # "text", or the reason
    said: str
    seconds: float


async def read(parser: Parser, path: Path, name: str, scratch: Path, depth: int = 0) -> AsyncIterator[Outcome]:
    """Yield what became of the file and of those inside it."""
    began = time.perf_counter()
    try:
        parsed = await parser.parse(path, name, scratch=scratch)
    except ParseError as exc:
        yield Outcome(name, exc.reason.value, str(exc), time.perf_counter() - began)
        return
    except Exception as exc:
        yield Outcome(name, "CRASH", repr(exc), time.perf_counter() - began)
        return
    characters = sum(len(element.text) for element in parsed.elements)
    said = f"{characters} characters, {len(parsed.members)} members, {parsed.media_type}"
    yield Outcome(name, "text" if characters else "members", said, time.perf_counter() - began)
    for number, member in enumerate(parsed.members):
        within = f"{name}/{member.name}"
        if member.path is None:
            yield Outcome(within, (member.reason or "CRASH"), member.message or "", 0)
        elif depth < DEPTH:
            async for outcome in read(parser, member.path, within, scratch / f"in-{number}", depth + 1):
                yield outcome


class PeakMemory(threading.Thread):
    """Watches the largest process below this one."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.largest = 0

    def run(self) -> None:
        while True:
            for process in psutil.Process().children(recursive=True):
                try:
                    self.largest = max(self.largest, process.memory_info().rss)
                except psutil.NoSuchProcess:
                    continue
            time.sleep(0.05)


async def main(arguments: argparse.Namespace) -> None:
    memory = PeakMemory()
    memory.start()
    options = ParseOptions(passwords=tuple(arguments.password))
    parser = SandboxedParser(functools.partial(build_parser, options), workers=1, seconds=120, memory_mb=2048)
    outcomes: list[Outcome] = []
    began = time.perf_counter()
    files = sorted(path for path in arguments.data.rglob("*") if path.is_file())
    for path in files:
        with tempfile.TemporaryDirectory() as scratch:
            name = str(path.relative_to(arguments.data))
            outcomes += [outcome async for outcome in read(parser, path, name, Path(scratch))]
    took = time.perf_counter() - began
    await parser.close()
    report(outcomes, len(files), took, memory.largest, arguments.list)


def report(outcomes: list[Outcome], files: int, took: float, largest: int, everything: bool) -> None:
    results = Counter(outcome.result for outcome in outcomes)
    good = len(outcomes) - results["CRASH"] - results["internal"]
    print(f"{files} files, {len(outcomes)} with those inside them, in {took:.1f} s")
    print(f"text or a named reason: {good / len(outcomes):.1%}")
    print("  ".join(f"{result} {count}" for result, count in results.most_common()))
    print(f"largest worker: {largest >> 20} MiB")
    for outcome in sorted(outcomes, key=lambda outcome: -outcome.seconds)[:5]:
        print(f"slow: {outcome.seconds:6.2f} s  {outcome.name}")
    for outcome in outcomes:
        if everything or outcome.result not in ("text", "members"):
            print(f"{outcome.result:12} {outcome.name}: {outcome.said}")


if __name__ == "__main__":
    command = argparse.ArgumentParser(description=__doc__)
    command.add_argument("--data", type=Path, required=True)
    command.add_argument("--password", action="append", default=[])
    command.add_argument("--list", action="store_true", help="show every file, not only the failures")
    asyncio.run(main(command.parse_args()))
