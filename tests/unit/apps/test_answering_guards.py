"""What guards do to an answer: block it in the middle, flag, redact, restore; and which passages they keep out."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from apps.draft import Event, Released
from contracts import Answer, CheckedSentence, Hit, Question, StoreUnavailableError, Verdict, Violation
from tests.answering_desk import HOURS, QUESTION, Desk
from tests.library import ALICE
from validation.permissive_guards import FixedPolicies

SECRET = Violation("secrets", "A password.", "block")
UNSUPPORTED = Violation("supported", "No source says so.", "flag")


class WordsGuard:
    """Blocks a sentence with "password", flags one with "perhaps", ends the answer at "unless"."""

    async def check(self, sentence: str, sources: Sequence[Hit], question: str = "") -> CheckedSentence:
        if "password" in sentence:
            return CheckedSentence("", outcome="block", violations=(SECRET,))
        if "unless" in sentence:
            return CheckedSentence("", outcome="abstain")
        if "perhaps" in sentence:
            return CheckedSentence(sentence.strip(), outcome="flag", violations=(UNSUPPORTED,))
        return CheckedSentence(sentence.strip(), (1,), "matched", support=0.9, quotes=((0, 10),))


class HidingGuard:
    """Takes a name out of the question, and lets answers show it."""

    async def check(self, question: str) -> Verdict:
        return Verdict(question.replace("Zoe", "[person_1]"), restore={"[person_1]": "Zoe"})


async def both(desk: Desk) -> tuple[Answer, list[Event]]:
    """Ask whole, streamed, and streamed from the cache where it is there; all must come to the same."""
    cached, desk.answering = (
        desk.answering,
        replace(desk.answering, cached=replace(desk.answering.cached, enabled=False)),
    )
    whole, fresh = await desk.ask(), await streamed(desk)
    desk.answering = cached
    assert [told(whole)] * 3 == [told(fresh[-1]), told((await streamed(desk))[-1]), told((await streamed(desk))[-1])]
    for events in (fresh, await streamed(desk)):
        assert "".join(event.text for event in events if isinstance(event, Released)).strip() == whole.text
        assert [event.supported for event in events if isinstance(event, Released)] == [
            sentence.supported for sentence in whole.sentences
        ]
    return whole, fresh


async def streamed(desk: Desk) -> list[Event]:
    return [event async for event in desk.answering.stream(Question(QUESTION, caller=ALICE))]


def told(answer: Event) -> list[object]:
    assert isinstance(answer, Answer)
    same = ("text", "finish", "sentences", "violations", "citations", "grounded", "abstained")
    return [getattr(answer, name) for name in same]


async def test_a_violation_in_mid_stream_ends_the_answer_with_a_clear_event(tmp_path: Path) -> None:
    desk = Desk(tmp_path, lambda _: "It opens at nine. The password is 1234. It closes at five.")
    desk.guarded(FixedPolicies(output=WordsGuard()))
    await desk.shelf.put("hours", HOURS)
    answer, events = await both(desk)
    assert (answer.text, answer.finish, answer.abstained) == ("It opens at nine.", "blocked", False)
    assert answer.violations == (SECRET,)
    assert SECRET in events
    assert (await desk.ask()).cache == "miss"


async def test_an_answer_that_is_blocked_at_its_start_says_nothing(tmp_path: Path) -> None:
    desk = Desk(tmp_path, lambda _: "The password is 1234. It closes at five.")
    desk.guarded(FixedPolicies(output=WordsGuard()))
    await desk.shelf.put("hours", HOURS)
    answer, _ = await both(desk)
    assert (answer.text, answer.finish, answer.grounded, answer.abstained) == ("", "blocked", False, False)


async def test_a_flagged_sentence_leaves_marked_and_the_answer_is_not_grounded(tmp_path: Path) -> None:
    desk = Desk(tmp_path, lambda _: "It opens at nine. It closes perhaps at five.")
    desk.guarded(FixedPolicies(output=WordsGuard()))
    await desk.shelf.put("hours", HOURS)
    answer, _ = await both(desk)
    assert answer.text == "It opens at nine. It closes perhaps at five."
    assert [sentence.supported for sentence in answer.sentences] == [True, False]
    assert not answer.grounded


async def test_a_policy_may_end_the_answer_at_the_first_unsupported_sentence(tmp_path: Path) -> None:
    desk = Desk(tmp_path, lambda _: "It opens at nine. Not unless it rains. It closes at five.")
    desk.guarded(FixedPolicies(output=WordsGuard()))
    await desk.shelf.put("hours", HOURS)
    answer, _ = await both(desk)
    assert (answer.text, answer.finish) == ("It opens at nine.", "complete")


async def test_the_quote_of_a_citation_is_a_range_of_the_documents_text(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.guarded(FixedPolicies(output=WordsGuard()))
    await desk.shelf.put("hours", f"soup costs four euros\n{HOURS}")
    (citation,) = (await desk.ask()).citations
    start = citation.hit.chunk.span[0]
    assert citation.quote == (start, start + 10)


async def test_what_was_taken_out_of_the_question_is_put_back_for_who_asked_only(tmp_path: Path) -> None:
    desk = Desk(tmp_path, lambda _: "Dear [Person_1], it opens at nine. Bye, [person 1].")
    desk.guarded(FixedPolicies(input=HidingGuard()))
    await desk.shelf.put("hours", HOURS)
    question = Question(f"I am Zoe, {QUESTION}", caller=ALICE, conversation_id="c")
    events = [event async for event in desk.answering.stream(question)]
    answer = events[-1]
    assert isinstance(answer, Answer)
    assert answer.text == "Dear Zoe, it opens at nine. Bye, Zoe."
    assert "".join(event.text for event in events if isinstance(event, Released)) == answer.text
    assert [answer.text[slice(*sentence.span)] for sentence in answer.sentences] == [
        "Dear Zoe, it opens at nine.",
        "Bye, Zoe.",
    ]
    remembered = await desk.answering.memory.recall("c", "alice", 1000)
    assert "Zoe" not in repr(remembered) + repr(desk.model.prompts)
    assert "Zoe" not in repr([(span.name, span.attributes) for span in desk.tracer.spans])
    again = await desk.answering.answer(replace(question, conversation_id=None))
    assert (again.cache, again.text) == ("exact", answer.text)


@pytest.mark.parametrize(("quarantined", "abstains"), [(["prompt_injection"], True), (["hidden_text"], False)])
async def test_no_answer_rests_on_a_quarantined_passage(tmp_path: Path, quarantined: list[str], abstains: bool) -> None:
    desk = Desk(tmp_path)
    desk.guarded(FixedPolicies(quarantined=quarantined))
    await desk.shelf.put("hours", HOURS, flags=("prompt_injection",))
    assert (await desk.ask()).abstained is abstains


class RedactingGuard:
    """Takes a number of four digits out of what it is shown, and finds no support for it."""

    async def check(self, sentence: str, sources: Sequence[Hit], question: str = "") -> CheckedSentence:
        cleaned = sentence.replace("4711", "[pin]")
        found = (Violation("personal_data", "A number.", "redact"),) if cleaned != sentence else ()
        return CheckedSentence(cleaned, outcome="drop", violations=(*found, UNSUPPORTED))


@pytest.mark.parametrize(
    ("written", "released", "finish"),
    [
        ('{"a": "pin 4711"}', '{"a": "pin [pin]"}', "complete"),
        ('{"a": 4711}', "", "blocked"),
        ('{"pin 4711": true}', "", "blocked"),
        ('{"a": [{"b": "4711"}, null]}', '{"a": [{"b": "[pin]"}, null]}', "complete"),
    ],
)
async def test_no_value_of_json_leaves_as_it_was_where_a_guard_takes_something_out(
    tmp_path: Path, written: str, released: str, finish: str
) -> None:
    desk = Desk(tmp_path, lambda _: written)
    desk.guarded(FixedPolicies(output=RedactingGuard()))
    await desk.shelf.put("hours", HOURS)
    answer = await desk.answering.answer(Question(QUESTION, caller=ALICE, schema={"type": "object"}))
    assert (answer.text, answer.finish) == (released, finish)
    assert "4711" not in answer.text + repr(answer.violations)


async def test_what_is_put_back_into_json_is_escaped(tmp_path: Path) -> None:
    class Quoting:
        async def check(self, question: str) -> Verdict:
            return Verdict(question, restore={"[person_1]": 'Zoe "Z" Smith'})

    desk = Desk(tmp_path, lambda _: '{"a": "[person_1]"}')
    desk.guarded(FixedPolicies(input=Quoting()))
    await desk.shelf.put("hours", HOURS)
    answer = await desk.answering.answer(Question(QUESTION, caller=ALICE, schema={"type": "object"}))
    assert json.loads(answer.text) == {"a": 'Zoe "Z" Smith'}


async def test_a_blocked_first_sentence_is_no_refusal(tmp_path: Path) -> None:
    desk = Desk(tmp_path, lambda _: "The sources do not say the password is 1234.")
    desk.guarded(FixedPolicies(output=WordsGuard()))
    await desk.shelf.put("hours", HOURS)
    answer = await desk.ask()
    assert (answer.finish, answer.violations) == ("blocked", (SECRET,))


async def test_a_turn_that_cannot_be_remembered_loses_no_answer(tmp_path: Path) -> None:
    class Forgetful:
        async def append(self, *_: object) -> None:
            raise StoreUnavailableError("the conversations cannot be reached")

    desk = Desk(tmp_path)
    desk.answering = replace(desk.answering, memory=Forgetful())
    await desk.shelf.put("hours", HOURS)
    assert (await desk.ask()).grounded


async def test_a_placeholder_of_an_earlier_turn_stands_for_its_own_value(tmp_path: Path) -> None:
    class Naming:
        async def check(self, question: str) -> Verdict:
            name = question.split()[-1]
            return Verdict(question.replace(name, "[person_1]"), restore={"[person_1]": name})

    desk = Desk(tmp_path, lambda prompt: f"Hello {'[person_2]' if len(desk.model.prompts) > 1 else '[person_1]'}.")
    desk.guarded(FixedPolicies(input=Naming()))
    await desk.shelf.put("hours", HOURS)
    first = await desk.ask(f"{QUESTION} asks Anna", conversation="c")
    second = await desk.ask(f"{QUESTION} asks Bob", conversation="c")
    assert (first.text, second.text) == ("Hello Anna.", "Hello Bob.")
    assert "asks [person_2]" in desk.model.prompts[-1].messages[-1].content
