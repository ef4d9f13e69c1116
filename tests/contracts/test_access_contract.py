"""Nobody is told anything of a document that is not for him: by hits, ranks, counts, errors, answers or their cache."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import count, product
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from apps.answering import Answering, AnsweringPolicy
from contracts import Caller, Filter, NotFoundError, Prompt, Query, Question, Retrieved, SearchMode
from observability.recording_tracer import NullTracer
from retrieval.dense.faiss_index import FaissIndex
from retrieval.retriever import HybridRetriever, RetrievalPolicy
from retrieval.sparse.tantivy_index import TantivyIndex
from retrieval.sql_memory import SqlMemory
from serving.scripted_chat_model import ScriptedChatModel
from tests.answering_desk import scripted_answering
from tests.library import EMBEDDER, Shelf
from tests.searching import open_retriever

T = TypeVar("T")

CALLERS = (Caller("alice", ("staff",)), Caller("bob"), Caller("carol", ("staff", "board")))
PLACES = ("open", "closed")
callers = st.sampled_from(CALLERS)
places = st.sampled_from(PLACES)
names = st.integers(0, 4)
readers = st.sets(st.sampled_from(["*", "alice", "bob", "staff", "board"]), max_size=2).map(
    lambda one: tuple(sorted(one))
)
words = st.lists(st.sampled_from(["tram", "museum", "ferry", "noon", "bridge"]), min_size=1, max_size=4).map(" ".join)
years = st.integers(1, 3)


@dataclass(frozen=True)
class Stored:
    """What a document is known to hold. `mark` occurs in each of its lines and nowhere else."""

    id: str
    mark: str
    lines: tuple[str, ...]
    readers: tuple[str, ...]
    year: int


@dataclass(frozen=True)
class World:
    """What every run of the machine shares; each works in collections of its own."""

    shelf: Shelf
    retriever: HybridRetriever
    answering: Answering
    loop: asyncio.AbstractEventLoop
    numbers: Iterator[int]


class Library(RuleBasedStateMachine):
    """Documents come, change and go, readers too; meanwhile callers search and ask."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world
        self.run = next(world.numbers)
        self.stored: dict[str, dict[str, Stored]] = {}
        self.readers: dict[str, tuple[str, ...]] = {}

    def wait(self, work: Coroutine[Any, Any, T]) -> T:
        return self.world.loop.run_until_complete(work)

    def collection(self, place: str) -> str:
        return f"{place}{self.run}"

    def visible(self, place: str, caller: Caller) -> list[Stored]:
        if set(self.readers.get(place, ())).isdisjoint(caller.scope):
            return []
        return [each for each in self.stored[place].values() if not set(each.readers).isdisjoint(caller.scope)]

    def check_untold(self, told: object, allowed: list[Stored]) -> None:
        """Fail when `told` names a document, or holds a text, that is not one of the allowed ones as it is now."""
        known = {mark for each in allowed for mark in (each.id, each.mark)}
        assert set(re.findall(r"z\w+zz", repr(told).lower())) <= known

    @initialize(lines=st.lists(words, min_size=4, max_size=4))
    def first(self, lines: list[str]) -> None:
        for place in PLACES:
            for name, reader in enumerate(("*", "alice", "staff", "bob")):
                self.put(place, name, lines[name:] + lines[:name], (reader,), 1 + name % 2)
            self.ask(place, "tram", list(CALLERS))
        self.share("closed", ("staff",))

    @rule(place=places, name=names, lines=st.lists(words, min_size=1, max_size=3), who=readers, year=years)
    def put(self, place: str, name: int, lines: list[str], who: tuple[str, ...], year: int) -> None:
        mark = f"zt{next(self.world.numbers):05}zz"
        self.store(place, Stored(f"zd{place}{self.run}x{name}zz", mark, tuple(f"{x} {mark}" for x in lines), who, year))

    @rule(place=places, name=names, who=readers)
    def change_readers(self, place: str, name: int, who: tuple[str, ...]) -> None:
        if old := self.stored.get(place, {}).get(f"zd{place}{self.run}x{name}zz"):
            self.store(place, Stored(old.id, old.mark, old.lines, who, old.year))

    def store(self, place: str, new: Stored) -> None:
        text = "\n".join(new.lines)
        put = self.world.shelf.put(
            new.id, text, collection=self.collection(place), readers=new.readers, year=str(new.year)
        )
        self.wait(put)
        self.readers.setdefault(place, ("*",))
        self.stored.setdefault(place, {})[new.id] = new

    @rule(place=places, name=names)
    def remove(self, place: str, name: int) -> None:
        if self.stored.get(place, {}).pop(f"zd{place}{self.run}x{name}zz", None):
            self.wait(self.world.shelf.catalog.delete(self.collection(place), [f"zd{place}{self.run}x{name}zz"]))

    @rule(place=places, who=readers)
    def share(self, place: str, who: tuple[str, ...]) -> None:
        if place in self.readers:
            self.wait(self.world.shelf.collections.share(self.collection(place), who))
            self.readers[place] = who

    @rule(place=places)
    def remove_collection(self, place: str) -> None:
        if self.readers.pop(place, None) is not None:
            self.stored.pop(place)
            self.wait(self.world.shelf.collections.delete(self.collection(place)))

    def refused(self, place: str, caller: Caller) -> bool:
        return set(self.readers.get(place, ())).isdisjoint(caller.scope)

    def retrieve(self, query: Query) -> Retrieved | str:
        """Return what is found, or the words of the refusal with the collection's name left out."""
        try:
            return self.wait(self.world.retriever.retrieve(query))
        except NotFoundError as exc:
            return str(exc).replace(query.collection, "NAME")

    @rule(place=places, text=words, top_k=st.sampled_from([1, 3, 30]), since=st.none() | years)
    def search(self, place: str, text: str, top_k: int, since: int | None) -> None:
        filters = () if since is None else (Filter("year", at_least=str(since)),)
        for caller, mode in product(CALLERS, SearchMode):
            self.check_search(place, Query(text, self.collection(place), caller, top_k, filters, mode), since or 0)

    def check_search(self, place: str, query: Query, since: int) -> None:
        found = self.retrieve(query)
        if self.refused(place, query.caller):
            assert found == self.retrieve(replace(query, collection="never"))
            return
        assert isinstance(found, Retrieved)
        allowed = [each for each in self.visible(place, query.caller) if each.year >= since]
        self.check_untold(found, allowed)
        chunks = sum(len(each.lines) for each in allowed)
        assert len(found.hits) <= min(query.top_k, chunks)
        assert all(1 <= one.rank <= chunks for hit in found.hits for one in hit.standings)
        assert found.hits or not allowed or query.mode is SearchMode.SPARSE
        for hit in found.hits:
            stored = self.stored[place][hit.document.id]
            assert hit.document.readers == stored.readers
            assert set(hit.chunk.text.split()) <= set(" ".join(stored.lines).split())

    @rule(place=places, caller=callers, data=st.data(), mode=st.sampled_from(SearchMode))
    def look_for_one(self, place: str, caller: Caller, data: st.DataObject, mode: SearchMode) -> None:
        """Look for a document by what only it holds, and by its id."""
        if self.refused(place, caller) or not self.stored[place]:
            return
        wanted = data.draw(st.sampled_from(sorted(self.stored[place].values(), key=lambda each: each.id)))
        allowed = self.visible(place, caller)
        for text, filters in ((f'"{wanted.mark}"', ()), ("tram", (Filter("id", (wanted.id,)),))):
            found = self.retrieve(Query(text, self.collection(place), caller, 5, filters, mode))
            assert isinstance(found, Retrieved)
            self.check_untold(found, allowed)
            if filters or mode is SearchMode.SPARSE:
                self.check_untold(found, [wanted] if wanted in allowed else [])
        found = self.retrieve(Query(f'"{wanted.mark}"', self.collection(place), caller, 5, (), SearchMode.SPARSE))
        assert isinstance(found, Retrieved) and bool(found.hits) is (wanted in allowed)

    @rule(place=places, text=st.sampled_from(["tram", "museum ferry"]), order=st.permutations(CALLERS))
    def ask(self, place: str, text: str, order: list[Caller]) -> None:
        """Few questions, so that answers are often in the cache: made for others, or before something changed."""
        for caller in order:
            question = Question(text, self.collection(place), caller)
            try:
                answer = self.wait(self.world.answering.answer(question))
            except NotFoundError as exc:
                assert self.refused(place, caller)
                self.check_untold(str(exc).replace(question.collection, ""), [])
            else:
                assert not self.refused(place, caller)
                self.check_untold((answer.text, answer.citations), self.visible(place, caller))

    @rule(caller=callers)
    def read_counts(self, caller: Caller) -> None:
        listed = self.wait(self.world.shelf.collections.list(caller.scope))
        mine = {each.name: (each.documents, each.chunks) for each in listed}
        for place in PLACES:
            seen = self.visible(place, caller)
            counts = len(seen), sum(len(each.lines) for each in seen)
            assert mine.get(self.collection(place)) == (None if self.refused(place, caller) else counts)

    @rule(place=places, text=words)
    def compare(self, place: str, text: str) -> None:
        """What others have must not shift what is found by meaning: it is as if there were nothing else."""
        for caller in CALLERS:
            if allowed := self.visible(place, caller):
                self.check_alone(place, caller, allowed, text)

    def check_alone(self, place: str, caller: Caller, allowed: list[Stored], text: str) -> None:
        alone = f"alone{next(self.world.numbers)}"
        for each in allowed:
            self.wait(self.world.shelf.put(f"{alone}{each.id}", "\n".join(each.lines), collection=alone))
        both = []
        for collection in (self.collection(place), alone):
            found = self.retrieve(Query(text, collection, caller, 30, (), SearchMode.DENSE))
            assert isinstance(found, Retrieved)
            both.append(sorted((hit.chunk.text, round(hit.score, 4)) for hit in found.hits))
        self.wait(self.world.shelf.collections.delete(alone))
        assert both[0] == both[1]


