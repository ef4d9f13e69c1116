"""Datasets in BEIR's layout: a folder with corpus.jsonl, queries.jsonl and judgements in qrels/*.tsv."""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from apps.evaluation.dataset_lines import json_rows, judgements
from contracts import InvalidInputError

Qrels = Mapping[str, Mapping[str, int]]  # grades by document, by query; 0 and less: not relevant
LAYOUT = "A dataset in BEIR's layout is a folder with corpus.jsonl, queries.jsonl and qrels/test.tsv."
LEFT_OUT = {
    "empty_documents": "Documents without a text, left out",
    "repeated_documents": "Documents with the id of an earlier one, left out",
    "repeated_queries": "Queries with the id of an earlier one, left out",
    "repeated_judgements": "Judgements given twice, of which the higher counts",
    "queries_without_judgements": "Queries without judgements, left out",
    "queries_without_relevant_documents": "Queries for which nothing was judged relevant, left out",
    "judged_queries_without_text": "Judged queries that are not among the queries, left out",
    "judgements_without_document": "Judgements of documents that are not in the corpus, which count as not found",
}


@dataclass(frozen=True, slots=True)
class Passage:
    """A row of a corpus."""

    id: str
    title: str
    text: str

    @property
    def digest(self) -> str:
        """SHA-256 of all three fields, in hex."""
        return hashlib.sha256("\0".join((self.id, self.title, self.text)).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Dataset:
    """A corpus with judged queries. `digest` stands for the corpus alone, whatever its file; `left_out` counts what
    was not used, by the names of LEFT_OUT."""

    name: str
    split: str
    corpus: Path
    digest: str
    documents: int
    queries: Mapping[str, str]
    qrels: Qrels
    left_out: Mapping[str, int]

    def passages(self) -> Iterator[Passage]:
        """Read the corpus again, row by row."""
        return _passages(self.corpus, Counter())

    def sample(self, count: int, seed: int) -> Dataset:
        """Return the same with `count` of its queries, drawn at random."""
        if count >= len(self.queries):
            return self
        drawn = set(random.Random(seed).sample(sorted(self.queries), count))
        queries = {query: text for query, text in self.queries.items() if query in drawn}
        return replace(self, queries=queries, qrels={query: self.qrels[query] for query in queries})


def read_dataset(folder: Path, split: str = "", queries: Path | None = None) -> Dataset:
    """Read a dataset; `split` names a file in qrels/ (default: test, or the only one there is), `queries` another file
    with the queries. Raises InvalidInputError, which names the line that is wrong."""
    corpus, asked, qrels_file = _corpus_file(folder), _queries_file(folder, queries), _qrels_file(folder, split)
    left_out: Counter[str] = Counter()
    hashed, ids = hashlib.sha256(), set[str]()
    for passage in _passages(corpus, left_out):
        ids.add(passage.id)
        hashed.update(passage.digest.encode())
    if not ids:
        raise InvalidInputError(f"{str(corpus)!r} holds no documents.")
    texts = _texts(asked, left_out)
    qrels = _qrels(qrels_file, left_out)
    judged = select_judged(texts, qrels, ids, left_out)
    if not judged:
        raise InvalidInputError(
            f"No query of {str(asked)!r} has a relevant document in {str(qrels_file)!r}: the one has ids such as "
            f"{_example(texts)}, the other {_example(qrels)}."
        )
    return Dataset(
        name=folder.resolve().name,
        split=qrels_file.stem,
        corpus=corpus,
        digest=hashed.hexdigest()[:16],
        documents=len(ids),
        queries={query: texts[query] for query in judged},
        qrels={query: qrels[query] for query in judged},
        left_out=dict(left_out),
    )


def select_judged(
    queries: Mapping[str, str], qrels: Qrels, documents: Iterable[str], left_out: Counter[str]
) -> list[str]:
    """Return the queries for which anything was judged relevant, and count what is left out."""
    known = documents if isinstance(documents, set) else set(documents)
    left_out["judged_queries_without_text"] += sum(query not in queries for query in qrels)
    left_out["queries_without_judgements"] += sum(query not in qrels for query in queries)
    both = [query for query in queries if query in qrels]
    judged = [query for query in both if max(qrels[query].values()) > 0]
    left_out["queries_without_relevant_documents"] += len(both) - len(judged)
    left_out["judgements_without_document"] += sum(name not in known for query in judged for name in qrels[query])
    return judged


def _passages(corpus: Path, left_out: Counter[str]) -> Iterator[Passage]:
    seen: set[str] = set()
    for row in json_rows(corpus):
        passage = Passage(row.id, row.title, row.text)
        if passage.id in seen:
            left_out["repeated_documents"] += 1
        elif not (passage.title or passage.text):
            left_out["empty_documents"] += 1
        else:
            seen.add(passage.id)
            yield passage


def _texts(path: Path, left_out: Counter[str]) -> dict[str, str]:
    texts: dict[str, str] = {}
    for row in json_rows(path):
        if not row.text:
            raise InvalidInputError(f"{str(path)!r}, line {row.line}: the query {row.id!r} is empty.")
        left_out["repeated_queries"] += row.id in texts
        texts.setdefault(row.id, row.text)
    if not texts:
        raise InvalidInputError(f"{str(path)!r} holds no queries.")
    return texts


def _qrels(path: Path, left_out: Counter[str]) -> dict[str, dict[str, int]]:
    qrels: dict[str, dict[str, int]] = {}
    for query, document, grade in judgements(path):
        grades = qrels.setdefault(query, {})
        left_out["repeated_judgements"] += document in grades
        grades[document] = max(grade, grades.get(document, grade))
    if not qrels:
        raise InvalidInputError(f"{str(path)!r} holds no judgements.")
    return qrels


def _corpus_file(folder: Path) -> Path:
    if not folder.is_dir():
        raise InvalidInputError(f"{str(folder)!r} is not a folder. {LAYOUT}")
    for name in ("corpus.jsonl", "corpus.jsonl.gz"):
        if (folder / name).is_file():
            return folder / name
    deeper = sorted({path.parent for path in folder.glob("*/corpus.jsonl*")})
    hint = f" Did you mean {str(deeper[0])!r}?" if deeper else ""
    raise InvalidInputError(f"{str(folder)!r} holds no corpus.jsonl.{hint} {LAYOUT}")


def _queries_file(folder: Path, queries: Path | None) -> Path:
    """Return the file with the queries; one that was named may lie in the dataset's folder too."""
    places = [queries, folder / queries] if queries else [folder / "queries.jsonl", folder / "queries.jsonl.gz"]
    for place in places:
        if place.is_file():
            return place
    others = ", ".join(sorted(path.name for path in folder.glob("*quer*.jsonl*")))
    hint = f" Choose one with --queries: {others}." if others else f" {LAYOUT}"
    missing = f"There is no file {str(queries)!r}." if queries else f"{str(folder)!r} holds no queries.jsonl."
    raise InvalidInputError(missing + hint)


def _qrels_file(folder: Path, split: str) -> Path:
    found = {path.stem: path for path in sorted((folder / "qrels").glob("*.tsv"))}
    if not found:
        raise InvalidInputError(f"{str(folder / 'qrels')!r} holds no .tsv file with judgements. {LAYOUT}")
    split = split.removesuffix(".tsv")
    if not split and "test" not in found and len(found) == 1:
        return next(iter(found.values()))
    if (split or "test") not in found:
        there = ", ".join(found)
        raise InvalidInputError(f"There is no split {split or 'test'!r}; choose one with --split: {there}.")
    return found[split or "test"]


def _example(ids: Mapping[str, object]) -> str:
    return ", ".join(repr(each) for each in list(ids)[:2])
