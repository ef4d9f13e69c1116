"""What it does to search quality when a question is condensed, reworded, or in a language the embedder hardly knows.

``python -m tests.benchmarks.bench_query_understanding DATA --generations FILE [--model-url URL]``: DATA is a folder
with judged sets (see sparse_sets.py) and conversations in multiturn/. What a model says is kept in FILE, a JSON line
each, and only asked for at URL, an OpenAI-compatible server, where it is not there yet. Figures are nDCG@10 of the
views as they are searched, and of both together.
"""

import argparse
import asyncio
import json
import random
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import ir_measures
import numpy as np

from contracts import (
    PUBLIC,
    ChatModel,
    Condenser,
    Message,
    ModelUnavailableError,
    Prompt,
    Rephraser,
    Selection,
    Token,
    Wording,
)
from retrieval.embedding.sentence_transformers_embedder import SentenceTransformersEmbedder
from retrieval.questions.conversation_context import blended, conversation_context
from retrieval.questions.dense_weight import dense_weight
from retrieval.questions.followup_condenser import FollowupCondenser
from retrieval.questions.llm_condenser import LlmCondenser
from retrieval.questions.rewording import Hyde, MultiQuery, weighted
from retrieval.ranking.fusion import Fusion, Ranking, fuse
from retrieval.sparse.tantivy_index import TantivyIndex
from tests.benchmarks.sparse_sets import JudgedSet, judged_sets
from tests.feeds import MemoryFeed

DEPTH = 100
REWORDED = ("vaswani", "cranfield")
SAMPLE = 93  # queries of a set that are reworded
EVERYONE = Selection((PUBLIC,))
MODES = ("dense", "sparse", "hybrid")
Runs = dict[str, dict[str, dict[str, float]]]  # by mode and query, the score of documents
Turns = list[Message]


class Recorded:
    """Port `ChatModel`: says what it said before to the same prompt, and asks `live` for what is new."""

    def __init__(self, file: Path, live: ChatModel | None) -> None:
        rows = map(json.loads, file.read_text("utf-8").splitlines()) if file.is_file() else ()
        self._said = {_key(row["prompt"]): row["text"] for row in rows}
        self._file, self._live = file, live
        self.name = file.stem

    async def prepare(self) -> None:
        """Do nothing: the name is the file's."""

    async def stream(self, prompt: Prompt, *, max_tokens: int, temperature: float) -> AsyncGenerator[Token]:
        """Yield the answer in one piece."""
        asked = prompt.messages[-1].content
        if _key(asked) not in self._said:
            if self._live is None:
                raise ModelUnavailableError("nothing was kept, and there is no --model-url")
            said = [token.text async for token in self._live.stream(prompt, max_tokens=max_tokens, temperature=0.0)]
            self._said[_key(asked)] = "".join(said)
            with self._file.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"prompt": asked, "text": "".join(said)}) + "\n")
        yield Token(self._said[_key(asked)])


def _key(prompt: str) -> str:
    return " ".join(prompt.split())


