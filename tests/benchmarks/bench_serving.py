"""What Footnote costs on the way to a model server: time to the first token, to the first sentence and to the end,
requests and tokens per second, for one user and for many, beside the model server itself and beside LangChain and
LlamaIndex.

Run it with ``python -m tests.benchmarks.bench_serving --corpus FILE… --questions FILE --peer-python PYTHON``. The files
hold a JSON object a line: passages with `title` and `text`, questions with `question`. The peers have an environment of
their own::

    uv venv peers && uv pip install --python peers -r requirements/benchmarks.in

All sides use the same vLLM, without prefix cache, with the packaged model, and take turns with the same questions;
users ask again as soon as they are answered. First each question is put to an API whose model server only records:
those very requests go to vLLM directly ("raw"), and through the API as requests for the model itself ("passed on").
"/v1/query" and "footnote" (chat completions) are whole answers, made anew. Guards flag what no source supports instead
of dropping it, else they would end some generations early. Peers send whole passages; `--focus-sentences 0` lets
Footnote do so too.

Footnote lets out sentences that are checked, so its first sentence is compared with the moment at which the stream of
vLLM has its first sentence complete; what is passed on is compared by its first token. `--work FOLDER` keeps what was
made for the next run. `--fake-ms 20 --focus-sentences 0` takes a stand-in for vLLM, which computes nothing: where the
processors are busy with the model, that shows what is Footnote's own.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from retrieval.embedding.sentence_transformers_embedder import packaged_model
from tests.benchmarks.answering_material import NOBODY, prepare
from tests.benchmarks.bench_answering import process
from tests.benchmarks.closed_loop import post
from tests.benchmarks.model_engine import Engine, fake_engine, vllm_engine
from tests.benchmarks.token_stream_client import (
    Event,
    RefusedError,
    TextOf,
    Timed,
    completion_text,
    sentence_text,
    timed,
)
from tests.running_stack import free_ports

_HERE = Path(__file__).parent
_POLICY = "output:\n  supported: {on_fail: flag}\n  says_more: {on_fail: flag}\n"
_MORE = 1.05  # goals: the time may be that much of raw's
_MORE_S = 0.020  # and so much longer
_THROUGHPUT = 0.95


@dataclass(slots=True)
class Turn:
    """What the users of one turn got, how long it took, and what the engine counted meanwhile."""

    seconds: float
    answers: list[Timed]
    refused: int
    prompt_tokens: float
    generated: float


@dataclass(slots=True)
class Side:
    """One way to an answer: where it is, the request for a question, what an event says, and its turns by users."""

    name: str
    port: int
    path: str
    body_of: Callable[[str], dict[str, Any]]
    text_of: TextOf
    by_sentence: bool = False  # each piece is a whole sentence, which others are known to be when the next one begins
    turns: dict[int, list[Turn]] = field(default_factory=dict)

    def ms(self, users: int, of: str) -> float:
        """Return the median milliseconds to a part of the answer."""
        of = "first_token_s" if self.by_sentence and of == "first_sentence_s" else of
        answers = [answer for turn in self.turns[users] for answer in turn.answers]
        return statistics.median(float(getattr(answer, of)) for answer in answers) * 1e3

    def rate(self, users: int, of: Callable[[Turn], float]) -> float:
        """Return how much there was of something a second."""
        turns = self.turns[users]
        return sum(map(of, turns)) / sum(turn.seconds for turn in turns)

    def requests(self, users: int) -> float:
        """Return how many requests were answered a second."""
        return self.rate(users, lambda turn: len(turn.answers))


def open_engine(arguments: argparse.Namespace, models: Path) -> AbstractContextManager[Engine]:
    """Return the model server that all sides share."""
    if arguments.fake_ms is not None:
        return fake_engine(arguments.fake_ms)
    return vllm_engine(models, kv_cache_gb=arguments.kv_cache_gb, flags=["--no-enable-prefix-caching"])


def record(questions: Sequence[str], wanted: int, settings: Mapping[str, str], model: str) -> dict[str, dict[str, Any]]:
    """Return what Footnote sends to its model server, by question, for as many questions as it asks the model about."""
    with ExitStack() as stack:
        heard = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "requests.jsonl"
        model_port, port = free_ports(2)
        recording = [sys.executable, "-m", "tests.benchmarks.recording_model_server", model_port, heard]
        stack.enter_context(process(recording, {}, model_port, "/v1/models"))
        stack.enter_context(footnote(port, f"http://127.0.0.1:{model_port}/v1", settings, model))
        return asyncio.run(_recorded(port, questions, wanted, heard))


async def _recorded(port: int, questions: Sequence[str], wanted: int, heard: Path) -> dict[str, dict[str, Any]]:
    requests: dict[str, dict[str, Any]] = {}
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for question in questions:
        before = len(heard.read_text("utf-8").splitlines())
        await post(reader, writer, "/v1/query", {"question": question, "fresh": True})
        lines = heard.read_text("utf-8").splitlines()
        if len(lines) == before + 1:
            requests[question] = json.loads(lines[-1])
        if len(requests) == wanted:
            break
    writer.close()
    return requests


def footnote(port: int, model_url: str, settings: Mapping[str, str], model: str) -> Any:
    """Start an API in front of a model server."""
    env = {
        **settings,
        "FOOTNOTE_API__PORT": str(port),
        "FOOTNOTE_SERVING__BASE_URL": model_url,
        "FOOTNOTE_SERVING__MODEL": model,
    }
    return process([sys.executable, "-m", "apps.cli.main", "api"], env, port, "/readyz")


def footnote_settings(work: Path, arguments: argparse.Namespace) -> dict[str, str]:
    """Return the settings that both APIs have."""
    policies = work / "policies"
    policies.mkdir(exist_ok=True)
    (policies / "default.yaml").write_text(_POLICY)
    return {
        "FOOTNOTE_DATA_DIR": str(work / "data"),
        "FOOTNOTE_CACHE__ENABLED": "false",
        "FOOTNOTE_OBSERVABILITY__MLFLOW_URL": NOBODY,
        "FOOTNOTE_RETRIEVAL__PROMPT_SOURCES": str(arguments.sources),
        "FOOTNOTE_SERVING__FOCUS_SENTENCES": str(arguments.focus_sentences),
        "FOOTNOTE_SERVING__MAX_TOKENS": str(arguments.max_tokens),
        "FOOTNOTE_SERVING__PREFIX_REUSE": "false",
        "FOOTNOTE_SERVING__PATIENCE_S": "3600",
        "FOOTNOTE_SERVING__TIMEOUT_S": "3600",
        "FOOTNOTE_SERVING__STALL_S": "3600",
        "FOOTNOTE_VALIDATION__POLICIES": str(policies),
        "TOKENIZERS_PARALLELISM": "false",
    }


def open_sides(
    stack: ExitStack,
    work: Path,
    arguments: argparse.Namespace,
    engine: Engine,
    recorded: Mapping[str, dict[str, Any]],
) -> list[Side]:
    """Start what stands between the users and the engine."""
    (port,) = free_ports(1)
    stack.enter_context(footnote(port, engine.url, footnote_settings(work, arguments), engine.model))
    chat = "/v1/chat/completions"
    sides = [
        Side("raw", engine.port, chat, recorded.__getitem__, completion_text),
        Side("passed on", port, chat, recorded.__getitem__, completion_text),
        Side("/v1/query", port, "/v1/query", _query, sentence_text, by_sentence=True),
        Side("footnote", port, chat, _chat, completion_text, by_sentence=True),
    ]
    for kind in ("langchain", "llamaindex") if arguments.peer_python else ():
        (its,) = free_ports(1)
        env = {
            "PEER_EMBEDDER": str(packaged_model()),
            "PEER_HITS": str(arguments.sources),
            "PEER_MODEL": engine.model,
            "PEER_MODEL_URL": engine.url,
            "PEER_MAX_TOKENS": str(arguments.max_tokens),
            "TOKENIZERS_PARALLELISM": "false",
        }
        command = [arguments.peer_python, _HERE / "serving_peers.py", kind, its, work / "corpus.json", work / kind]
        stack.enter_context(process(command, env, its, "/healthz"))
        sides.append(Side(kind, its, "/ask", lambda question: {"question": question}, _piece))
    return sides


def _query(question: str) -> dict[str, Any]:
    return {"question": question, "stream": True, "fresh": True}


def _chat(question: str) -> dict[str, Any]:
    message = {"role": "user", "content": question}
    return {"model": "footnote", "messages": [message], "stream": True, "footnote": {"fresh": True}}


def _piece(event: Event) -> str:
    return str(json.loads(event[1]))


async def take_turn(side: Side, questions: Sequence[str], users: int, engine: Engine) -> Turn:
    """Let so many users ask all of the questions."""
    counters = ("vllm:prompt_tokens_total", "vllm:generation_tokens_total")
    before = [engine.counted(name) for name in counters]
    answers, refused, left = list[Timed](), 0, iter(questions)

    async def user() -> None:
        nonlocal refused
        reader, writer = await asyncio.open_connection("127.0.0.1", side.port)
        for question in left:
            try:
                answer = await timed(reader, writer, side.path, side.body_of(question), side.text_of)
            except (RefusedError, ConnectionError, asyncio.IncompleteReadError) as exc:
                print(f"    {side.name}: {exc!r}", file=sys.stderr)
                refused += 1
                writer.close()
                reader, writer = await asyncio.open_connection("127.0.0.1", side.port)
            else:
                answers.extend([answer] if answer else [])
        writer.close()

    begun = time.perf_counter()
    await asyncio.gather(*(user() for _ in range(users)))
    seconds = time.perf_counter() - begun
    prompt, generated = (engine.counted(name) - was for name, was in zip(counters, before, strict=True))
    return Turn(seconds, answers, refused, prompt, generated)


def report(sides: Sequence[Side], users: int) -> None:
    """Print each side's figures."""
    for side in sides:
        turns = side.turns[users]
        count = sum(len(turn.answers) for turn in turns) or 1
        print(
            f"  {side.name:<10} {users:>3} users: first token {side.ms(users, 'first_token_s'):8.1f} ms, "
            f"first sentence {side.ms(users, 'first_sentence_s'):8.1f}, end {side.ms(users, 'end_s'):8.1f}; "
            f"{side.requests(users):6.2f} requests/s, {side.rate(users, lambda turn: turn.generated):6.1f} tokens/s; "
            f"a request has {sum(turn.prompt_tokens for turn in turns) / count:.0f} tokens and gets "
            f"{sum(turn.generated for turn in turns) / count:.0f}; refused {sum(turn.refused for turn in turns)}",
            flush=True,
        )


