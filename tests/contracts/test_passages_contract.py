"""What searches ask of the catalog: collections that may be searched, documents that match filters, passages."""

from collections.abc import Sequence

import pytest

from contracts import Filter, InvalidInputError, NotFoundError, Readable
from tests.library import EMBEDDER, Shelf


async def ids(shelf: Shelf, *filters: Filter) -> frozenset[str] | None:
    return await shelf.passages.matching("default", filters)


async def readable(shelf: Shelf, name: str, scope: Sequence[str]) -> str:
    try:
        found = await shelf.passages.readable(name, scope)
    except NotFoundError as exc:
        return str(exc).replace(repr(name), "NAME")
    return f"generation {found.generation}"


async def test_a_collection_that_may_not_be_searched_is_like_one_that_is_not_there(shelf: Shelf) -> None:
    await shelf.put("a", "x", collection="closed")
    await shelf.collections.share("closed", ["alice", "staff"])
    await shelf.put("a", "x", collection="deleted")
    await shelf.collections.delete("deleted")
    await shelf.collections.ensure("empty", EMBEDDER.name, (await shelf.collections.list())[0].cutting)
    words = {await readable(shelf, name, ["*", "bob"]) for name in ("closed", "deleted", "empty", "never")}
    assert words == {
        "Collection NAME holds no documents yet, or does not exist. Add some: `footnote ingest PATH`, or upload."
    }
    assert await shelf.passages.readable("closed", ["*", "bob", "staff"]) == Readable(2, EMBEDDER.name)
    await shelf.collections.share("closed", ["*"])
    assert await readable(shelf, "closed", ["*", "bob"]) == "generation 3"


async def test_filters_ask_for_columns_and_metadata(shelf: Shelf) -> None:
    await shelf.put("docs/a.md", "x", year="1911", tags="trams, noise")
    await shelf.put("docs/old/b.md", "x", year="900", größe="7")
    await shelf.put("mail/c.eml", "x")
    await shelf.put("docs/d.md", "x", collection="other", year="1911")
    assert await ids(shelf) is None
    assert await ids(shelf, Filter("source", ("docs/a.md", "docs/d.md"))) == {"docs/a.md"}
    assert await ids(shelf, Filter("title", ("Mail/C.Eml",)), Filter("media_type", ("text/plain",))) == {"mail/c.eml"}
    assert await ids(shelf, Filter("tags", ("noise",))) == {"docs/a.md"}
    assert await ids(shelf, Filter("größe", at_least="6.5")) == {"docs/old/b.md"}
    assert await ids(shelf, Filter("year", above="900")) == {"docs/a.md"}
    assert await ids(shelf, Filter("source", glob="docs/**")) == {"docs/a.md", "docs/old/b.md"}
    assert await ids(shelf, Filter("source", glob="docs/*"), Filter("year", at_most="1911")) == {"docs/a.md"}
    assert await ids(shelf, Filter("source", ("docs/a.md",), glob="*.eml")) == frozenset()
    assert await shelf.passages.matching("nowhere", [Filter("id", ("a",))]) == frozenset()


@pytest.mark.parametrize("wanted", [Filter("year", ("1911",)), Filter("title", ("A", "B"), glob="?")])
async def test_what_matches_follows_changes_and_stays_the_same_set_without(shelf: Shelf, wanted: Filter) -> None:
    await shelf.put("a", "x", year="1911")
    before = await ids(shelf, wanted)
    assert before == {"a"}
    await shelf.put("c", "x", year="1912")
    assert await ids(shelf, wanted) is before
    await shelf.put("b", "x", year="1911")
    assert await ids(shelf, wanted) == {"a", "b"} and before == {"a"}
    await shelf.put("b", "x", readers=("alice",), year="1911")
    assert await ids(shelf, wanted) == {"a", "b"}
    await shelf.catalog.delete("default", ["a"])
    assert await ids(shelf, wanted) == {"b"}
    await shelf.collections.delete("default")
    assert await ids(shelf, wanted) == frozenset()
    await shelf.put("b", "x", year="1911")
    assert await ids(shelf, wanted) == {"b"}


async def test_two_orders_of_the_same_filters_are_one(shelf: Shelf) -> None:
    await shelf.put("a", "x", year="1911")
    one, other = Filter("year", ("1911",)), Filter("title", ("A",))
    assert await ids(shelf, one, other) is await ids(shelf, other, one)


async def test_a_filter_that_cannot_be_is_refused(shelf: Shelf) -> None:
    await shelf.put("a", "x")
    for wanted in (Filter("year"), Filter("", ("x",)), Filter("a\0", ("x",)), Filter("year", ("x\0",))):
        with pytest.raises(InvalidInputError, match="filter"):
            await ids(shelf, wanted)


async def test_neighbours_are_of_the_same_version(shelf: Shelf) -> None:
    await shelf.put("a", "1\n2\n3\n4\n5")
    await shelf.put("b", "6\n7")
    chunks = await shelf.catalog.chunks("default", "a")
    assert await shelf.passages.neighbours(chunks[2], 1) == chunks[1:4]
    assert await shelf.passages.neighbours(chunks[4], 2) == chunks[2:]
    assert await shelf.passages.neighbours(chunks[0], 0) == chunks[:1]
    await shelf.put("a", "one\ntwo")
    assert await shelf.passages.neighbours(chunks[2], 1) == chunks[1:4]
    await shelf.catalog.delete("default", ["a"])
    assert await shelf.passages.neighbours(chunks[2], 1) == ()