class Searched:
    """A set, embedded and indexed."""

    def __init__(self, judged: JudgedSet, embedder: SentenceTransformersEmbedder) -> None:
        self.judged, self._embedder = judged, embedder
        self._feed = MemoryFeed()
        self._ids: dict[int, str] = {}

    async def open(self) -> "Searched":
        """Embed and index the documents."""
        for name, (title, text) in self.judged.documents.items():
            self._ids[self._feed.put(name, texts=[text], title=title)[0]] = name
        body = [f"{title}\n{text.removeprefix(title).strip()}" for title, text in self.judged.documents.values()]
        self._vectors = await self._embedder.embed(body)
        self._rows = {key: row for row, key in enumerate(self._ids)}
        self._sparse = TantivyIndex(self._feed, "default")
        await self._sparse.refresh()
        return self

    async def search(self, text: str, dense: Sequence[Wording], sparse: Sequence[Wording], fusion: Fusion) -> Runs:
        """Return what each mode finds for a text and its context, under the one query ""."""
        vectors = await self._embedder.embed([text, *(each.text for each in dense)])
        cosines = self._vectors @ blended(vectors, dense)
        keys = np.array(list(self._ids))
        best = np.argsort(-cosines, kind="stable")[:DEPTH]
        by_meaning = Ranking("dense", tuple((int(keys[row]), float(cosines[row])) for row in best))
        by_words = [
            Ranking("sparse", await self._sparse.search(each.text, DEPTH, EVERYONE), each.weight)
            for each in (Wording(text, 1.0), *sparse)
        ]
        found = {key for one in (by_meaning, *by_words) for key, _ in one.found}
        near = {key: float(cosines[self._rows[key]]) for key in found}
        fused = (
            fuse([by_meaning], near, fusion),
            fuse(by_words, {}, fusion),
            fuse([by_meaning, *by_words], near, fusion),
        )
        return {
            mode: {"": {self._ids[key]: 1 / rank for rank, (key, _) in enumerate(one, start=1)}}
            for mode, one in zip(MODES, fused, strict=True)
        }

    async def report(self, label: str, queries: Sequence[str], search: Callable[[str], Awaitable[Runs]]) -> None:
        """Print the nDCG@10 of each mode over some queries; `search` is called with the id of each."""
        runs: Runs = {mode: {} for mode in MODES}
        for query in queries:
            for mode, found in (await search(query)).items():
                runs[mode][query] = found[""]
        measure = ir_measures.parse_measure("nDCG@10")
        qrels = {query: self.judged.qrels[query] for query in queries}
        scores = [ir_measures.calc_aggregate([measure], qrels, runs[mode])[measure] for mode in MODES]
        print(
            f"{self.judged.name:<22}{label:<28}{len(queries):>6}", *(f"{score:>8.3f}" for score in scores), flush=True
        )


