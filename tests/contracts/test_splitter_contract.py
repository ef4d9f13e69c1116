"""What every splitter must do with any document: exact spans, no chunk over budget, nothing lost, no page crossed."""

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.embedding_batches import embedded_text, heading_line
from contracts import Box, Chunk, Document, Element, ElementKind, ParsedFile, Splitter
from ingestion.parsing.markdown_tables import markdown_table
from ingestion.splitting.fixed_splitter import FixedSplitter
from ingestion.splitting.parent_child_splitter import ParentChildSplitter
from ingestion.splitting.sentence_window_splitter import SentenceWindowSplitter
from ingestion.splitting.structural_splitter import StructuralSplitter
from tests.word_tokens import WordTokens, words

DOCUMENT = Document(
    id="d", collection="default", version="v1", source="a.txt", title="A", media_type="text/plain", size=1
)
COUNTERS: dict[str, Callable[[str], int]] = {
    "words": words,
    "letters": lambda text: len("".join(text.split())),
    "with special tokens": lambda text: len(text) // 4 + 3,
}


@dataclass(frozen=True)
class Case:
    splitter: Splitter
    count: Callable[[str], int]
    shown: int  # tokens of a chunk's text, at most
    window: int


def structural(tokens: WordTokens, budget: int, overlap: int) -> Splitter:
    return StructuralSplitter(tokens, heading_line, chunk_tokens=budget, overlap_tokens=overlap)


def fixed(tokens: WordTokens, budget: int, overlap: int) -> Splitter:
    return FixedSplitter(tokens, heading_line, chunk_tokens=budget, overlap_tokens=overlap)


def sentence_window(tokens: WordTokens, budget: int, overlap: int) -> Splitter:
    return SentenceWindowSplitter(tokens, heading_line, chunk_tokens=budget)


def parent_child(tokens: WordTokens, budget: int, overlap: int) -> Splitter:
    return ParentChildSplitter(tokens, heading_line, chunk_tokens=budget, overlap_tokens=overlap)


STRATEGIES = (structural, fixed, sentence_window, parent_child)
Strategy = Callable[[WordTokens, int, int], Splitter]


def make(strategy: Strategy, counter: str, budget: int, overlap: int, window: int = 1_000_000) -> Case:
    count = COUNTERS[counter]
    shown = 3 * budget // 2 if strategy is parent_child else budget
    return Case(strategy(WordTokens(count, window), budget, overlap), count, shown, window)


CASES = st.builds(
    make,
    st.sampled_from(STRATEGIES),
    st.sampled_from(sorted(COUNTERS)),
    st.sampled_from([12, 32, 60]),
    st.sampled_from([0, 3, 11]),
    st.sampled_from([400, 1_000_000]),
)
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
            hidden = draw(st.integers(0, 4)) == 0
            elements.append(Element(text, kind, page, boxes, level=draw(st.integers(1, 3)), hidden=hidden))
    return ParsedFile("A", "text/plain", tuple(elements) or (Element("something"),))


def whole(parsed: ParsedFile) -> str:
    return "\n\n".join(element.text for element in parsed.elements)


@settings(deadline=None, max_examples=400)
@given(CASES, parsed_files())
def test_the_contract_holds_for_any_document(case: Case, parsed: ParsedFile) -> None:
    text = whole(parsed)
    chunks = case.splitter.split(DOCUMENT, parsed)
    covered = bytearray(len(text))
    for position, chunk in enumerate(chunks):
        start, end = chunk.span
        assert chunk.position == position
        assert (chunk.document_id, chunk.version) == ("d", "v1")
        assert chunk.text.strip()
        assert case.count(chunk.text) <= case.shown
        assert case.count(embedded_text(DOCUMENT, chunk)) <= case.window
        assert chunk.text == text[start:end] or is_table_with_repeated_header(chunk.text, text[start:end], text)
        assert all(line in chunk.text for line in chunk.focus.split("\n"))
        assert {(chunk.page, chunk.hidden)} == places_under(parsed, start, end)
        covered[start:end] = b"\x01" * (end - start)
    assert all(covered[at] or character.isspace() for at, character in enumerate(text))
    assert [chunk.span[1] for chunk in chunks] == sorted(chunk.span[1] for chunk in chunks)
    assert len({chunk.id for chunk in chunks}) == len(chunks)


