"""What guards do to an answer: block it in the middle, flag, redact, restore; and which passages they keep out."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from apps.draft import Event, Released
from contracts import Answer, CheckedSentence, Hit, Question, Verdict, Violation
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
    cached, desk.answering = desk.answering, replace(desk.answering, cache_enabled=False)
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
    again = await desk.answering.answer(question)
    assert (again.cache, again.text) == ("exact", answer.text)


@pytest.mark.parametrize(("quarantined", "abstains"), [(["prompt_injection"], True), (["hidden_text"], False)])
async def test_no_answer_rests_on_a_quarantined_passage(tmp_path: Path, quarantined: list[str], abstains: bool) -> None:
    desk = Desk(tmp_path)
    desk.guarded(FixedPolicies(quarantined=quarantined))
    await desk.shelf.put("hours", HOURS, flags=("prompt_injection",))
    assert (await desk.ask()).abstained is abstains