def _rows(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _qrels(path: Path) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for line in path.read_text(encoding="utf-8").splitlines()[1:]:
        query, document, grade = line.split("\t")
        found.setdefault(query, {})[document] = int(grade)
    return found


def asked_turns(folder: Path) -> dict[str, Turns]:
    """Return the questions up to each query, which are all that this set has of its conversations."""
    found = {}
    for row in _rows(folder / "queries_questions.jsonl"):
        turns = str(row["text"]).split("|user|: ")[1:]
        found[str(row["_id"])] = [Message("user", turn.strip()) for turn in turns][-5:]
    return found


def told_turns(file: Path) -> dict[str, Turns]:
    """Return questions and answers up to each query."""
    found = {}
    for row in _rows(file):
        turns: list[dict[str, str]] = row["input"]  # type: ignore[assignment]
        said = [Message("user" if turn["speaker"] == "user" else "assistant", turn["text"]) for turn in turns]
        found[str(row["task_id"])] = said[-7:]
    return found


async def of_question(
    turns: dict[str, Turns], condenser: Condenser | None, searched: Searched, query: str, *, with_context: bool
) -> Runs:
    """Search for a question of a conversation as the condenser puts it, or as it is."""
    *history, asked = turns[query]
    text = await condenser.condense(asked.content, history) if condenser else asked.content
    context = conversation_context(asked.content, text, history) if with_context else ()
    return await searched.search(text, context, context, Fusion())


async def of_text(texts: Mapping[str, str], searched: Searched, query: str) -> Runs:
    """Search for a text alone."""
    return await searched.search(texts[query], (), (), Fusion())


async def of_rewording(rephraser: Rephraser, searched: Searched, query: str) -> Runs:
    """Search for a query and other ways to say it."""
    text = searched.judged.queries[query]
    return await searched.search(text, weighted(await rephraser.reword(text)), (), Fusion())


async def of_language(embedder: SentenceTransformersEmbedder, searched: Searched, query: str) -> Runs:
    """Search with as much of the dense view as the embedder knows of the query's language."""
    text = searched.judged.queries[query]
    return await searched.search(text, (), (), Fusion().weighted(dense_weight(embedder, text)))


async def conversations(data: Path, model: ChatModel, embedder: SentenceTransformersEmbedder) -> None:
    """Print what condensers and context do to questions in conversations."""
    folder = data / "multiturn" / "mtrag_clapnq"
    documents = next(one for one in judged_sets(data) if one.name == "mtrag clapnq").documents
    by_people = {
        str(row["_id"]): str(row["text"]).removeprefix("|user|: ") for row in _rows(folder / "queries_rewrite.jsonl")
    }
    rule = FollowupCondenser()
    condensers: dict[str, Condenser | None] = {"last question": None, "rule": rule}
    condensers[model.name] = LlmCondenser(model, fallback=rule, deadline_s=120)
    searched = await Searched(JudgedSet("", documents, {}, {}), embedder).open()
    for name, turns, grades in (
        ("mtrag clapnq", asked_turns(folder), "human_covered"),
        ("mtrag-un clapnq", told_turns(data / "multiturn" / "mtragun.jsonl"), "un"),
    ):
        searched.judged = JudgedSet(name, documents, {}, _qrels(folder / "qrels" / f"{grades}.tsv"))
        queries = [query for query in searched.judged.qrels if query in turns]
        for label, condenser in condensers.items():
            search = partial(of_question, turns, condenser, searched)
            await searched.report(label, queries, partial(search, with_context=False))
            await searched.report(f"{label} + context", queries, partial(search, with_context=True))
        if by_people.keys() >= set(queries):
            await searched.report("put anew by people", queries, partial(of_text, by_people, searched))


async def rewordings(data: Path, model: ChatModel, embedder: SentenceTransformersEmbedder) -> None:
    """Print what paraphrases and imagined passages do."""
    for judged in judged_sets(data):
        if judged.name in REWORDED:
            searched = await Searched(judged, embedder).open()
            queries = list(judged.queries)
            random.Random(0).shuffle(queries)
            queries = [query for query in queries[:SAMPLE] if query in judged.qrels]
            await searched.report("query", queries, partial(of_text, judged.queries, searched))
            for rephraser in (MultiQuery(model, deadline_s=120), Hyde(model, deadline_s=120)):
                await searched.report(type(rephraser).__name__, queries, partial(of_rewording, rephraser, searched))


async def languages(data: Path, embedder: SentenceTransformersEmbedder) -> None:
    """Print what the dense view is worth in other languages, with and without a weight that knows."""
    for judged in judged_sets(data):
        if judged.name.startswith("xquad"):
            searched = await Searched(judged, embedder).open()
            await searched.report("one weight", list(judged.qrels), partial(of_text, judged.queries, searched))
            await searched.report("weight by fluency", list(judged.qrels), partial(of_language, embedder, searched))


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--generations", type=Path, required=True)
    parser.add_argument("--model-url")
    parser.add_argument("--only", choices=("conversations", "rewordings", "languages"))
    asked = parser.parse_args()
    print("python -m tests.benchmarks.bench_query_understanding", *sys.argv[1:])
    live = None
    if asked.model_url:
        from serving.langchain_chat_model import LangChainChatModel
        from serving.model_servers import ModelServer

        live = LangChainChatModel(ModelServer("", asked.model_url, timeout_s=120))
    model, embedder = Recorded(asked.generations, live), SentenceTransformersEmbedder()
    print(f"{'':<22}{'':<28}{'':>6}", *(f"{mode:>8}" for mode in MODES))
    if asked.only in (None, "conversations"):
        await conversations(asked.data, model, embedder)
    if asked.only in (None, "rewordings"):
        await rewordings(asked.data, model, embedder)
    if asked.only in (None, "languages"):
        await languages(asked.data, embedder)


if __name__ == "__main__":
    asyncio.run(main())
