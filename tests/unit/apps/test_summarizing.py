"""A whole document becomes a cited summary: only what its passages support leaves, under markers of its own."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from apps.api.errors import handle_errors
from apps.api.routes import summaries
from apps.draft import Released
from apps.likely_passages import LikelyPassages, texts_once
from apps.settings import ApiSettings
from apps.summarizing import Summarizing, Wanted
from contracts import (
    Answer,
    BlockedError,
    Caller,
    CheckedSentence,
    Citation,
    GuardPolicies,
    Hit,
    Token,
    Usage,
    Verdict,
    Violation,
)
from observability.recording_tracer import RecordingTracer
from tests.library import ALICE, BOB, Shelf, hit
from validation.permissive_guards import FixedPolicies
from validation.personal_data.pii_placeholders import restore
from validation.sentences import SentenceStream

TEXT = "\n".join(
    [
        "The hut opens on the first of May.",
        "Sixty beds stand in nine rooms.",
        "Quiet hours begin at ten in the evening.",
        *(f"Paragraph {n} tells of weather and views." for n in range(20)),
    ]
)


@dataclass
class ScriptedSummarizer:
    """Port `Summarizer`: says what it was told to, word by word."""

    reply: str
    cut_off: bool = False
    read: list[tuple[list[str], str]] = field(default_factory=list)
    closed: bool = False

    async def summarize(self, texts: Sequence[str], question: str = "") -> AsyncGenerator[Token]:
        self.read.append((list(texts), question))
        try:
            for word in self.reply.split(" "):
                yield Token(f"{word} ")
            yield Token("", Usage(900, 30), self.cut_off)
        finally:
            self.closed = True


class WordGuard:
    """Supports a sentence by each source that holds all of its words; blocks what speaks of secrets."""

    def __init__(self) -> None:
        self.sources: list[int] = []

    async def check(self, sentence: str, sources: Sequence[Hit], question: str = "") -> CheckedSentence:
        self.sources.append(len(sources))
        text = sentence.strip()
        if "secret" in text:
            return CheckedSentence("", violations=(Violation("secrets", "no"),), outcome="block")
        words = set(text.lower().strip(".").split())
        markers = tuple(
            n for n, hit in enumerate(sources, 1) if words <= set(hit.chunk.text.lower().strip(".").split())
        )
        if not markers:
            return CheckedSentence("", outcome="drop")
        return CheckedSentence(f"{text[:-1]}{''.join(f' [{n}]' for n in markers)}.", markers, support=1.0)


class Desk:
    """The use case on a real catalog with one document, `hut`; `reply` is what the summarizer says."""

    def __init__(self, folder: Path, reply: str, policies: GuardPolicies | None = None, **more: Any) -> None:
        self.shelf = Shelf(folder)
        self.summarizer = ScriptedSummarizer(reply, **more)
        self.tracer = RecordingTracer()
        self.guard = WordGuard()
        self.summarizing = Summarizing(
            policies=policies or FixedPolicies(output=self.guard),
            chunks=self.shelf.catalog.chunks,
            summarizer=self.summarizer,
            sentences=SentenceStream,
            is_refusal=lambda sentence: sentence.startswith("The document does not say"),
            tracer=self.tracer,
            restore=restore,
            prompt_version="summary-1",
        )

    async def wanted(self, question: str = "", caller: Caller = ALICE) -> Wanted:
        await self.shelf.put("hut", TEXT)
        found = await self.shelf.catalog.find("default", "hut")
        assert found is not None
        return Wanted(found, caller, question)

    async def ask(self, question: str = "") -> Answer:
        return await self.summarizing.summarize(await self.wanted(question))


@pytest.fixture
def desk(tmp_path: Path) -> Callable[..., Desk]:
    return lambda reply, *others, **more: Desk(tmp_path, reply, *others, **more)


async def test_supported_sentences_leave_under_markers_in_the_order_of_citation(desk: Callable[..., Desk]) -> None:
    made = desk("Quiet hours begin at ten. The hut is on Mars. Sixty beds stand in rooms. Quiet hours begin.")
    answer = await made.ask()
    assert answer.text == "Quiet hours begin at ten [1]. Sixty beds stand in rooms [2]. Quiet hours begin [1]."
    assert [citation.hit.chunk.text[:5] for citation in answer.citations] == ["Quiet", "Sixty"]
    assert [sentence.markers for sentence in answer.sentences] == [(1,), (2,), (1,)]
    assert answer.grounded
    assert answer.usage == Usage(900, 30)
    assert answer.cache == "off"
    assert answer.generation == 1
    assert answer.trace_id


async def test_each_sentence_is_compared_with_a_few_passages_of_many(desk: Callable[..., Desk]) -> None:
    made = desk("Paragraph 7 tells of weather. The hut opens on the first.")
    await made.ask()
    assert made.guard.sources[0] == 5


async def test_the_summarizer_reads_all_of_it_in_order_and_the_question(desk: Callable[..., Desk]) -> None:
    made = desk("Sixty beds stand in nine rooms.")
    await made.ask("How many beds?")
    assert made.summarizer.read == [(TEXT.splitlines(), "How many beds?")]


async def test_nothing_supported_is_an_honest_refusal(desk: Callable[..., Desk]) -> None:
    answer = await desk("The hut is on Mars.").ask()
    assert answer.abstained
    assert answer.finish == "abstained"
    assert answer.text == "I could not write a summary of “Hut” that its text supports."


async def test_what_the_document_does_not_say_is_told(desk: Callable[..., Desk]) -> None:
    answer = await desk("The document does not say.").ask("Who built it?")
    assert answer.abstained
    assert answer.text == "I found no answer to this in “Hut”."


async def test_markers_that_the_model_made_up_are_dropped(desk: Callable[..., Desk]) -> None:
    answer = await desk("Sixty beds stand in rooms [7].").ask()
    assert answer.text == "Sixty beds stand in rooms [1]."


async def test_half_a_sentence_at_the_limit_does_not_leave(desk: Callable[..., Desk]) -> None:
    answer = await desk("Sixty beds stand in rooms. The hut opens on", cut_off=True).ask()
    assert answer.text == "Sixty beds stand in rooms [1]."


async def test_what_is_blocked_ends_it_and_the_model_with_it(desk: Callable[..., Desk]) -> None:
    made = desk("Sixty beds stand in rooms. This is secret. Quiet hours begin at ten.")
    answer = await made.ask()
    assert answer.text == "Sixty beds stand in rooms [1]."
    assert answer.finish == "blocked"
    assert [violation.rule for violation in answer.violations] == ["secrets"]
    assert made.summarizer.closed


async def test_a_blocked_question_reaches_no_model(tmp_path: Path) -> None:
    class Refusing:
        async def check(self, question: str) -> Verdict:
            return Verdict(question, blocked=True, violations=(Violation("topics", "not about this"),))

    made = Desk(tmp_path, "Anything.", FixedPolicies(input=Refusing()))
    with pytest.raises(BlockedError):
        await made.ask("Who is paid what?")
    assert made.summarizer.read == []


async def test_personal_data_of_the_question_is_put_back_for_who_asked(tmp_path: Path) -> None:
    class Redacting:
        async def check(self, question: str) -> Verdict:
            return Verdict("What of [email_1]?", restore={"[email_1]": "ana@hut.org"})

    made = Desk(tmp_path, "[email_1] has a bed.", FixedPolicies(input=Redacting()))
    answer = await made.ask("What of ana@hut.org?")
    assert answer.text == "ana@hut.org has a bed."
    assert made.summarizer.read[0][1] == "What of [email_1]?"
    assert "ana@hut.org" not in str([span.attributes for span in made.tracer.spans])


async def test_quarantined_and_hidden_passages_are_not_read(tmp_path: Path) -> None:
    made = Desk(tmp_path, "Sixty beds stand in nine rooms.", FixedPolicies(quarantined=("injection",)))
    wanted = await made.wanted()
    chunks = await made.shelf.catalog.chunks("default", "hut")

    async def some(collection: str, document_id: str) -> Any:
        return (replace(chunks[0], hidden=True), replace(chunks[1], flags=("injection",)), chunks[2])

    await replace(made.summarizing, chunks=some).summarize(wanted)
    assert made.summarizer.read[0][0] == ["Quiet hours begin at ten in the evening."]


async def test_the_stream_says_the_same(desk: Callable[..., Desk]) -> None:
    made = desk("Quiet hours begin at ten. The hut is on Mars. Sixty beds stand in rooms.")
    async with aclosing(made.summarizing.stream(await made.wanted())) as stream:
        events = [event async for event in stream]
    *_, answer = events
    assert isinstance(answer, Answer)
    assert "".join(event.text for event in events if isinstance(event, Released)).strip() == answer.text
    assert [event.marker for event in events if isinstance(event, Citation)] == [1, 2]


async def test_a_reader_that_leaves_stops_the_model(desk: Callable[..., Desk]) -> None:
    made = desk("Sixty beds stand in rooms. " + "Quiet hours begin at ten. " * 500)
    async with aclosing(made.summarizing.stream(await made.wanted())) as stream:
        async for event in stream:
            if isinstance(event, Released):
                break
    assert made.summarizer.closed


async def test_the_trace_names_document_and_prompt(desk: Callable[..., Desk]) -> None:
    made = desk("Sixty beds stand in rooms.")
    await made.ask()
    (root,) = [span for span in made.tracer.spans if span.name == "summary"]
    assert root.attributes["prompt_version"] == "summary-1"
    assert root.attributes["inputs"]["document"] == "hut"


def test_passages_that_overlap_are_read_once() -> None:
    whole = "One two three. Four five six. Seven eight nine."
    first, second = hit("a", whole[:29]), hit("a", whole[15:])
    second = replace(second, chunk=replace(second.chunk, span=(15, len(whole)), headings=("Numbers",)))
    inside = replace(second, chunk=replace(second.chunk, text=whole[15:29], span=(15, 29)))
    assert texts_once([first, second, inside]) == ["One two three. Four five six.", "Numbers\n Seven eight nine."]


def test_likely_passages_share_rare_words_with_the_sentence() -> None:
    passages = [hit(f"p{n}", f"Common words of passage {n}.") for n in range(30)]
    likely = LikelyPassages([*passages, hit("rare", "The barometers are calibrated in 1998.")])
    first, *_ = likely.of("A barometer was calibrated by common words.", 2)
    assert first.document.id == "rare"
    assert likely.of("Nothing shared xyz.", 3) == ()


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[tuple[httpx.AsyncClient, Desk]]:
    made = Desk(tmp_path, "Sixty beds stand in rooms.")
    library = SimpleNamespace(catalog=made.shelf.catalog, collections=made.shelf.collections)
    app = FastAPI()
    settings = SimpleNamespace(api=ApiSettings())
    app.state.running = SimpleNamespace(
        library=library,
        summarizing=made.summarizing,
        settings=settings,
        count=lambda answer: None,
        counted=lambda events: events,
    )
    app.include_router(summaries.router)
    handle_errors(app)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as made_client:
        yield made_client, made


async def test_over_http_it_looks_like_an_answer(client: tuple[httpx.AsyncClient, Desk]) -> None:
    http, made = client
    await made.wanted()
    for body in ({}, {"json": {"question": "How many beds?"}}):
        answer = await http.post("/v1/collections/default/documents/hut/summary", **body)
        assert answer.status_code == 200, answer.text
        assert answer.json()["answer"] == "Sixty beds stand in rooms [1]."
        assert answer.json()["citations"][0]["document_id"] == "hut"
    assert [question for _, question in made.summarizer.read] == ["", "How many beds?"]


async def test_over_http_it_can_be_streamed(client: tuple[httpx.AsyncClient, Desk]) -> None:
    http, made = client
    await made.wanted()
    answer = await http.post("/v1/collections/default/documents/hut/summary", json={"stream": True})
    names = [line[7:] for line in answer.text.splitlines() if line.startswith("event: ")]
    assert (names[0], names[-1]) == ("retrieval", "done")
    assert {"token", "citation"} <= set(names)


async def test_documents_of_others_do_not_exist(client: tuple[httpx.AsyncClient, Desk]) -> None:
    http, made = client
    await made.shelf.put("secret", TEXT, readers=BOB.groups)
    for name in ("secret", "nothing"):
        answer = await http.post(f"/v1/collections/default/documents/{name}/summary")
        assert answer.status_code == 404
    assert made.summarizer.read == []