def copy_sources(prompt: Prompt) -> str:
    return " ".join(f"{hit.chunk.text}. [{marker}]" for marker, hit in enumerate(prompt.sources, 1))


@contextmanager
def opened(folder: Path, real: bool, policy: RetrievalPolicy) -> Iterator[World]:
    loop = asyncio.new_event_loop()
    shelf = Shelf(folder)
    views: list[FaissIndex | TantivyIndex] = []

    def open_dense(collection: str, _embedder: object) -> FaissIndex:
        index = FaissIndex(shelf.feed, collection, embedder=EMBEDDER.name, dimension=EMBEDDER.dimension)
        views.append(index)
        return index

    def open_sparse(collection: str) -> TantivyIndex:
        index = TantivyIndex(shelf.feed, collection)
        views.append(index)
        return index

    retriever = open_retriever(
        shelf,
        policy=policy,
        open_dense=open_dense if real else None,
        open_sparse=open_sparse if real else None,
    )
    answering = scripted_answering(
        retriever,
        SqlMemory(shelf.engine),
        ScriptedChatModel(copy_sources),
        NullTracer(),
        AnsweringPolicy(top_k=4, prompt_sources=2, floor=0.1),
    )
    try:
        yield World(shelf, retriever, answering, loop, count())
    finally:
        for view in views:
            loop.run_until_complete(view.aclose())
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()
        shelf.engine.dispose()


@pytest.mark.parametrize(
    ("real", "policy", "examples"),
    [
        pytest.param(False, RetrievalPolicy(candidates=3), 20, id="plain views, few candidates"),
        pytest.param(True, RetrievalPolicy(), 10, id="FAISS and Tantivy"),
        pytest.param(True, RetrievalPolicy(candidates=3, diversity=0.5, expand_tokens=30), 10, id="widened, diverse"),
    ],
)
def test_nothing_is_told_of_what_is_not_for_the_caller(
    tmp_path: Path, real: bool, policy: RetrievalPolicy, examples: int
) -> None:
    with opened(tmp_path, real, policy) as world:
        run_state_machine_as_test(
            partial(Library, world),  # type: ignore[arg-type]
            settings=settings(
                max_examples=examples,
                stateful_step_count=25,
                deadline=None,
                database=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