@settings(deadline=None, max_examples=100)
@given(st.builds(make, st.sampled_from(STRATEGIES), st.just("words"), st.just(60), st.just(3)), parsed_files())
def test_what_stands_for_a_document_in_the_index_holds_every_short_word(case: Case, parsed: ParsedFile) -> None:
    embedded = " ".join(chunk.focus or chunk.text for chunk in case.splitter.split(DOCUMENT, parsed))
    assert set(re.findall(r"\b(?:the|cat|price|sat|19)\b", whole(parsed))) <= set(re.findall(r"\w+", embedded))


def is_table_with_repeated_header(passage: str, spanned: str, text: str) -> bool:
    header = passage.removesuffix(spanned)
    return header != passage and header.count("\n") == 2 and " --- |" in header and header in text


def places_under(parsed: ParsedFile, start: int, end: int) -> set[tuple[int | None, bool]]:
    places: set[tuple[int | None, bool]] = set()
    at = 0
    for element in parsed.elements:
        if at < end and at + len(element.text) > start:
            places.add((element.page, element.hidden))
        at += len(element.text) + 2
    return places


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_same_file_gives_the_same_chunks(strategy: Strategy) -> None:
    parsed = ParsedFile("A", "text/plain", (Element("One two three. " * 40),))
    once, again = (make(strategy, "words", 32, 3).splitter.split(DOCUMENT, parsed) for _ in range(2))
    assert len(once) > 1
    assert once == again


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_id_is_the_hash_of_version_position_and_text(strategy: Strategy) -> None:
    (chunk,) = make(strategy, "words", 32, 3).splitter.split(
        DOCUMENT, ParsedFile("A", "text/plain", (Element("One."),))
    )
    assert chunk.id == hashlib.sha256(b"v1:0:One.").hexdigest()[:32]


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_name_tells_strategies_and_sizes_apart(strategy: Strategy) -> None:
    names = {make(one, "words", size, 3).splitter.name for one in STRATEGIES for size in (32, 33)}
    assert make(strategy, "words", 32, 3).splitter.name in names
    assert len(names) == 2 * len(STRATEGIES)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_what_is_embedded_fits_the_model_with_title_and_headings(strategy: Strategy) -> None:
    case = make(strategy, "letters", 300, 3, window=256)
    headings = [
        Element(f"A heading of some length, number {level}", ElementKind.TITLE, level=level) for level in (1, 2, 3)
    ]
    chunks = case.splitter.split(DOCUMENT, ParsedFile("A", "text/plain", (*headings, Element("Some words. " * 100))))
    assert len(chunks) > 5
    assert chunks[-1].headings == tuple(heading.text for heading in headings)
    assert all(case.count(embedded_text(DOCUMENT, chunk)) <= 256 for chunk in chunks)


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize(
    "elements",
    [
        pytest.param((Element("Some words here, and more. " * 8_000),), id="one line"),
        pytest.param((Element("word\n" * 40_000),), id="short lines"),
        pytest.param((Element("A1b2" * 50_000),), id="one word"),
        pytest.param((Element("x = 1\n" * 30_000, ElementKind.CODE),), id="code"),
        pytest.param(tuple(Element(f"Item {i}.") for i in range(6_000)), id="tiny elements"),
        pytest.param(tuple(Element(f"Part {i}", ElementKind.TITLE) for i in range(6_000)), id="headings only"),
        pytest.param((Element("| a | b |\n| --- | --- |\n" + "| 1 | 2 |\n" * 10_000, ElementKind.TABLE),), id="table"),
    ],
)
def test_each_character_is_counted_a_few_times_however_long_the_document(
    strategy: Strategy, elements: tuple[Element, ...]
) -> None:
    tokens = WordTokens(lambda text: len(text) // 4 + 1)
    parsed = ParsedFile("A", "text/plain", elements)
    chunks = strategy(tokens, 180, 24).split(DOCUMENT, parsed)
    text = whole(parsed)
    assert not "".join(text[low:high] for low, high in gaps(chunks, len(text))).strip()
    assert tokens.counted < 8 * len(text)


def gaps(chunks: Sequence[Chunk], end: int) -> Iterator[tuple[int, int]]:
    reached = 0
    for chunk in chunks:
        yield reached, chunk.span[0]
        reached = chunk.span[1]
    yield reached, end
