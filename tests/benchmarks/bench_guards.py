"""What the guards of the default policy add to a streamed answer: to its first sentence, and to each sentence.

Run it with ``python -m tests.benchmarks.bench_guards --corpus FILE… --questions FILE``: each file holds a JSON object a
line, passages with `title` and `text`, questions with `question`. Everything is wired as in the product, but for a
model that says sentences of its sources: at once, and at a pace. Each question is asked with guards and with guards
that let everything pass, in turns; what is added is the difference of the two. The pace is kept whatever happens
meanwhile, as a model server does, so that work which fits between two tokens costs nothing. Questions of which the two
answers differ are left out. The last lines are milliseconds inside the guards alone: elapsed, and of the CPU.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

from apps.answering import Answering
from apps.bootstrap import open_answering, open_library
from apps.draft import Released
from apps.settings import CacheSettings, ObservabilitySettings, ServingSettings, Settings
from contracts import CheckedSentence, Guards, Hit, Message, PassageGuard, Prompt, Question, Token, Usage, Verdict
from observability.recording_tracer import NullTracer
from tests.benchmarks.answering_material import NOBODY, prepare
from tests.benchmarks.fake_model_server import MODEL, answer_to
from validation.permissive_guards import FixedPolicies

T = TypeVar("T")


class PacedChatModel:
    """Port `ChatModel`: sentences of the sources, a word each `pace_s` from when it was asked."""

    name = MODEL

    def __init__(self) -> None:
        self.pace_s = 0.0

    async def prepare(self) -> None:
        """Do nothing: the name is known."""

    async def stream(self, prompt: Prompt, *, max_tokens: int, temperature: float) -> AsyncGenerator[Token]:
        """Yield the words when they are due."""
        words = answer_to([{"content": message.content} for message in prompt.messages]).split(" ")
        begun = time.perf_counter()
        for position, word in enumerate(words):
            early = begun + (position + 1) * self.pace_s - time.perf_counter()
            if early > 0:
                await asyncio.sleep(early)
            yield Token(word if position == 0 else f" {word}")
        yield Token("", Usage(0, len(words)))


class WordCounter:
    """Port `TokenCounter`: words."""

    async def window(self) -> int:
        """Return more than any prompt here."""
        return 8192

    async def count(self, messages: Sequence[Message]) -> int:
        """Return the number of words."""
        return sum(len(message.content.split()) for message in messages)


@dataclass(slots=True)
class Spent:
    """Milliseconds of each call: elapsed, and of the event loop's thread."""

    elapsed: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    async def timed(self, call: Callable[[], Awaitable[T]]) -> T:
        """Return what the call returns."""
        began, cpu = time.perf_counter(), time.thread_time()
        result = await call()
        self.cpu.append((time.thread_time() - cpu) * 1e3)
        self.elapsed.append((time.perf_counter() - began) * 1e3)
        return result


class TimedPolicies:
    """Port `GuardPolicies`: those of another, with a watch on them."""

    def __init__(self, guards: Guards) -> None:
        self.questions, self.sentences = Spent(), Spent()
        self._inner = guards
        self._guards = replace(guards, input=_Input(self), output=_Output(self))

    def guards(self, collection: str) -> Guards:
        """Return the guards."""
        return self._guards

    def passage_guard(self, collection: str) -> PassageGuard:
        """Return what checks passages."""
        return self._inner.passages


class _Input:
    def __init__(self, policies: TimedPolicies) -> None:
        self._policies = policies

    async def check(self, question: str) -> Verdict:
        return await self._policies.questions.timed(lambda: self._policies._inner.input.check(question))


class _Output:
    def __init__(self, policies: TimedPolicies) -> None:
        self._policies = policies

    async def check(self, sentence: str, sources: Sequence[Hit], question: str = "") -> CheckedSentence:
        inner = self._policies._inner.output
        return await self._policies.sentences.timed(lambda: inner.check(sentence, sources, question))


