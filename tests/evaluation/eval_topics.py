"""Scores the topics guard on Banking77, with intents as topics, and on SQuAD's questions as what is off every topic.

    python -m tests.evaluation.eval_topics ../shared/data [--questions 6] [--examples 3]

Eight random intents are denied, ten times: once alone ("alone"), once with the other 69 allowed ("beside others").
"Caught" is the share of questions of a denied intent that are refused, "over" that of the other 69 intents.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import json
import random
from collections import defaultdict
from pathlib import Path

import numpy as np

from retrieval.embedding.sentence_transformers_embedder import SentenceTransformersEmbedder
from validation.topics import Topic, off_limits, topic_vectors

_THRESHOLDS = (0.4, 0.45, 0.5, 0.55, 0.6)
_DRAWS, _DENIED = 10, 8


async def measure(data: Path, questions: int, examples: int) -> None:
    """Print what is refused at several thresholds."""
    by_intent: dict[str, list[str]] = defaultdict(list)
    with (data / "cache/banking77_train.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            by_intent[row["category"]].append(row["text"])
    draw = random.Random(1)
    chosen = {intent: draw.sample(texts, examples + questions) for intent, texts in sorted(by_intent.items())}
    topics = [Topic(intent, tuple(texts[:examples])) for intent, texts in chosen.items()]
    asked = [text for texts in chosen.values() for text in texts[examples:]]
    about = [intent for intent in chosen for _ in range(questions)]
    squad = [json.loads(line)["question"] for line in (data / "qa/squad2/qa.jsonl").read_text("utf-8").splitlines()]
    squad = draw.sample(squad, 200)
    embedder = SentenceTransformersEmbedder()
    described = [text for topic in topics for text in topic.texts]
    rows = await embedder.embed([*described, *asked, *squad])
    vectors = topic_vectors(topics, rows[: len(described)])
    vectors_asked, elsewhere = np.split(rows[len(described) :], [len(asked)])
    draws = [set(draw.sample(range(len(topics)), _DENIED)) for _ in range(_DRAWS)]
    everything = (topics, vectors)
    nothing = ([], vectors[:0])
    for threshold in _THRESHOLDS:
        figures: dict[str, list[float]] = defaultdict(list)
        for denied in draws:
            inside = sorted(denied)
            outside = [at for at in range(len(topics)) if at not in denied]
            forbidden = ([topics[at] for at in inside], vectors[inside])
            others = ([topics[at] for at in outside], vectors[outside])
            names = {topics[at].name for at in inside}
            for setting, permitted in (("alone", nothing), ("beside others", others)):
                for vector, intent in zip(vectors_asked, about, strict=True):
                    side = "caught" if intent in names else "over"
                    refused = off_limits(vector, forbidden, permitted, threshold) is not None
                    figures[f"{setting}, {side}"].append(refused)
        for name, rows_of in (("allowed, refused", vectors_asked), ("SQuAD, refused", elsewhere)):
            figures[name] = [off_limits(vector, nothing, everything, threshold) is not None for vector in rows_of]
        shown = "  ".join(f"{name} {np.mean(values):.3f}" for name, values in figures.items())
        print(f"threshold {threshold}: {shown}", flush=True)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("data", type=Path)
    arguments.add_argument("--questions", type=int, default=6)
    arguments.add_argument("--examples", type=int, default=3)
    given = arguments.parse_args()
    asyncio.run(measure(given.data, given.questions, given.examples))


if __name__ == "__main__":
    main()
