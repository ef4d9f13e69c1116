"""Sparse indexes: Tantivy and the plain one find the same, and follow the catalog."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts import PUBLIC, Selection, SparseIndex
from retrieval.sparse.scanning_index import ScanningIndex
from retrieval.sparse.tantivy_index import TantivyIndex
from tests.feeds import MemoryFeed

EVERYONE = Selection((PUBLIC,))


@pytest.fixture
def feed() -> MemoryFeed:
    return MemoryFeed()


@pytest.fixture(params=["tantivy", "tantivy in memory", "scanning"])
def index(request: pytest.FixtureRequest, feed: MemoryFeed, tmp_path: Path) -> SparseIndex:
    if request.param == "scanning":
        return ScanningIndex(feed, "default")
    return TantivyIndex(feed, "default", folder=tmp_path if request.param == "tantivy" else None, catalog="c")


async def found(index: SparseIndex, text: str, k: int = 10, selection: Selection = EVERYONE) -> list[int]:
    await index.refresh()
    hits = await index.search(text, k, selection)
    assert [score for _, score in hits] == sorted((score for _, score in hits), reverse=True)
    assert all(score > 0 for _, score in hits)
    return [key for key, _ in hits]


def put(feed: MemoryFeed, texts: Sequence[str]) -> list[int]:
    """Store each text as a document of its own and return the keys."""
    return [feed.put(f"d{n}", texts=[text])[0] for n, text in enumerate(texts)]


async def test_the_best_come_first(feed: MemoryFeed, index: SparseIndex) -> None:
    tram, museum, ticket = put(feed, ["the tram stops here", "the museum opens in May", "a museum ticket for May"])
    assert await found(index, "when does the museum open") == [museum, ticket]
    assert await found(index, "tram") == [tram]
    assert await found(index, "museum", k=1) == [museum]
    assert await found(index, "museum", k=0) == []


async def test_an_empty_collection_has_no_hits(index: SparseIndex) -> None:
    assert await index.search("anything", 3, EVERYONE) == ()
    assert await found(index, "anything") == []
    assert index.generation == 0


async def test_a_text_without_a_word_that_counts_finds_nothing(feed: MemoryFeed, index: SparseIndex) -> None:
    put(feed, ["the one and only", "??? !!! ..."])
    for text in ("", " ", "?!", "the", "what is the", '""', '"?"'):
        assert await found(index, text) == []


async def test_titles_and_headings_are_found_too(feed: MemoryFeed, index: SparseIndex) -> None:
    (titled,) = feed.put("a", texts=["opens at nine"], title="The harbour")
    (headed,) = feed.put("b", texts=["closes at ten"], headings=("Prices", "Lighthouses of the coast"))
    (both,) = feed.put("c", texts=["a lighthouse in the harbour"])
    assert set(await found(index, "harbours")) == {titled, both}
    assert set(await found(index, "lighthouse")) == {headed, both}
    assert await found(index, '"lighthouses of the coast"') == [headed]
    assert await found(index, '"prices lighthouses"') == []  # parts of two headings


async def test_a_word_in_the_title_adds_to_the_same_word_in_the_text(feed: MemoryFeed, index: SparseIndex) -> None:
    (plain,) = feed.put("a", texts=["the pump is loud"], title="Notes")
    (both,) = feed.put("b", texts=["the pump is loud"], title="Pumps")
    assert await found(index, "pump") == [both, plain]


async def test_quoted_words_must_occur_as_they_are(feed: MemoryFeed, index: SparseIndex) -> None:
    put(feed, ["to open the gate is easy", "open gates", "the gate is open", "not to be opened, or to be"])
    first, gates, last, be = 1, 2, 3, 4
    assert set(await found(index, "open gate")) == {first, gates, last, be}
    assert await found(index, '"the gate is open"') == [last]
    assert await found(index, "“The Gate is OPEN”") == [last]
    assert await found(index, '"gates" open') == [gates]
    assert await found(index, '"or to be"') == [be]  # nothing but stop words
    assert await found(index, '"open gates" "the gate"') == []
    assert set(await found(index, 'open "gate')) == {first, gates, last, be}  # unbalanced


@pytest.mark.parametrize(
    ("text", "queries"),
    [
        ("Error ERR-1042 was raised", ["ERR-1042", "err 1042", "ERR1042", "1042", "err_1042", '"ERR-1042"']),
        ("see RFC 9457 for details", ["RFC 9457", "RFC9457", "rfc-9457", '"RFC 9457"']),
        ("see RFC9457 for details", ["RFC 9457", "RFC9457", "9457"]),
        ("version 3.14 is out", ["3.14", '"3.14"', "v3.14"]),
        ("version v2.7.1 is out", ["2.7.1", "v2.7.1"]),
        ("it cost 1,250,000 euros", ["1250000", "1.250.000", "1,250,000"]),
        ("written in C++ and C#", ["C++", "c#", '"C++"']),
        ("call foo_bar(x) first", ["foo_bar", "foo", "bar", "fooBar", '"foo_bar"']),
        ("mail to a.b@c.de today", ["a.b@c.de", '"a.b@c.de"']),
        ("mail to anna.berg@example.org today", ["anna.berg@example.org", "berg", "example.org"]),
        ("an e-mail arrived", ["email", "e-mail"]),
        ("the U.S.A. and others", ["USA", "u.s.a."]),
        ("Müller went to Łódź", ["muller", "lodz", "MÜLLER", "Mu\u0308ller"]),
        ("the ﬁrst ＣＯＤＥ", ["first", "code"]),
        ("die Straße", ["strasse", "STRASSE"]),
    ],
)
async def test_codes_names_and_numbers_are_found_as_wholes_and_by_parts(
    feed: MemoryFeed, index: SparseIndex, text: str, queries: list[str]
) -> None:
    _, key, _ = put(feed, ["nothing of that kind", text, "something else"])
    for query in queries:
        assert await found(index, query) == [key], query


async def test_a_whole_code_counts_more_than_its_parts(feed: MemoryFeed, index: SparseIndex) -> None:
    put(feed, ["code ERR-1043 and 1042 and ERR", "code ERR-1042 and 1043 and ERR", "code ERR-1044, 1042, err"])
    assert (await found(index, "what does ERR-1042 mean"))[0] == 2


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("The engines were running for hours", "engine run"),
        ("Die Häuser der Städte wurden verkauft", "Haus verkaufen"),
        ("Las canciones fueron escritas en la ciudad", "canción ciudades"),
        ("Les chevaux mangent dans les prairies vertes", "prairie verte"),
        ("Маленькие дома стояли в городах России", "дом в городе"),
    ],
)
async def test_words_are_found_in_other_forms(feed: MemoryFeed, index: SparseIndex, text: str, query: str) -> None:
    assert await found(index, query) == []
    _, key = put(feed, ["0815 xyz", text])
    assert await found(index, query) == [key]


@pytest.mark.parametrize(
    ("text", "others", "query"),
    [
        ("我住在北京大学附近", "东京的天气很好", "北京大学"),
        ("我住在北京大学附近", "东京的天气很好", '"京大"'),
        ("東京都の天気は晴れです", "京都にはお寺が多い", "東京"),
        ("서울에서는 비가 옵니다", "부산은 맑습니다", "서울"),
        ("ฉันชอบกินข้าวผัด", "วันนี้อากาศดี", "ข้าวผัด"),
        ("猫が好き", "犬が来た", "猫"),
    ],
)
async def test_text_without_spaces_is_found(
    feed: MemoryFeed, index: SparseIndex, text: str, others: str, query: str
) -> None:
    key, other = put(feed, [text, others])
    assert (await found(index, query))[0] == key
    assert other not in await found(index, f'"{text[:4]}"')


async def test_languages_do_not_hide_one_another(feed: MemoryFeed, index: SparseIndex) -> None:
    english, german = put(
        feed,
        [
            "The nations of Europe have signed agreements about the fishing grounds in the north",
            "Die Nationen haben in Berlin die Vereinbarungen über die Fischerei im Norden unterschrieben",
        ],
    )
    assert await found(index, "agreement") == [english]
    assert await found(index, "Vereinbarung") == [german]
    assert set(await found(index, "nation")) == {english, german}
    assert await found(index, "who signed the agreement") == [english]


async def test_only_readable_documents_are_found(feed: MemoryFeed, index: SparseIndex) -> None:
    (public,) = feed.put("a", texts=["red apple"])
    (alices,) = feed.put("b", texts=["red apple pie"], readers=("alice", "staff"))
    (bobs,) = feed.put("c", texts=["red apple cake"], readers=("bob",))
    (nobodys,) = feed.put("d", texts=["red apple juice"], readers=())
    for scope, keys in {
        (PUBLIC,): {public},
        (PUBLIC, "alice"): {public, alices},
        ("staff",): {alices},
        ("bob", "staff", PUBLIC): {public, alices, bobs},
        (): set(),
        ("Alice",): set(),
        ("limited",): set(),
    }.items():
        for query in ("apple", '"red apple"'):
            assert set(await found(index, query, selection=Selection(scope))) == keys
    assert nobodys not in await found(index, "juice", selection=Selection((PUBLIC, "alice", "bob", "staff")))


async def test_changed_readers_count_at_once(feed: MemoryFeed, index: SparseIndex) -> None:
    (key,) = feed.put("a", texts=["red apple"])
    assert await found(index, "apple") == [key]
    feed.share("a", "alice")
    assert await found(index, "apple") == []
    assert await found(index, "apple", selection=Selection(("alice", PUBLIC))) == [key]
    feed.share("a", PUBLIC)
    assert await found(index, "apple") == [key]


async def test_only_the_named_documents_are_found(feed: MemoryFeed, index: SparseIndex) -> None:
    first, second, third = put(feed, ["red apple", "red apple pie", "red apple tart"])
    for names, keys in (({"d1"}, [second]), (set(), []), ({"x"}, []), ({"d0", "d2", "x"}, [first, third])):
        assert await found(index, "apple", selection=Selection((PUBLIC,), frozenset(names))) == keys
    many = frozenset({"d2", *(f"x{n}" for n in range(6000))})
    assert await found(index, "apple", selection=Selection((PUBLIC,), many)) == [third]
    assert await found(index, "apple", selection=Selection(("alice",), frozenset({"d1"}))) == []
    assert await found(index, "apple", selection=Selection(("alice",), many)) == []


async def test_a_large_set_of_documents_is_searched_to_the_end(feed: MemoryFeed, index: SparseIndex) -> None:
    keys = put(feed, ["apple " * (60 - n) + "pear " * n for n in range(60)])
    last = frozenset({*(f"d{n}" for n in range(50, 60)), *(f"x{n}" for n in range(6000))})
    assert await found(index, "apple", k=3, selection=Selection((PUBLIC,), last)) == keys[50:53]
    assert await found(index, "apple", k=100, selection=Selection((PUBLIC,), last)) == keys[50:]


async def test_changes_and_deletions_are_followed(feed: MemoryFeed, index: SparseIndex) -> None:
    feed.put("a", texts=["red", "green"])
    assert await found(index, "red green") == [1, 2]
    feed.put("a", texts=["blue"])
    assert await found(index, "red green") == []
    assert await found(index, "blue") == [3]
    feed.delete("a")
    assert await found(index, "blue") == []
    assert index.generation == 3


async def test_many_documents_are_followed(feed: MemoryFeed, index: SparseIndex) -> None:
    put(feed, [f"number {n} of many" for n in range(1500)])
    assert await found(index, "1234") == [1235]
    for n in range(1400):
        feed.delete(f"d{n}")
    assert await found(index, "1234") == []
    assert len(await found(index, "number", k=2000)) == 100


WILD = [
    '"',
    '""',
    '"a',
    'a"b"',
    "a:b",
    "title:x",
    "+a -b",
    "a AND",
    "(",
    ")",
    "[a TO b]",
    "*",
    "a*",
    "?",
    "\\",
    "/a/",
    "^2",
]


@pytest.mark.parametrize(
    "text", [*WILD, "~", "\x00", "\ud800", "𝔘𝔫𝔦", "🙂", "a" * 100_000, "a b " * 10_000, '"' * 99, "İ", "»«"]
)
async def test_nothing_that_is_typed_is_an_error(feed: MemoryFeed, index: SparseIndex, text: str) -> None:
    put(feed, ["a b x", text])
    await found(index, text)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=60), st.text(max_size=60))
async def test_any_text_can_be_indexed_and_asked_for(
    feed: MemoryFeed, index: SparseIndex, text: str, query: str
) -> None:
    (key,) = feed.put("a", texts=[text], title=query[:5])
    await found(index, query)
    letters = "".join(char for char in text if char.isalnum())
    if letters.isascii() and len(letters) == len(text) > 0:
        assert await found(index, f'"{text}"') == [key]


words = st.lists(
    st.sampled_from(["red", "green", "blue", "apple", "pears", "ERR-10", "東京都", "running"]), max_size=5
).map(" ".join)
names = st.sampled_from(["a", "b", "c", "d"])
readers = st.sampled_from([(PUBLIC,), ("alice",), ("bob", "staff"), ()])
deeds = st.lists(
    st.one_of(
        st.tuples(st.just("put"), names, st.lists(words, max_size=3), words, readers),
        st.tuples(st.just("delete"), names),
        st.tuples(st.just("share"), names, readers),
        st.tuples(st.just("refresh")),
        st.tuples(st.just("reopen")),
    ),
    max_size=12,
)
questions = st.tuples(
    words, st.booleans(), st.sampled_from([(PUBLIC,), ("alice",), (PUBLIC, "staff")]), st.none() | st.frozensets(names)
)


@settings(max_examples=30, deadline=None)
@given(deeds, st.lists(questions, min_size=1, max_size=4))
async def test_tantivy_sees_what_the_plain_one_sees(
    tmp_path_factory: pytest.TempPathFactory, done: list[tuple], asked: list[tuple]
) -> None:
    feed, folder = MemoryFeed(), tmp_path_factory.mktemp("index")
    one, other = TantivyIndex(feed, "default", folder=folder), ScanningIndex(feed, "default")
    there: set[str] = set()
    for deed in done:
        if deed[0] == "put":
            feed.put(deed[1], texts=deed[2], title=deed[3], readers=deed[4])
            there.add(deed[1])
        elif deed[0] == "delete":
            feed.delete(deed[1])
            there.discard(deed[1])
        elif deed[0] == "share" and deed[1] in there:
            feed.share(deed[1], *deed[2])
        elif deed[0] == "refresh":
            await one.refresh()
        elif deed[0] == "reopen":
            one = TantivyIndex(feed, "default", folder=folder)
    assert await one.refresh() == await other.refresh()
    for text, quoted, scope, documents in asked:
        query, selection = f'"{text}"' if quoted else text, Selection(scope, documents)
        mine, theirs = await one.search(query, 20, selection), await other.search(query, 20, selection)
        assert {key for key, _ in mine} == {key for key, _ in theirs}
