"""Reads open question sets from a data folder: SQuAD 2, XQuAD, documentation, 10-Q reports, ClapNQ and MTRAG-UN."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from contracts import Message
from tests.evaluation.answer_tasks import AnswerSet, Kind, Passage, Task

LANGUAGES = ("en", "de", "es", "ar", "zh")
_KINDS: Mapping[str, Kind] = {
    "ANSWERABLE": "answerable",
    "UNANSWERABLE": "unanswerable",
    "UNDERSPECIFIED": "underspecified",
    "PARTIAL": "partial",
}
_SOURCES = re.compile(r"\n*SOURCE\(S\):.*\Z|\s*\(SOURCE:[^)]*\)|\s*\(\"[^\"]*\.pdf\"\)", re.S)


def read_answer_set(name: str, data: Path) -> AnswerSet:
    """Return the set called `name` (one of `set_names`) out of the data folder."""
    return _READERS[name](data)


def set_names() -> list[str]:
    """Return the names of all sets."""
    return list(_READERS)


def _squad2(data: Path) -> AnswerSet:
    folder = data / "qa" / "squad2"
    passages = {row["_id"]: (row["title"], row["text"]) for row in _rows(folder / "corpus.jsonl")}
    tasks = [
        Task(
            id=row["id"],
            question=row["question"].strip(),
            kind="unanswerable" if row["is_impossible"] else "answerable",
            group=row["title"],
            answers=tuple(row["answers"]),
            evidence=(_passage(*passages[row["context_id"]]),),
        )
        for row in _rows(folder / "qa.jsonl")
    ]
    return AnswerSet("squad2", tuple(tasks), _articles(passages.values()), short=True)


def _xquad(data: Path, *, language: str) -> AnswerSet:
    articles = json.loads((data / "qa" / "xquad" / f"xquad.{language}.json").read_text("utf-8"))["data"]
    passages, tasks = [], []
    for article in articles:
        title = article["title"].replace("_", " ")
        for paragraph in article["paragraphs"]:
            text = paragraph["context"].strip("\ufeff \n")
            passages.append((title, text))
            tasks += [
                Task(
                    id=asked["id"],
                    question=asked["question"].strip(),
                    kind="answerable",
                    group=title,
                    answers=tuple(answer["text"] for answer in asked["answers"]),
                    evidence=(_passage(title, text),),
                )
                for asked in paragraph["qas"]
            ]
    return AnswerSet(f"xquad.{language}", tuple(tasks), _articles(passages), short=True, language=language)


def _clapnq(data: Path) -> AnswerSet:
    folder = data / "multiturn" / "clapnq_single_turn"
    passages = {row["_id"]: (row["title"], row["text"]) for row in _rows(folder / "corpus.jsonl")}
    tasks = [
        Task(
            id=row["id"],
            question=row["question"].strip(),
            kind="answerable" if row["answerable"] else "unanswerable",
            group=passages[row["context_id"]][0],
            answers=tuple(row["answers"]),
            evidence=(_passage(*passages[row["context_id"]]),),
        )
        for row in _rows(folder / "qa.jsonl")
    ]
    return AnswerSet("clapnq", tuple(tasks), _articles(passages.values()), short=False)


def _anthropic_docs(data: Path) -> AnswerSet:
    """Pages are Markdown, with the sections that the set calls chunks below a heading each."""
    folder = data / "qa" / "anthropic_docs"
    pages: dict[str, list[str]] = defaultdict(list)
    sections: dict[str, Passage] = {}
    for row in _rows(folder / "corpus.jsonl"):
        page = row["_id"].partition("#")[0].partition("/en/")[2].replace("/", "-") + ".md"
        text = row["text"].removeprefix(row["title"]).strip()
        sections[row["_id"]] = Passage(page, text)
        pages[page].append(f"## {row['title']}\n\n{text}")
    tasks = [
        Task(
            id=row["id"],
            question=row["question"].strip(),
            kind="answerable",
            group=sections[row["gold_ids"][0]].document,
            answers=tuple(row["answers"]),
            evidence=tuple(sections[gold] for gold in row["gold_ids"]),
        )
        for row in _rows(folder / "qa.jsonl")
    ]
    files = {page: "\n\n".join(parts) + "\n" for page, parts in pages.items()}
    return AnswerSet("anthropic_docs", tuple(tasks), files, short=False)


def _sec10q(data: Path) -> AnswerSet:
    """The gold answers name their sources, which no reader would write so: that is left out."""
    folder = data / "qa" / "sec10q"
    tasks = [
        Task(
            id=row["id"],
            question=row["Question"].strip(),
            kind="answerable",
            group=row["Source Docs"],
            answers=(_SOURCES.sub("", row["Answer"]).strip(),),
            documents=tuple(row["source_files"]),
        )
        for row in _rows(folder / "qa.jsonl")
    ]
    files = {path.name: path for path in sorted((folder / "docs").glob("*.pdf"))}
    return AnswerSet("sec10q", tuple(tasks), files, short=False)


def _mtragun(data: Path) -> AnswerSet:
    """The contexts of all tasks are one collection, so that there is something to mistake for evidence."""
    rows = list(_rows(data / "multiturn" / "mtragun.jsonl"))
    contexts = {each["document_id"]: each for row in rows for each in row["contexts"]}
    passages = {name: (each["title"], _body(each)) for name, each in contexts.items()}
    tasks = [
        Task(
            id=row["task_id"],
            question=row["input"][-1]["text"].strip(),
            kind=_KINDS[row["answerability"][0]],
            group=row["conversation_id"],
            answers=(row["targets"][0]["text"].strip(),),
            evidence=tuple(_passage(*passages[each["document_id"]]) for each in row["contexts"]),
            history=tuple(_message(turn) for turn in row["input"][:-1]),
        )
        for row in rows
    ]
    return AnswerSet("mtragun", tuple(tasks), _articles(passages.values()), short=False)


def _message(turn: Mapping[str, Any]) -> Message:
    return Message("user" if turn["speaker"] == "user" else "assistant", turn["text"].strip())


def _body(context: Mapping[str, Any]) -> str:
    return str(context["text"]).removeprefix(context["title"]).strip()


def _passage(title: str, text: str) -> Passage:
    return Passage(_file_name(title), text)


def _file_name(title: str) -> str:
    return re.sub(r"[/\0]", "-", title)[:100] + ".txt"


def _articles(passages: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return one text file per title: the title, then its passages."""
    articles: dict[str, list[str]] = {}
    for title, text in passages:
        articles.setdefault(_file_name(title), [title]).append(text)
    return {name: "\n\n".join(parts) + "\n" for name, parts in articles.items()}


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


_READERS: dict[str, Callable[[Path], AnswerSet]] = {
    "squad2": _squad2,
    **{f"xquad.{language}": partial(_xquad, language=language) for language in LANGUAGES},
    "anthropic_docs": _anthropic_docs,
    "sec10q": _sec10q,
    "clapnq": _clapnq,
    "mtragun": _mtragun,
}