def compare(sides: Sequence[Side], users: int) -> None:
    """Print how the ways through Footnote compare with the model server itself, and whether that is the goal."""
    raw = sides[0]
    for side, of in zip(sides[1:4], ("first_token_s", "first_sentence_s", "first_sentence_s"), strict=True):
        ours, its = side.ms(users, of), raw.ms(users, of)
        share = side.rate(users, lambda turn: turn.generated) / raw.rate(users, lambda turn: turn.generated)
        print(
            f"    {side.name}: {of.removesuffix('_s').replace('_', ' ')} {ours - its:+.1f} ms, {ours / its:.3f} of raw "
            f"(goal {_MORE} and {_MORE_S * 1e3:.0f} ms: {_met(ours <= its * _MORE + _MORE_S * 1e3)}); "
            f"{side.requests(users) / raw.requests(users):.3f} of its requests/s, {share:.3f} of its tokens/s "
            f"(goal {_THROUGHPUT} of these: {_met(share >= _THROUGHPUT)})",
            flush=True,
        )


def _met(reached: bool) -> str:
    return "met" if reached else "missed"


def main() -> None:
    """Measure all sides."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, nargs="+", required=True)
    parser.add_argument("--questions", type=Path, required=True)
    parser.add_argument("--passages", type=int, default=500)
    parser.add_argument("--users", type=int, nargs="+", default=[1, 8, 32, 128])
    parser.add_argument("--each", type=int, default=2, help="questions of a user in a turn")
    parser.add_argument("--least", type=int, default=16, help="questions of a turn, however few users there are")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sources", type=int, default=3)
    parser.add_argument("--focus-sentences", type=int, default=2, help="as the packaged model has it; 0: passages")
    parser.add_argument("--max-tokens", type=int, default=64)
    parser.add_argument("--kv-cache-gb", type=int, default=2)
    parser.add_argument("--fake-ms", type=float, help="a stand-in that takes so long for a token, instead of vLLM")
    parser.add_argument("--peer-python", default="", help="without it, there are no peers")
    parser.add_argument("--models", type=Path, help="a data folder that has the packaged model")
    parser.add_argument("--work", type=Path, help="a folder that is kept")
    arguments = parser.parse_args()
    print("python -m tests.benchmarks.bench_serving", *sys.argv[1:], flush=True)
    with ExitStack() as stack:
        work = (arguments.work or Path(stack.enter_context(tempfile.TemporaryDirectory()))).resolve()
        questions = prepare(arguments.corpus, arguments.questions, arguments.passages, work)
        engine = stack.enter_context(open_engine(arguments, (arguments.models or work / "data").resolve()))
        wanted = sum(_size(arguments, users) * arguments.rounds for users in arguments.users)
        recorded = record(questions, wanted, footnote_settings(work, arguments), engine.model)
        measure(open_sides(stack, work, arguments, engine, recorded), list(recorded), arguments, engine)


def measure(sides: Sequence[Side], questions: Sequence[str], arguments: argparse.Namespace, engine: Engine) -> None:
    """Let the sides take turns."""
    asked = _endless(questions)
    for side in sides:
        asyncio.run(take_turn(side, questions[:4], 2, engine))  # warms it up
    for users in arguments.users:
        for _ in range(arguments.rounds):
            put = [next(asked) for _ in range(_size(arguments, users))]
            for side in sides:
                side.turns.setdefault(users, []).append(asyncio.run(take_turn(side, put, users, engine)))
        report(sides, users)
        compare(sides, users)
    fewest, most = min(arguments.users), max(arguments.users)
    for side in sides:
        batching = ", ".join(
            f"{side.requests(users) / side.requests(fewest):.1f} times at {users}" for users in arguments.users
        )
        print(f"  {side.name:<10} requests/s of {fewest} to {most} users: {batching}", flush=True)


def _size(arguments: argparse.Namespace, users: int) -> int:
    return max(int(arguments.least), users * int(arguments.each))


def _endless(questions: Sequence[str]) -> Iterator[str]:
    while True:
        yield from questions


if __name__ == "__main__":
    main()
