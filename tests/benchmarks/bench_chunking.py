"""How much of the gold evidence each chunking strategy brings into a prompt of the same size, what it costs to embed,
and how fast it cuts; beside LlamaIndex's SentenceSplitter and LangChain's RecursiveCharacterTextSplitter.

Run it with ``python -m tests.benchmarks.bench_chunking --data FOLDER``; FOLDER holds squad2/ and anthropic_docs/, each
with corpus.jsonl (_id, title, text) and qa.jsonl. Paragraphs of one title, and sections of one page, are joined to
documents. Evidence is the sentence with the answer (SQuAD: found when all of it is shown) or the gold sections
(anthropic_docs: the share of them that is shown; they are often longer than the prompt). Retrieval is dense with the
packaged model and exact; hits fill the prompt in order, and the last one is cut off. Everyone's chunks are embedded
behind their document's title. LangChain's splitter takes part where langchain-text-splitters is installed.
"""

import argparse
import asyncio
import json
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from apps.bootstrap import build_splitter
from apps.embedding_batches import embedded_text
from contracts import Chunk, ChunkStrategy, Cutting, Document, Element, ElementKind, ParsedFile
from ingestion.splitting.chunk_pieces import SEPARATOR
from ingestion.splitting.sentencex_sentences import sentences
from retrieval.embedding.sentence_transformers_embedder import SentenceTransformersEmbedder

Span = tuple[int, int]
Split = Callable[[Document, ParsedFile], Sequence[Chunk]]


@dataclass
class Book:
    """A document, with where its parts are."""

    document: Document
    elements: list[Element] = field(default_factory=list)
    length: int = 0

    def add(self, element: Element) -> Span:
        start = self.length + len(SEPARATOR) * bool(self.elements)
        self.elements.append(element)
        self.length = start + len(element.text)
        return start, self.length

    @property
    def text(self) -> str:
        return SEPARATOR.join(element.text for element in self.elements)


@dataclass(frozen=True)
class Question:
    text: str
    evidence: tuple[tuple[str, Span], ...]  # document id, place
    whole: bool  # it counts only where all of it is found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--budget", type=int, default=800, help="tokens of retrieved text in a prompt")
    parser.add_argument("--questions", type=int, default=600, help="of each set, at most")
    parser.add_argument("--pages", type=int, default=32, help="of anthropic_docs")
    parser.add_argument("--tokens", type=int, nargs="*", default=[180], help="chunk_tokens to compare")
    wanted = parser.parse_args()
    encoder = SentenceTransformersEmbedder()
    draw = random.Random(7)
    squad = _squad(wanted.data / "squad2", draw, wanted.questions)
    docs = _docs(wanted.data / "anthropic_docs", draw, wanted.pages)
    print(f"{'':34}{'chunks':>8}{'embedded':>10}{'MB/s':>7}{'squad2':>9}{'docs':>8}")
    for name, split in contenders(encoder, wanted.tokens):
        split(squad[0][0].document, ParsedFile("", "", (Element("Once. " * 400),)))  # imports
        chunks = tokens = 0
        scores = []
        speed = 0.0
        for books, questions in (squad, docs):
            found, rate = _cut(split, books)
            texts = [embedded_text(book.document, chunk) for book, own in found for chunk in own]
            scores.append(_score(encoder, found, texts, questions, wanted.budget))
            chunks += len(texts)
            tokens += sum(min(size, encoder.max_tokens) for size in encoder.count_tokens_many(texts))
            speed = max(speed, rate)
        print(f"{name:34}{chunks:8}{tokens:10}{speed:7.2f}{scores[0]:9.3f}{scores[1]:8.3f}", flush=True)


