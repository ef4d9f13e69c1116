"""Conversations: what is remembered, summarised, listed and forgotten, on every database."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from apps.database import open_database
from contracts import ConversationSummary, Memory, Message, NotFoundError, Remembered, Role
from retrieval.conversation_window import Said, approximate_tokens, shortened, size_of, window
from retrieval.questions.rule_summariser import RuleSummariser
from retrieval.sql_conversation_list import SqlConversations
from retrieval.sql_memory import SqlMemory


def words(content: str) -> int:
    return len(content.split())


def turn(number: int, size: int = 5) -> list[Message]:
    """Return a question and an answer of `size` words each."""
    filling = " x" * (size - 1)
    return [Message("user", f"q{number}{filling}"), Message("assistant", f"a{number}{filling}")]


class Folding:
    """Port `Summariser`: the first words of all that it is given, and `meanwhile` happens while it works."""

    def __init__(self) -> None:
        self.calls: list[list[str]] = []
        self.meanwhile = self.nothing

    async def nothing(self) -> None:
        pass

    async def summarise(self, summary: str, messages: Sequence[Message]) -> str:
        heads = [message.content.split()[0] for message in messages]
        self.calls.append(heads)
        await self.meanwhile()
        return " ".join([summary, *heads]).strip()


class Desk:
    """Memory and list on one database."""

    def __init__(self, database: str) -> None:
        self.engine = open_database(database)
        self.folding = Folding()
        self.memory = SqlMemory(self.engine, words, self.folding)
        self.list = SqlConversations(self.engine)

    async def tell(self, numbers: Sequence[int], size: int = 5, name: str = "c", principal: str = "alice") -> None:
        for number in numbers:
            await self.memory.append(name, principal, turn(number, size))

    async def heads(self, budget: int) -> list[str]:
        """Return the first word of each message recalled."""
        return [each.content.split()[0] for each in (await self.memory.recall("c", "alice", budget)).messages]


@pytest.fixture
def desk(database: str) -> Iterator[Desk]:
    desk = Desk(database)
    yield desk
    desk.engine.dispose()


async def test_a_new_conversation_holds_nothing(desk: Desk) -> None:
    assert await desk.memory.recall("c", "alice", 100) == Remembered()
    await desk.memory.summarise("c", "alice", 100)
    await desk.memory.append("c", "alice", [])
    assert await desk.list.list("alice") == ()


async def test_the_last_whole_turns_within_the_budget_are_recalled_oldest_first(desk: Desk) -> None:
    await desk.tell(range(5))
    assert await desk.heads(100) == ["q0", "a0", "q1", "a1", "q2", "a2", "q3", "a3", "q4", "a4"]
    assert await desk.heads(30) == ["q2", "a2", "q3", "a3", "q4", "a4"]
    assert await desk.heads(29) == ["q3", "a3", "q4", "a4"]
    assert await desk.heads(10) == ["q4", "a4"]
    assert await desk.heads(0) == []
    assert (await desk.memory.recall("c", "alice", 10)).messages == tuple(turn(4))


async def test_a_message_that_is_too_long_is_shortened(desk: Desk) -> None:
    pasted = " ".join(f"w{n}" for n in range(1000))
    await desk.memory.append("c", "alice", [Message("user", f"{pasted} What is it?"), Message("assistant", "A list.")])
    asked, answered = (await desk.memory.recall("c", "alice", 40)).messages
    assert asked.content.startswith("w0 w1 w2") and asked.content.endswith("What is it?")
    assert 10 <= words(asked.content) <= 20
    assert answered.content == "A list."
    await desk.tell([1])
    assert await desk.heads(40) == ["w0", "A", "q1", "a1"]  # nor does it crowd out what comes after it


async def test_what_no_longer_fits_is_summarised_once_and_half_of_the_budget_is_free_again(desk: Desk) -> None:
    await desk.tell(range(4))
    await desk.memory.summarise("c", "alice", 40)
    assert desk.folding.calls == []
    await desk.tell([4])
    assert (await desk.memory.recall("c", "alice", 40)).summary == ""
    await desk.memory.summarise("c", "alice", 40)
    await desk.memory.summarise("c", "alice", 40)
    assert desk.folding.calls == [["q0", "a0", "q1", "a1", "q2", "a2"]]
    assert (await desk.memory.recall("c", "alice", 40)).summary == "q0 a0 q1 a1 q2 a2"
    await desk.tell([5, 6])
    await desk.memory.summarise("c", "alice", 40)
    assert len(desk.folding.calls) == 1
    await desk.tell([7])
    await desk.memory.summarise("c", "alice", 40)
    assert desk.folding.calls[1:] == [["q3", "a3", "q4", "a4", "q5", "a5"]]
    assert (await desk.memory.recall("c", "alice", 40)).summary == "q0 a0 q1 a1 q2 a2 q3 a3 q4 a4 q5 a5"
    assert await desk.heads(40) == ["q4", "a4", "q5", "a5", "q6", "a6", "q7", "a7"]


async def test_without_a_budget_all_is_in_the_summary(desk: Desk) -> None:
    await desk.tell([0])
    await desk.memory.summarise("c", "alice", 0)
    assert await desk.memory.recall("c", "alice", 0) == Remembered((), "q0 a0")


async def test_the_last_turn_stays_however_long_it_is(desk: Desk) -> None:
    await desk.tell([0], size=100)
    await desk.memory.summarise("c", "alice", 20)
    assert desk.folding.calls == []
    await desk.tell([1], size=100)
    await desk.memory.summarise("c", "alice", 20)
    assert desk.folding.calls == [["q0", "a0"]]


async def test_who_is_slower_to_summarise_gives_way(desk: Desk) -> None:
    await desk.tell(range(5))
    faster = SqlMemory(desk.engine, words, RuleSummariser())
    desk.folding.meanwhile = lambda: faster.summarise("c", "alice", 40)
    await desk.memory.summarise("c", "alice", 40)
    assert len(desk.folding.calls) == 1
    summary = (await desk.memory.recall("c", "alice", 40)).summary
    assert [line.split()[1] for line in summary.splitlines()] == ["q0", "q1", "q2"]


async def test_what_was_said_while_it_was_summarised_is_not_lost(desk: Desk) -> None:
    await desk.tell(range(5))
    desk.folding.meanwhile = lambda: desk.tell([5, 6, 7])
    await desk.memory.summarise("c", "alice", 40)
    desk.folding.meanwhile = desk.folding.nothing
    await desk.memory.summarise("c", "alice", 40)
    assert [head for call in desk.folding.calls for head in call] == [f"{w}{n}" for n in range(6) for w in "qa"]


async def test_a_summary_never_reaches_the_next_conversation_of_that_name(desk: Desk) -> None:
    async def start_anew() -> None:
        await desk.list.forget("c", "alice")
        await desk.tell([9])

    await desk.tell(range(5))
    desk.folding.meanwhile = start_anew
    await desk.memory.summarise("c", "alice", 40)
    assert await desk.memory.recall("c", "alice", 40) == Remembered(tuple(turn(9)))


async def test_a_conversation_of_another_is_as_one_that_is_not_there(desk: Desk) -> None:
    await desk.tell([1])
    calls: list[Callable[[str], Awaitable[object]]] = [
        lambda name: desk.memory.recall(name, "bob", 100),
        lambda name: desk.memory.append(name, "bob", turn(2)),
        lambda name: desk.memory.summarise(name, "bob", 0),
        lambda name: desk.list.read(name, "bob"),
        lambda name: desk.list.rename(name, "bob", "mine"),
        lambda name: desk.list.forget(name, "bob"),
        lambda name: desk.list.list("bob", after=name),
    ]
    for call in calls:
        with pytest.raises(NotFoundError, match=r"^No conversation 'c'\.$"):
            await call("c")
    for call in calls[3:]:
        with pytest.raises(NotFoundError, match=r"^No conversation 'nothing'\.$"):
            await call("nothing")
    assert await desk.list.list("bob") == ()
    assert await desk.list.list("bob", query="q1") == ()
    summary, said = await desk.list.read("c", "alice")
    assert (summary.title, list(said)) == ("q1 x x x x", turn(1))


async def test_it_is_listed_with_its_first_question_until_it_is_renamed(desk: Desk) -> None:
    long = (
        "  When does the\nmuseum\topen\u0007 on the Sunday before the holiday, and what does it cost for the two of us?"
    )
    await desk.memory.append("c", "alice", [Message("user", long), Message("assistant", "At nine.")])
    await desk.tell([1])
    (found,) = await desk.list.list("alice")
    assert found.title == "When does the museum open on the Sunday before the holiday, and what does it…"
    assert len(found.title) <= 80
    assert (found.id, found.messages) == ("c", 4)
    assert 0 < found.created_at < found.updated_at
    await desk.list.rename("c", "alice", "  Our\nvisit ")
    await desk.tell([2])
    renamed, said = await desk.list.read("c", "alice")
    assert (renamed.title, renamed.messages, len(said)) == ("Our visit", 6, 6)


async def test_an_endless_word_is_a_title_too(desk: Desk) -> None:
    await desk.memory.append("c", "alice", [Message("user", "漢" * 300)])
    assert [found.title for found in await desk.list.list("alice")] == ["漢" * 79 + "…"]


async def test_the_last_used_come_first_and_pages_meet(desk: Desk) -> None:
    names = ["a", "b", "c", "d", "e"]
    for name in names:
        await desk.tell([1], name=name)
    await desk.tell([1], name="of bob", principal="bob")
    await desk.tell([2], name="b")
    with desk.engine.begin() as connection:  # used at the very same time
        connection.execute(text("UPDATE conversations SET updated_at = 7 WHERE id IN ('a', 'c', 'd', 'e')"))
    assert [found.id for found in await desk.list.list("alice")] == ["b", "e", "d", "c", "a"]
    pages, after = [], ""
    while page := await desk.list.list("alice", limit=2, after=after):
        pages.append([found.id for found in page])
        after = page[-1].id
    assert pages == [["b", "e"], ["d", "c"], ["a"]]


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("TRAM", ["title", "said"]),
        ("  tram", ["title", "said"]),
        ("100%", ["percent"]),
        ("%", ["percent"]),
        ("_", []),
        ("/", []),
        ("\\", []),
        ("", ["title", "percent", "said"]),
        ("nowhere", []),
    ],
)
async def test_a_query_finds_what_is_said_or_titled_so(desk: Desk, query: str, ids: list[str]) -> None:
    for name, said in (("said", "The tram runs."), ("percent", "Of them 100% do."), ("title", "It runs.")):
        await desk.memory.append(name, "alice", [Message("user", "Well?"), Message("assistant", said)])
    await desk.list.rename("title", "alice", "Trams")
    assert [found.id for found in await desk.list.list("alice", query=query)] == ids


async def test_a_query_knows_the_cases_of_all_letters(desk: Desk) -> None:
    if desk.engine.dialect.name != "sqlite":
        pytest.skip("the locale of the server decides")
    await desk.memory.append("c", "alice", [Message("user", "Öffnet das CAFÉ in der Straße?")])
    for query in ("öffnet", "café", "STRAßE", "in der"):
        assert len(await desk.list.list("alice", query=query)) == 1


async def test_what_is_forgotten_is_gone(desk: Desk) -> None:
    await desk.tell(range(5))
    await desk.memory.summarise("c", "alice", 40)
    await desk.tell([1], name="d")
    await desk.list.forget("c", "alice")
    assert await desk.memory.recall("c", "alice", 100) == Remembered()
    with desk.engine.connect() as connection:
        left = connection.execute(text("SELECT DISTINCT conversation_id FROM messages")).scalars().all()
        assert left == ["d"]
    with pytest.raises(NotFoundError):
        await desk.list.forget("c", "alice")


async def test_what_is_forgotten_is_on_the_disk_no_more(tmp_path: Path) -> None:
    desk = Desk(f"sqlite:///{tmp_path / 'catalog.sqlite'}")
    secret = "kingfisher-9137"

    def places() -> list[str]:
        return [path.name for path in tmp_path.iterdir() if secret.encode() in path.read_bytes()]

    for number in range(20):
        await desk.tell([number], name="other")
        said = [Message("user", f"{secret} {number} " * 200), Message("assistant", f"It is {secret}.")]
        await desk.memory.append("c", "alice", said)
    await SqlMemory(desk.engine, words).summarise("c", "alice", 40)
    assert secret in (await desk.memory.recall("c", "alice", 40)).summary
    assert places()
    await desk.list.forget("c", "alice")
    assert places() == []
    assert len((await desk.list.read("other", "alice"))[1]) == 40
    desk.engine.dispose()


async def test_it_outlives_the_process(database: str) -> None:
    first = Desk(database)
    await first.tell(range(5))
    await first.memory.summarise("c", "alice", 40)
    before = await first.memory.recall("c", "alice", 40)
    first.engine.dispose()
    second = Desk(database)
    assert await second.memory.recall("c", "alice", 40) == before
    assert before.summary
    second.engine.dispose()


async def test_turns_that_end_at_the_same_time_stay_whole(desk: Desk) -> None:
    await asyncio.gather(*(desk.tell([number]) for number in range(30)))
    _, said = await desk.list.read("c", "alice")
    heads = [message.content.split()[0] for message in said]
    assert [head[1:] for head in heads[::2]] == [head[1:] for head in heads[1::2]]
    assert sorted(heads) == sorted(f"{w}{n}" for n in range(30) for w in "qa")


async def test_texts_that_a_database_refuses_are_kept_as_far_as_they_can(desk: Desk) -> None:
    await desk.memory.append("c", "alice", [Message("user", "a\x00b\ud800c 'x' --")])
    assert (await desk.memory.recall("c", "alice", 100)).messages == (Message("user", "a\ufffdb?c 'x' --"),)


async def test_an_engine_alone_is_enough(desk: Desk) -> None:
    memory: Memory = SqlMemory(desk.engine)
    for number in range(40):
        await memory.append("c", "alice", turn(number))
    await memory.summarise("c", "alice", 50)
    recalled = await memory.recall("c", "alice", 50)
    assert sum(approximate_tokens(message.content) for message in recalled.messages) <= 50
    assert recalled.messages[-1].content.startswith("a39")
    assert recalled.summary.startswith("Asked: ") and len(recalled.summary) <= 1200
    conversations = await SqlConversations(desk.engine).list("alice")
    assert conversations == (
        ConversationSummary("c", "q0 x x x x", 80, conversations[0].created_at, conversations[0].updated_at),
    )


said = st.lists(st.tuples(st.sampled_from(["user", "assistant", "system"]), st.integers(1, 400)), max_size=30)


@settings(deadline=None)
@given(said, st.integers(-1, 500))
def test_a_window_is_an_end_of_the_conversation_within_the_budget(told: list[tuple[Role, int]], budget: int) -> None:
    messages = [Said(number, role, tokens) for number, (role, tokens) in enumerate(told)]
    shown = window(messages, budget)
    assert [each.id for each in shown] == [each.id for each in messages[len(messages) - len(shown) :]]
    assert sum(each.tokens for each in shown) <= max(0, budget)
    assert len(shown) == len(messages) or not shown or shown[0].role == "user"
    assert bool(shown) == (bool(messages) and budget > 0)


@given(st.text(min_size=1), st.integers(0, 40))
def test_what_is_left_of_a_text_fits(content: str, room: int) -> None:
    for count in (approximate_tokens, words):
        assert room == 0 or size_of(shortened(content * 100, room, count), count) <= room


def test_a_long_text_is_counted_in_part() -> None:
    seen: list[int] = []

    def count(content: str) -> int:
        seen.append(len(content))
        return len(content.split())

    assert 190_000 <= size_of("ab " * 200_000, count) <= 210_000
    assert max(seen) <= 8000
    assert size_of("a" * 1600, count) == 100