async def released(answering: Answering, question: str) -> tuple[list[str], list[float]]:
    """Return the sentences of the answer, and when each was there, in milliseconds from the question."""
    said: list[str] = []
    at: list[float] = []
    began = time.perf_counter()
    async with aclosing(answering.stream(Question(question))) as events:
        async for event in events:
            if isinstance(event, Released):
                said.append(event.text.strip())
                at.append((time.perf_counter() - began) * 1e3)
    return said, at


async def compare(guarded: Answering, plain: Answering, questions: Sequence[str], label: str) -> None:
    """Print what guards add, for these questions."""
    first: list[float] = []
    each: list[float] = []
    total: list[float] = []
    for number, question in enumerate(questions):
        # Told apart by a blank, so that neither finds the vector that the other one needed.
        asked = {id(guarded): question, id(plain): f"{question[:-1]} {question[-1]}"}
        found = {}
        for one in (guarded, plain) if number % 2 else (plain, guarded):
            found[id(one)] = await released(one, asked[id(one)])
        (said, with_guards), (same, without) = found[id(guarded)], found[id(plain)]
        if said != same or len(said) < 2:
            continue
        added = [later - sooner for later, sooner in zip(with_guards, without, strict=True)]
        first.append(added[0])
        each += [after - before for before, after in pairwise(added)]
        total.append(added[-1])
    print(f"{label}: {len(first)} of {len(questions)} questions with the same answer on both sides", flush=True)
    for name, values in (
        ("to the first sentence", first),
        ("to each one after it", each),
        ("to all", total),
    ):
        print(f"  added {name:<23}{_of(values)}", flush=True)


def _of(values: Sequence[float]) -> str:
    if len(values) < 2:
        return "nothing was measured"
    p95 = statistics.quantiles(values, n=20)[-1]
    return f"p50 {statistics.median(values):7.2f} ms, p95 {p95:7.2f} ms ({len(values)})"


async def measure(work: Path, questions: Sequence[str], pace_ms: float, count: int) -> None:
    """Wire the product and ask."""
    settings = Settings(
        data_dir=work / "data",
        cache=CacheSettings(enabled=False),
        serving=ServingSettings(base_url=f"{NOBODY}/v1", model=MODEL),
        observability=ObservabilitySettings(mlflow_url=NOBODY),
    )
    model, tracer = PacedChatModel(), NullTracer()
    library = open_library(settings, tracer, model)
    answering = open_answering(library, tracer, model, WordCounter())
    watched = TimedPolicies(answering.policies.guards("default"))
    guarded, plain = replace(answering, policies=watched), replace(answering, policies=FixedPolicies())
    try:
        await library.open_embedder("").embed(["warm"])
        for one in (guarded, plain):
            for question in questions[:20]:
                await released(one, question)  # loads models, and warms up
        for spent in (watched.questions, watched.sentences):
            spent.elapsed.clear()
            spent.cpu.clear()
        questions = questions[20:]
        await compare(guarded, plain, questions[:count], "all at once")
        model.pace_s = pace_ms / 1e3
        await compare(guarded, plain, questions[count : 2 * count], f"a token every {pace_ms:g} ms")
        for name, spent in (("a question", watched.questions), ("a sentence", watched.sentences)):
            print(f"  inside the guards, {name:<13}{_of(spent.elapsed)}; CPU {_of(spent.cpu)}", flush=True)
    finally:
        await asyncio.gather(guarded.aclose(), plain.aclose())
        await library.aclose()


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, nargs="+", required=True)
    parser.add_argument("--questions", type=Path, required=True)
    parser.add_argument("--passages", type=int, default=300)
    parser.add_argument("--asked", type=int, default=150, help="questions at each pace")
    parser.add_argument("--pace-ms", type=float, default=10.0)
    parser.add_argument("--work", type=Path, help="a folder that is kept")
    arguments = parser.parse_args()
    print("python -m tests.benchmarks.bench_guards", *sys.argv[1:], flush=True)
    with tempfile.TemporaryDirectory() as made:
        work = (arguments.work or Path(made)).resolve()
        questions = prepare(arguments.corpus, arguments.questions, arguments.passages, work)
        asyncio.run(measure(work, questions, arguments.pace_ms, arguments.asked))


if __name__ == "__main__":
    main()
