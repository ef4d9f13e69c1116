"""What every splitter must do with any document: exact spans, no chunk over budget, nothing lost, no page crossed."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts import Box, Document, Element, ElementKind, ParsedFile, Splitter
from ingestion.llamaindex_splitter import LlamaIndexSplitter
from ingestion.markdown_tables import markdown_table

DOCUMENT = Document(
    id="d", collection="default", version="v1", source="a.txt", title="A", media_type="text/plain", size=1
)
COUNTERS: dict[str, Callable[[str], int]] = {
    "words": lambda text: len(text.split()),
    "characters": len,
    "with special tokens": lambda text: len(text) // 4 + 3,
}


@dataclass(frozen=True)
class Case:
    splitter: Splitter
    count: Callable[[str], int]
    budget: int


def make(counter: str, budget: int, overlap: int) -> Case:
    count = COUNTERS[counter]
    return Case(LlamaIndexSplitter(count, chunk_tokens=budget, chunk_overlap_tokens=overlap), count, budget)


CASES = st.builds(make, st.sampled_from(sorted(COUNTERS)), st.sampled_from([12, 32, 60]), st.sampled_from([0, 3, 11]))
WORDS = st.one_of(
    st.sampled_from(
        ["a", "the cat", "price.", "e.g.", "Übermaß", "日本語。", "x, y;", "3.14", "sat!", "\n", "ha ha ha"]
    ),
    st.text(min_size=1, max_size=12),
    st.integers(1, 40).map(lambda n: "w" * n),
)
PARAGRAPHS = st.lists(WORDS, min_size=1, max_size=60).map(" ".join).map(str.strip).filter(bool)
TABLES = st.lists(
    st.lists(st.text(alphabet="abc 19|.", max_size=30), min_size=1, max_size=4), min_size=1, max_size=12
).map(markdown_table)
BOXES = st.lists(
    st.builds(Box, st.just(1), st.just(0.1), st.floats(0, 0.4), st.floats(0.2, 0.9), st.just(0.5)), max_size=4
)


@st.composite
def parsed_files(draw: st.DrawFn) -> ParsedFile:
    elements = []
    page: int | None = draw(st.sampled_from([None, 1]))
    for _ in range(draw(st.integers(1, 10))):
        kind = draw(st.sampled_from(list(ElementKind)))
        text = draw(TABLES if kind is ElementKind.TABLE else PARAGRAPHS)
        if page is not None:
            page += draw(st.integers(0, 1))
        if text:
            boxes = tuple(draw(BOXES))
            elements.append(Element(text, kind, page, boxes, level=draw(st.integers(1, 3))))
    return ParsedFile("A", "text/plain", tuple(elements) or (Element("something"),))


def whole(parsed: ParsedFile) -> str:
    return "\n\n".join(element.text for element in parsed.elements)


@settings(deadline=None, max_examples=250)
@given(CASES, parsed_files())
def test_the_contract_holds_for_any_document(case: Case, parsed: ParsedFile) -> None:
    text = whole(parsed)
    chunks = case.splitter.split(DOCUMENT, parsed)
    covered = bytearray(len(text))
    for position, chunk in enumerate(chunks):
        start, end = chunk.span
        assert chunk.position == position
        assert (chunk.document_id, chunk.version) == ("d", "v1")
        assert case.count(chunk.text) <= case.budget
        assert chunk.text == text[start:end] or is_table_with_repeated_header(chunk.text, text[start:end], text)
        assert chunk.page in pages_under(parsed, start, end)
        assert len(pages_under(parsed, start, end)) == 1
        covered[start:end] = b"\x01" * (end - start)
    assert all(covered[at] or character.isspace() for at, character in enumerate(text))
    assert [chunk.span[1] for chunk in chunks] == sorted(chunk.span[1] for chunk in chunks)
    assert len({chunk.id for chunk in chunks}) == len(chunks)


def is_table_with_repeated_header(passage: str, spanned: str, text: str) -> bool:
    header = passage.removesuffix(spanned)
    return header != passage and header.count("\n") == 2 and " --- |" in header and header in text


def pages_under(parsed: ParsedFile, start: int, end: int) -> set[int | None]:
    pages: set[int | None] = set()
    at = 0
    for element in parsed.elements:
        if at < end and at + len(element.text) > start:
            pages.add(element.page)
        at += len(element.text) + 2
    return pages


@pytest.mark.parametrize("counter", COUNTERS)
def test_the_same_file_gives_the_same_chunks(counter: str) -> None:
    parsed = ParsedFile("A", "text/plain", (Element("One two three. " * 40),))
    once, again = (make(counter, 32, 3).splitter.split(DOCUMENT, parsed) for _ in range(2))
    assert len(once) > 1
    assert once == again


@pytest.mark.parametrize("counter", COUNTERS)
def test_the_id_is_the_hash_of_version_position_and_text(counter: str) -> None:
    (chunk,) = make(counter, 32, 3).splitter.split(DOCUMENT, ParsedFile("A", "text/plain", (Element("One two."),)))
    assert chunk.id == hashlib.sha256(b"v1:0:One two.").hexdigest()[:32]
