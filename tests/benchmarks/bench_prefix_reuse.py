"""How much of the prompts the model server finds in its prefix cache, with passages in the order of their rank and in
the order of PrefixOrder, and whether that order costs answers.

Run it with ``python -m tests.benchmarks.bench_prefix_reuse --corpus FILE --questions FILE``. The files hold a JSON
object a line: passages with `_id`, `title` and `text`, questions with `question`, `context_id` and `answers`, as in
SQuAD. What is asked comes by Zipf's law over the passages (exponent `--exponent`), each time one of the questions about
the passage.

Retrieval and prompts are Footnote's, with whole passages; each prompt is sent to the packaged model on vLLM, which
generates one token, and whose prefix cache is emptied between the orders. `--simulated` counts what vLLM would find
instead (the same blocks, least recently used ones evicted), which was not compared with vLLM yet; thousands of prompts
take seconds. The beginning that all prompts share is found by both orders; "of what differs" leaves it out.
`--answers N` has N different questions answered in both orders and counts the answers that hold a gold answer.
`--work FOLDER` keeps what was made.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import re
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

from apps.bootstrap import open_library
from apps.settings import CacheSettings, ObservabilitySettings, Settings
from contracts import Caller, Hit, Prompt, Query
from serving.langchain_prompts import LangChainPromptBuilder
from serving.prefix_order import PrefixOrder
from tests.benchmarks.answering_material import NOBODY, prepare
from tests.benchmarks.closed_loop import post
from tests.benchmarks.model_engine import Engine, vllm_engine
from tests.benchmarks.prefix_block_cache import PrefixBlockCache

_GOAL = 1.5
_CHAT = "/v1/chat/completions"


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, its answers where they are known, and its hits."""

    question: str
    answers: tuple[str, ...]
    hits: tuple[Hit, ...] = ()


@dataclass(frozen=True, slots=True)
class Reuse:
    """Tokens of the prompts of a replay, how many of them were found in the cache, and how long it took."""

    prompts: int
    tokens: int
    found: int
    seconds: float
    common: int  # tokens with which every prompt begins

    @property
    def share(self) -> float:
        """The share of the tokens that was found."""
        return self.found / self.tokens

    @property
    def share_of_rest(self) -> float:
        """The same without the beginning that all share."""
        common = self.common * (self.prompts - 1)
        return (self.found - common) / (self.tokens - common)


def zipf(rows: Sequence[dict[str, Any]], count: int, exponent: float) -> list[Asked]:
    """Return questions drawn by their passage; no question comes again before all about its passage came."""
    chance = random.Random(5)
    by_passage: dict[str, list[Asked]] = defaultdict(list)
    for row in rows:
        by_passage[row["context_id"]].append(Asked(row["question"], tuple(row.get("answers") or ())))
    passages = chance.sample(sorted(by_passage), len(by_passage))
    weights = list(accumulate(1 / rank**exponent for rank in range(1, len(passages) + 1)))
    left: dict[str, list[Asked]] = defaultdict(list)
    drawn = []
    for passage in chance.choices(passages, cum_weights=weights, k=count):
        if not left[passage]:
            left[passage] = chance.sample(by_passage[passage], len(by_passage[passage]))
        drawn.append(left[passage].pop())
    return drawn


async def retrieved(asked: Sequence[Asked], work: Path, sources: int) -> list[Asked]:
    """Return the questions with their hits; those without any are left out."""
    settings = Settings(
        data_dir=work / "data",
        observability=ObservabilitySettings(mlflow_url=NOBODY),
        cache=CacheSettings(enabled=False),
    )
    library = open_library(settings)
    known: dict[str, tuple[Hit, ...]] = {}
    try:
        for one in asked:
            if one.question not in known:
                query = Query(one.question, "default", Caller("local"), sources)
                known[one.question] = (await library.retriever.retrieve(query)).hits
    finally:
        await library.aclose()
    return [Asked(one.question, one.answers, known[one.question]) for one in asked if known[one.question]]


def prompts(asked: Iterable[Asked], order: PrefixOrder | None) -> Iterable[Prompt]:
    """Yield the prompt of one question after another, as they are sent."""
    builder = LangChainPromptBuilder("grounded", order=order)
    for one in asked:
        prompt = builder.build(one.question, one.hits, ())
        builder.sent(prompt)
        yield prompt


