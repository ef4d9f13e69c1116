"""A corpus becomes documents of a collection: cut, embedded once, and gone on with where it was broken off."""

import asyncio
from pathlib import Path

import pytest

from apps.evaluation.beir_dataset import Passage
from apps.evaluation.corpus_index import index_corpus, index_key
from contracts import Cutting
from tests.bench import Bench

PASSAGES = [Passage(f"d{number}", f"Title {number}", f"Text of number {number}.") for number in range(5)]


async def test_each_passage_is_a_document_under_its_own_id(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    done: list[int] = []
    indexed = await index_corpus(bench.indexing, PASSAGES, "evaluation", done.append)
    assert (indexed.documents, indexed.chunks, indexed.added) == (5, 5, 5)
    assert done == [0, 1, 2, 3, 4, 5]
    found = await bench.shelf.catalog.find("evaluation", "d3")
    assert found is not None
    assert (found.document.title, found.document.source) == ("Title 3", "d3")
    assert "Title 3\nText of number 3." in bench.embedded


async def test_a_second_time_nothing_is_embedded(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    await index_corpus(bench.indexing, PASSAGES[:3], "evaluation")
    bench.embedded.clear()
    indexed = await index_corpus(bench.open(), PASSAGES, "evaluation")
    assert (indexed.documents, indexed.added) == (5, 2)
    assert len(bench.embedded) == 2
    assert (await index_corpus(bench.open(), PASSAGES, "evaluation")).added == 0


async def test_what_was_broken_off_goes_on(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    many = [Passage(str(number), "", f"Passage {number} says {number * 7}.") for number in range(3000)]
    seen = asyncio.Event()
    work = asyncio.create_task(
        index_corpus(bench.indexing, many, "evaluation", lambda done: seen.set() if done > 400 else None)
    )
    await seen.wait()
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    indexed = await index_corpus(bench.open(), many, "evaluation")
    assert indexed.documents == 3000
    assert 0 < indexed.added < 3000


async def test_long_texts_and_equal_ones_and_titles_alone(tmp_path: Path) -> None:
    bench = Bench(tmp_path, cutting=Cutting(chunk_tokens=40))
    long = " ".join(f"Sentence {number} is here." for number in range(60))
    odd = [
        Passage("long", "Long", long),
        Passage("a", "", "Same."),
        Passage("b", "", "Same."),
        Passage("t", "Only", ""),
    ]
    indexed = await index_corpus(bench.indexing, odd, "evaluation")
    assert indexed.documents == 4
    assert indexed.chunks > 6
    assert [chunk.text for chunk in await bench.shelf.catalog.chunks("evaluation", "t")] == ["Only"]


async def test_the_key_changes_with_corpus_cutting_and_embedder(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    wider = bench.open(cutting=Cutting(chunk_tokens=50))
    keys = {index_key(bench.indexing, "one"), index_key(bench.indexing, "two"), index_key(wider, "one")}
    assert len(keys) == 3
    assert index_key(bench.open(), "one") in keys