def contenders(encoder: SentenceTransformersEmbedder, sizes: Sequence[int]) -> Iterator[tuple[str, Split]]:
    """Yield names and ways to cut."""
    for size in sizes:
        for strategy in ChunkStrategy:
            splitter = build_splitter(encoder, Cutting(strategy, size, size * 24 // 180))
            yield splitter.name, splitter.split
    for size, overlap in ((1024, 200), (256, 50)):
        yield f"LlamaIndex sentences {size}/{overlap}", _llamaindex(encoder, size, overlap)
    try:
        import langchain_text_splitters  # noqa: F401
    except ImportError:
        print("LangChain's splitters are not installed: pip install langchain-text-splitters")
        return
    for size, overlap in ((1000, 200), (800, 0)):
        yield f"LangChain recursive {size}/{overlap} chars", _langchain(size, overlap)


def _llamaindex(encoder: SentenceTransformersEmbedder, size: int, overlap: int) -> Split:
    from llama_index.core import Document as LlamaDocument
    from llama_index.core.node_parser import SentenceSplitter
    from llama_index.core.schema import TextNode

    splitter = SentenceSplitter(
        chunk_size=size,
        chunk_overlap=overlap,
        tokenizer=lambda text: range(encoder.count_tokens(text)),
        chunking_tokenizer_fn=sentences,
    )

    def split(document: Document, parsed: ParsedFile) -> list[Chunk]:
        nodes = splitter.get_nodes_from_documents([LlamaDocument(text=_joined(parsed))])
        texts = (node for node in nodes if isinstance(node, TextNode))
        return [_chunk(document, i, node.text, node.start_char_idx or 0) for i, node in enumerate(texts)]

    return split


def _langchain(size: int, overlap: int) -> Split:
    from langchain_text_splitters import RecursiveCharacterTextSplitter

    splitter = RecursiveCharacterTextSplitter(chunk_size=size, chunk_overlap=overlap, add_start_index=True)

    def split(document: Document, parsed: ParsedFile) -> list[Chunk]:
        found = splitter.create_documents([_joined(parsed)])
        return [_chunk(document, i, one.page_content, one.metadata["start_index"]) for i, one in enumerate(found)]

    return split


def _joined(parsed: ParsedFile) -> str:
    return SEPARATOR.join(element.text for element in parsed.elements)


def _chunk(document: Document, position: int, text: str, start: int) -> Chunk:
    return Chunk(str(position), document.id, document.version, position, text, (start, start + len(text)))


def _cut(split: Split, books: Sequence[Book]) -> tuple[list[tuple[Book, Sequence[Chunk]]], float]:
    best = 0.0
    for _ in range(3):
        began = time.perf_counter()
        found = [(book, split(book.document, ParsedFile("", "", tuple(book.elements)))) for book in books]
        best = max(best, sum(book.length for book in books) / 1e6 / (time.perf_counter() - began))
    return found, best


def _score(
    encoder: SentenceTransformersEmbedder,
    found: Sequence[tuple[Book, Sequence[Chunk]]],
    texts: Sequence[str],
    questions: Sequence[Question],
    budget: int,
) -> float:
    chunks = [chunk for _, own in found for chunk in own]
    vectors = asyncio.run(encoder.embed(texts))
    asked = asyncio.run(encoder.embed([question.text for question in questions]))
    sizes = encoder.count_tokens_many([chunk.text for chunk in chunks])
    scores = []
    for question, vector in zip(questions, asked, strict=True):
        shown = _shown(chunks, sizes, np.argsort(-(vectors @ vector), kind="stable").tolist(), budget)
        share = _share(question, shown)
        scores.append(float(share == 1) if question.whole else share)
    return float(np.mean(scores))


def _shown(chunks: Sequence[Chunk], sizes: Sequence[int], order: Sequence[int], budget: int) -> list[tuple[str, Span]]:
    """Return the places that fill the prompt; the same passage only once, as the retriever does."""
    shown: dict[tuple[str, Span], Span] = {}
    for i in order:
        (start, end), document = chunks[i].span, chunks[i].document_id
        if (document, (start, end)) in shown:
            continue
        shown[document, (start, end)] = (start, start + int((end - start) * min(1.0, budget / max(1, sizes[i]))))
        budget -= sizes[i]
        if budget <= 0:
            break
    return [(document, span) for (document, _), span in shown.items()]


def _share(question: Question, shown: Sequence[tuple[str, Span]]) -> float:
    held = total = 0
    for document, (start, end) in question.evidence:
        places = {
            at for other, (low, high) in shown if other == document for at in range(max(low, start), min(high, end))
        }
        held, total = held + len(places), total + end - start
    return held / total


def _squad(folder: Path, draw: random.Random, most: int) -> tuple[list[Book], list[Question]]:
    books: dict[str, Book] = {}
    places: dict[str, tuple[Book, Span, str]] = {}
    for row in _rows(folder / "corpus.jsonl"):
        book = books.setdefault(row["title"], _book(row["title"]))
        places[row["_id"]] = (book, book.add(Element(row["text"])), row["text"])
    asked = [row for row in _rows(folder / "qa.jsonl") if row["answers"] and row["context_id"] in places]
    questions = []
    for row in draw.sample(asked, min(most, len(asked))):
        book, (start, _), text = places[row["context_id"]]
        low, high = _sentence_around(text, text.index(row["answers"][0]))
        questions.append(Question(row["question"], ((book.document.id, (start + low, start + high)),), whole=True))
    return list(books.values()), questions


def _docs(folder: Path, draw: random.Random, pages: int) -> tuple[list[Book], list[Question]]:
    sections = list(_rows(folder / "corpus.jsonl"))
    urls = sorted({row["_id"].split("#")[0] for row in sections})
    books = {url: _book(url.rsplit("/", 1)[-1]) for url in draw.sample(urls, min(pages, len(urls)))}
    places: dict[str, tuple[str, Span]] = {}
    for row in sections:
        if book := books.get(row["_id"].split("#")[0]):
            start, _ = book.add(Element(row["title"], ElementKind.TITLE, level=2))
            for paragraph in filter(str.strip, row["text"].removeprefix(row["title"]).split("\n\n")):
                book.add(Element(paragraph.strip()))
            places[row["_id"]] = (book.document.id, (start, book.length))
    asked = [row for row in _rows(folder / "qa.jsonl") if all(gold in places for gold in row["gold_ids"])]
    return list(books.values()), [
        Question(row["question"], tuple(places[gold] for gold in row["gold_ids"]), whole=False) for row in asked
    ]


def _sentence_around(text: str, at: int) -> Span:
    start = 0
    for sentence in sentences(text):
        if start + len(sentence) > at:
            return start, start + len(sentence.rstrip())
        start += len(sentence)
    raise ValueError(f"{at} is not in the text")


def _book(title: str) -> Book:
    return Book(Document(title, "default", "v", title, title, "text/plain", 1))


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8") as lines:
        yield from (json.loads(line) for line in lines)


if __name__ == "__main__":
    main()