def _messages(prompt: Prompt) -> list[dict[str, str]]:
    return [{"role": message.role, "content": message.content} for message in prompt.messages]


def open_tokenizer(model: Path) -> Callable[[Prompt], list[int]]:
    """Return what turns a prompt into the tokens that the engine sees."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(str(model), local_files_only=True)

    def tokens(prompt: Prompt) -> list[int]:
        text = tokenizer.apply_chat_template(_messages(prompt), tokenize=False, add_generation_prompt=True)
        return list(tokenizer(text, add_special_tokens=False)["input_ids"])

    return tokens


def simulated(asked: Sequence[Asked], order: PrefixOrder | None, cache: PrefixBlockCache, tokens_of: Any) -> Reuse:
    """Return what the engine would find."""
    begun, total, found = time.perf_counter(), 0, 0
    common: list[int] | None = None
    for prompt in prompts(asked, order):
        tokens = tokens_of(prompt)
        common = _shared(tokens if common is None else common, tokens)
        total += len(tokens)
        found += cache.found(tokens)
    return Reuse(len(asked), total, found, time.perf_counter() - begun, len(common or ()))


def _shared(one: list[int], other: list[int]) -> list[int]:
    count = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    return one[:count]


async def replayed(
    asked: Sequence[Asked], order: PrefixOrder | None, engine: Engine, callers: int, common: int
) -> Reuse:
    """Return what the engine found, when so many callers ask at once."""
    engine.forget()
    counters = ("vllm:prompt_tokens_total", "vllm:prefix_cache_hits_total")
    before = [engine.counted(name) for name in counters]
    left = iter(prompts(asked, order))
    begun = time.perf_counter()
    await asyncio.gather(*(_ask(engine, left, 1) for _ in range(callers)))
    seconds = time.perf_counter() - begun
    tokens, found = (int(engine.counted(name) - was) for name, was in zip(counters, before, strict=True))
    return Reuse(len(asked), tokens, found, seconds, common)


async def _ask(engine: Engine, left: Iterable[Prompt], max_tokens: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", engine.port)
    for prompt in left:
        await _answer(engine, prompt, max_tokens, reader, writer)
    writer.close()


async def _answer(
    engine: Engine, prompt: Prompt, max_tokens: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> str:
    body = {"model": engine.model, "messages": _messages(prompt), "max_tokens": max_tokens, "temperature": 0}
    status, answer = await post(reader, writer, _CHAT, body)
    if status != 200:
        raise SystemExit(f"HTTP {status}: {answer}")
    return str(answer["choices"][0]["message"]["content"])


async def answered(asked: Sequence[Asked], orders: Sequence[PrefixOrder | None], engine: Engine) -> list[list[bool]]:
    """Return for each order which answers hold a gold answer."""
    held = []
    for order in orders:
        left = list(zip(asked, prompts(asked, order), strict=True))
        results: dict[str, bool] = {}

        async def caller(todo: list[tuple[Asked, Prompt]], results: dict[str, bool]) -> None:
            reader, writer = await asyncio.open_connection("127.0.0.1", engine.port)
            while todo:
                one, prompt = todo.pop()
                said = _plain(await _answer(engine, prompt, 40, reader, writer))
                results[one.question] = any(_plain(answer) in said for answer in one.answers)
            writer.close()

        await asyncio.gather(*(caller(left, results) for _ in range(8)))
        held.append([results[one.question] for one in asked])
    return held


def _plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower()))


def report(sources: int, how: str, plain: Reuse, ordered: Reuse) -> None:
    """Print both orders."""
    for name, reuse in (("by rank", plain), ("PrefixOrder", ordered)):
        print(
            f"  {sources} sources, {name:<11} {how}: {reuse.share:.1%} of {reuse.tokens} tokens of {reuse.prompts} "
            f"prompts were found, {reuse.share_of_rest:.1%} of what differs ({reuse.common} tokens are common); "
            f"{reuse.seconds:.1f} s",
            flush=True,
        )
    ratio = ordered.share / plain.share
    print(
        f"    {ratio:.2f} times as many (goal {_GOAL}: {'met' if ratio >= _GOAL else 'missed'}), of what differs "
        f"{ordered.share_of_rest / plain.share_of_rest:.2f} times; {ordered.seconds / plain.seconds:.2f} of the time; "
        f"{(1 - ordered.share) / (1 - plain.share):.2f} of the tokens to compute",
        flush=True,
    )


def main() -> None:
    """Measure both orders."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, nargs="+", required=True)
    parser.add_argument("--questions", type=Path, required=True)
    parser.add_argument("--passages", type=int, default=1000)
    parser.add_argument("--asked", type=int, default=1000, help="prompts of a replay")
    parser.add_argument("--exponent", type=float, default=1.0)
    parser.add_argument("--sources", type=int, nargs="+", default=[3, 5])
    parser.add_argument("--simulated", action="store_true")
    parser.add_argument("--block", type=int, default=32, help="tokens of a block; a CPU has multiples of 32")
    parser.add_argument("--kv-cache-gb", type=int, default=1)
    parser.add_argument("--cache-tokens", type=int, default=40_000, help="of the simulated cache")
    parser.add_argument("--callers", type=int, default=4)
    parser.add_argument("--answers", type=int, default=0, help="questions whose answers are compared")
    parser.add_argument("--models", type=Path, help="a data folder that has the packaged model")
    parser.add_argument("--work", type=Path, help="a folder that is kept")
    arguments = parser.parse_args()
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    print("python -m tests.benchmarks.bench_prefix_reuse", *sys.argv[1:], flush=True)
    with ExitStack() as stack:
        work = (arguments.work or Path(stack.enter_context(tempfile.TemporaryDirectory()))).resolve()
        prepare(arguments.corpus, arguments.questions, arguments.passages, work)
        rows = [json.loads(line) for line in arguments.questions.read_text("utf-8").splitlines()]
        asked = asyncio.run(retrieved(zipf(rows, arguments.asked, arguments.exponent), work, max(arguments.sources)))
        models = (arguments.models or work / "data").resolve()
        engine = None
        if not arguments.simulated or arguments.answers:
            flags = ["--enable-prefix-caching", "--block-size", str(arguments.block)]
            env = {"VLLM_SERVER_DEV_MODE": "1"}
            engine = stack.enter_context(vllm_engine(models, kv_cache_gb=arguments.kv_cache_gb, flags=flags, env=env))
        measure(asked, arguments, open_tokenizer(_model(models)), engine)
        if arguments.answers and engine:
            known = {row["question"]: Asked(row["question"], tuple(row["answers"])) for row in rows if row["answers"]}
            sample = random.Random(6).sample(list(known.values()), arguments.answers)
            compare(asyncio.run(retrieved(sample, work, max(arguments.sources))), arguments, engine)


