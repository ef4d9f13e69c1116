"""How the strategies beside the structural one cut: by tokens, into sentences in their windows, into children in their
parents."""

from __future__ import annotations

import itertools

from apps.embedding_batches import heading_line
from contracts import Chunk, Document, Element, ElementKind, ParsedFile
from ingestion.parsing.markdown_tables import markdown_table
from ingestion.splitting.fixed_splitter import FixedSplitter
from ingestion.splitting.parent_child_splitter import ParentChildSplitter
from ingestion.splitting.sentence_window_splitter import SentenceWindowSplitter
from tests.word_tokens import WordTokens, words

DOCUMENT = Document(
    id="d", collection="default", version="v1", source="a.txt", title="A", media_type="text/plain", size=1
)
TITLE, TEXT, TABLE, LIST, CODE = (
    ElementKind.TITLE,
    ElementKind.TEXT,
    ElementKind.TABLE,
    ElementKind.LIST,
    ElementKind.CODE,
)
SENTENCES = [f"This is the sentence that has the number {i}." for i in range(12)]
PRICES = markdown_table([["Item", "Price"], *([f"lamp{i}", str(i)] for i in range(12))])


def fixed(*elements: Element, size: int = 20, overlap: int = 0) -> tuple[Chunk, ...]:
    splitter = FixedSplitter(WordTokens(), heading_line, chunk_tokens=size, overlap_tokens=overlap)
    return splitter.split(DOCUMENT, ParsedFile("A", "text/plain", elements))


def windows(*elements: Element, size: int = 40) -> tuple[Chunk, ...]:
    splitter = SentenceWindowSplitter(WordTokens(), heading_line, chunk_tokens=size)
    return splitter.split(DOCUMENT, ParsedFile("A", "text/plain", elements))


def families(*elements: Element, size: int = 40) -> tuple[Chunk, ...]:
    splitter = ParentChildSplitter(WordTokens(), heading_line, chunk_tokens=size, overlap_tokens=0)
    return splitter.split(DOCUMENT, ParsedFile("A", "text/plain", elements))


def test_fixed_chunks_are_full_whatever_stands_in_them() -> None:
    chunks = fixed(
        Element("Sales", TITLE), Element("one two three. " * 10), Element("Costs", TITLE), Element("four " * 9)
    )
    assert [words(chunk.text) for chunk in chunks] == [20, 20, 1]
    assert chunks[1].text.endswith("Costs\n\nfour four four four four four four four")
    assert chunks[1].headings == ()


def test_fixed_chunks_share_their_overlap() -> None:
    chunks = fixed(Element(" ".join(map(str, range(60)))), overlap=5)
    assert all(before.text.split()[-5:] == after.text.split()[:5] for before, after in itertools.pairwise(chunks))


def test_fixed_chunks_keep_pages_and_hidden_text_apart() -> None:
    chunks = fixed(
        Element("a b", page=1), Element("c", page=1, hidden=True), Element("d", page=1), Element("e", page=2)
    )
    assert [(chunk.text, chunk.page, chunk.hidden) for chunk in chunks] == [
        ("a b", 1, False),
        ("c", 1, True),
        ("d", 1, False),
        ("e", 2, False),
    ]


def test_a_sentence_stands_for_the_window_around_it() -> None:
    chunks = windows(Element(" ".join(SENTENCES)))
    assert [chunk.focus for chunk in chunks] == SENTENCES
    assert chunks[5].text == " ".join(SENTENCES[3:7])
    assert chunks[0].text == " ".join(SENTENCES[:4])
    assert chunks[-1].text == " ".join(SENTENCES[-4:])


def test_windows_end_with_their_section_and_page() -> None:
    chunks = windows(
        Element("Sales", TITLE),
        Element(SENTENCES[0]),
        Element("Costs", TITLE),
        Element(SENTENCES[1]),
        Element(SENTENCES[2], page=2),
    )
    assert [chunk.text for chunk in chunks] == [f"Sales\n\n{SENTENCES[0]}", f"Costs\n\n{SENTENCES[1]}", SENTENCES[2]]
    assert [chunk.focus for chunk in chunks] == ["", "", ""]
    assert [chunk.headings for chunk in chunks] == [("Sales",), ("Costs",), ("Costs",)]


def test_abbreviations_end_no_sentence_and_short_ones_go_with_the_next() -> None:
    text = "Yes. Dr. Weber, e.g. in Fig. 3, says that the hut has 3.5 beds. " + SENTENCES[0]
    assert [chunk.focus for chunk in windows(Element(text))] == [text.removesuffix(f" {SENTENCES[0]}"), SENTENCES[0]]


def test_a_row_stands_for_its_neighbours_under_the_header_of_its_table() -> None:
    chunks = windows(Element(PRICES, TABLE))
    header = "| Item | Price |\n| --- | --- |\n"
    assert [chunk.focus for chunk in chunks] == [f"{header}| lamp{i} | {i} |" for i in range(12)]
    assert chunks[6].text.startswith(header)
    assert {"| lamp5 | 5 |", "| lamp6 | 6 |", "| lamp7 | 7 |"} <= set(chunks[6].text.splitlines())


def test_list_items_and_code_are_whole_in_the_index() -> None:
    code = "def f():\n    return 1\n\n\nf()"
    chunks = windows(Element("- One. And more.", LIST), Element("- Two.", LIST), Element(code, CODE))
    assert [chunk.focus for chunk in chunks] == ["- One. And more.", "- Two.", code]


def test_children_stand_for_their_parent() -> None:
    chunks = families(*(Element(sentence) for sentence in SENTENCES))
    assert [chunk.focus for chunk in chunks] == SENTENCES
    assert [words(chunk.text) for chunk in chunks] == [54] * 6 + [54] * 6
    assert chunks[0].text == "\n\n".join(SENTENCES[:6])
    assert len({chunk.span for chunk in chunks}) == 2
    assert len({chunk.id for chunk in chunks}) == 12


def test_children_of_a_table_that_is_cut_have_its_header() -> None:
    table = markdown_table([["Item", "Price"], *([f"lamp{i}", str(i)] for i in range(30))])
    chunks = families(Element("Prices", TITLE), Element(table, TABLE), size=100)
    header = "| Item | Price |\n| --- | --- |\n"
    assert len({chunk.span for chunk in chunks}) > 1
    assert all(header in (chunk.focus or chunk.text) and header in chunk.text for chunk in chunks)
    assert all(set(chunk.focus.splitlines()) <= set(chunk.text.splitlines()) for chunk in chunks)


def test_a_child_is_under_its_own_headings() -> None:
    chunks = families(
        Element("Hours", TITLE, level=1),
        Element("Monday", TITLE, level=2),
        Element("Open from nine to five."),
        Element("Sunday", TITLE, level=2),
        Element("Closed the whole day, in winter too."),
    )
    assert [chunk.headings for chunk in chunks] == [("Hours", "Monday"), ("Hours", "Sunday")]
    assert chunks[0].text == chunks[1].text


def test_a_small_document_is_its_own_child() -> None:
    (chunk,) = families(Element("One."))
    assert (chunk.text, chunk.focus) == ("One.", "")
