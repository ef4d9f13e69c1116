"""How often the quoted sentences hold the answer, on SQuAD 2, for the passages that a search finds.

Run it with ``python -m tests.evaluation.eval_quotes DATA [--every 4]``: the folder of open data sets. Weights were
chosen on half of the titles; both halves are shown.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Sequence
from pathlib import Path

from contracts import Hit, Vectors
from serving.extractive_quotes import quotes
from validation.training.answerability_cases import read_squad
from validation.training.kept_vectors import KeptVectors


async def contained(
    question: str, hits: Sequence[Hit], answers: Sequence[str], encode: KeptVectors | None
) -> list[bool]:
    """Return, for up to one, two and three quotes, whether one of the answers stands in them."""

    async def vectors(texts: Sequence[str]) -> Vectors:
        assert encode
        return encode(texts)

    found = []
    for limit in (1, 2, 3):
        said = " ".join(
            quote.text for quote in await quotes(question, hits, limit, vectors if encode else None)
        ).lower()
        found.append(any(answer.lower() in said for answer in answers))
    return found


async def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("data", type=Path)
    arguments.add_argument("--vectors", type=Path)
    arguments.add_argument("--every", type=int, default=1, help="take every n-th question")
    given = arguments.parse_args()
    encode = KeptVectors(given.vectors)
    answers = {
        row["question"]: row["answers"]
        for row in map(json.loads, (given.data / "qa/squad2/qa.jsonl").read_text().splitlines())
        if not row["is_impossible"]
    }
    cases = [case for case in read_squad(given.data, encode) if case.group == "squad2" and case.answerable]
    for held_out in (False, True):
        chosen = [case for case in cases if case.held_out == held_out][:: given.every]
        for name, encoder in (("words", None), ("words and vectors", encode)):
            rows = [await contained(case.question, case.hits, answers[case.question], encoder) for case in chosen]
            shares = [sum(column) / len(rows) for column in zip(*rows, strict=True)]
            half = "held out" if held_out else "tuned on"
            print(f"{half:<10}{name:<20}n {len(rows):<6}" + "".join(f"{share:8.3f}" for share in shares))
    encode.keep()


if __name__ == "__main__":
    asyncio.run(main())