def _model(models: Path) -> Path:
    return next(folder for folder in (models / "models").iterdir() if (folder / "tokenizer.json").exists())


def _best(asked: Sequence[Asked], sources: int) -> list[Asked]:
    return [Asked(one.question, one.answers, one.hits[:sources]) for one in asked]


def measure(asked: Sequence[Asked], arguments: argparse.Namespace, tokens_of: Any, engine: Engine | None) -> None:
    """Replay in both orders, for each number of sources."""
    for sources in arguments.sources:
        shown = _best(asked, sources)
        orders = (None, PrefixOrder())
        counted = [
            simulated(shown, order, PrefixBlockCache(arguments.block, arguments.cache_tokens), tokens_of)
            for order in orders
        ]
        report(sources, "simulated", *counted)
        if engine and not arguments.simulated:
            asyncio.run(_warm(engine, shown))
            reuse = [
                asyncio.run(replayed(shown, order, engine, arguments.callers, counted[0].common))
                for order in (None, PrefixOrder())
            ]
            report(sources, "on vLLM", *reuse)


async def _warm(engine: Engine, asked: Sequence[Asked]) -> None:
    await _ask(engine, iter(list(prompts(asked[:2], None))), 1)


def compare(asked: Sequence[Asked], arguments: argparse.Namespace, engine: Engine) -> None:
    """Print how many answers are right in both orders."""
    for sources in arguments.sources:
        order = PrefixOrder()
        plain, ordered = asyncio.run(answered(_best(asked, sources), (None, order), engine))
        won = sum(after > before for before, after in zip(plain, ordered, strict=True))
        lost = sum(after < before for before, after in zip(plain, ordered, strict=True))
        print(
            f"  {sources} sources, {len(plain)} questions: the answer holds a gold answer "
            f"{sum(plain) / len(plain):.1%} by rank, {sum(ordered) / len(ordered):.1%} by PrefixOrder "
            f"({won} won, {lost} lost)",
            flush=True,
        )


if __name__ == "__main__":
    main()
