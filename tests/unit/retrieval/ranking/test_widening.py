from dataclasses import replace

from apps.embedding_batches import heading_line
from contracts import Box, Chunk, Element, ElementKind, Hit, ParsedFile
from ingestion.splitting.structural_splitter import StructuralSplitter
from retrieval.ranking.widening import join, widen
from tests.unit.retrieval.ranking.hits import hit
from tests.word_tokens import WordTokens

TEXT = "One is first. Two is next. Three follows it. Four comes then. Five is the last."
CUTS = [(0, 13), (14, 26), (27, 44), (45, 61), (62, 79)]


def pieces(cuts: list[tuple[int, int]] = CUTS, text: str = TEXT) -> list[Hit]:
    return [hit(text[a:b], start=a, position=i) for i, (a, b) in enumerate(cuts)]


def words(text: str) -> int:
    return len(text.split())


async def widened(found: list[Hit], everything: list[Hit], budget: int) -> list[Hit]:
    async def neighbours(chunk: Chunk, reach: int) -> tuple[Chunk, ...]:
        near = (one.chunk for one in everything if one.chunk.document_id == chunk.document_id)
        return tuple(one for one in near if abs(one.position - chunk.position) <= reach)

    return await widen(found, neighbours, budget, words)


async def test_a_hit_grows_on_both_sides_to_its_budget_and_keeps_its_id() -> None:
    everything = pieces()
    (one,) = await widened([everything[2]], everything, 9)
    assert one.chunk.text == "Two is next. Three follows it. Four comes then."
    assert one.chunk.text == TEXT[slice(*one.chunk.span)]
    assert (one.chunk.id, one.expanded_from, one.score) == ("d1.2", (27, 44), 1.0)
    (one,) = await widened([everything[2]], everything, 6)
    assert one.chunk.text == "Three follows it. Four comes then."


async def test_a_hit_that_fills_the_budget_stays_as_it_was() -> None:
    everything = pieces()
    assert await widened([everything[2]], everything, 4) == [everything[2]]
    assert await widened([everything[2]], everything, 0) == [everything[2]]
    assert await widened([], everything, 100) == []


async def test_text_that_chunks_share_is_not_repeated() -> None:
    everything = pieces([(0, 26), (14, 44), (27, 61), (45, 79)])
    (one,) = await widened([everything[1]], everything, 100)
    assert one.chunk.text == TEXT
    assert one.chunk.span == (0, 79)


async def test_hits_that_touch_become_the_best_of_them() -> None:
    everything = pieces()
    found = [replace(everything[3], score=0.9), replace(everything[0], score=0.5), replace(everything[2], score=0.4)]
    (one,) = await widened(found, everything, 100)
    assert (one.chunk.id, one.score, one.expanded_from, one.chunk.text) == ("d1.3", 0.9, (45, 61), TEXT)
    apart = await widened([everything[0], everything[3]], everything, 3)
    assert [other.chunk.id for other in apart] == ["d1.0", "d1.3"]


async def test_pages_headings_and_documents_are_not_mixed() -> None:
    everything = pieces()
    for other in (
        replace(everything[1].chunk, page=2),
        replace(everything[1].chunk, headings=("Other",)),
        replace(everything[1].chunk, hidden=True),
        replace(everything[1].chunk, flags=("prompt_injection",)),
        replace(everything[1].chunk, version="v2"),
    ):
        around = [everything[0], replace(everything[1], chunk=other), everything[2]]
        assert await widened([everything[0]], around, 100) == [everything[0]]
    foreign = hit(TEXT[14:26], start=14, position=1, document="d2")
    assert len(await widened([everything[0], foreign], [everything[0], foreign], 100)) == 2


def test_what_is_not_the_document_s_own_text_is_not_joined() -> None:
    first, second, third = (one.chunk for one in pieces()[:3])
    assert join(first, third) is None  # something lies between
    assert join(first, replace(second, text="| head |\n" + second.text)) is None  # says more than its span
    assert join(first, replace(second, span=(10, 22))) is None  # overlaps, but says something else


def test_the_union_has_the_boxes_of_both_and_gaps_of_white_space() -> None:
    top, bottom = Box(1, 0, 0, 1, 0.5), Box(1, 0, 0.5, 1, 1)
    first = hit("Above.", page=1, boxes=(top,)).chunk
    second = hit("Below.", start=8, position=1, page=1, boxes=(bottom, top)).chunk
    union = join(second, first)
    assert union is not None
    assert (union.text, union.span, union.boxes) == ("Above.\n\nBelow.", (0, 14), (top, bottom))
    assert join(first, replace(first, text="e.", span=(4, 6))) == first  # a part adds nothing


async def test_chunks_of_the_splitter_come_together_as_the_document_says_it() -> None:
    elements = [Element("Fares", ElementKind.TITLE)]
    for part in range(8):
        elements.append(Element(" ".join(f"Line {part}.{n} costs {n} euros on weekdays." for n in range(12))))
    text = "\n\n".join(element.text for element in elements)
    document = hit(text).document
    chunks = StructuralSplitter(WordTokens(), heading_line, chunk_tokens=40, overlap_tokens=8).split(
        document, ParsedFile("Fares", "text/plain", tuple(elements))
    )
    found = [Hit(chunk, document, 1.0) for chunk in chunks]
    assert len(found) > 10
    (one,) = await widened([found[5]], found, 160)
    assert one.chunk.text == text[slice(*one.chunk.span)]
    assert 120 < words(one.chunk.text) <= 160
    assert one.chunk.text.find(found[5].chunk.text) > 0
    (whole,) = await widened(found, found, 41)
    assert whole.chunk.text == text[slice(*whole.chunk.span)]
    assert len(whole.chunk.text) > 0.9 * len(text)
