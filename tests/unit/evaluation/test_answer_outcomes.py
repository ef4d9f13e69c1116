from __future__ import annotations

import pytest

from contracts import Answer, AnswerSentence, BlockedError, Chunk, Citation, Document, Hit, Message, Prompt, Violation
from serving.scripted_chat_model import ScriptedChatModel
from tests.evaluation.answer_measures import answered_by_kind, losses, measures
from tests.evaluation.answer_outcomes import Outcome, outcome_of
from tests.evaluation.answer_report import report
from tests.evaluation.answer_tasks import AnswerSet, Passage, Task
from tests.evaluation.answer_watch import Call, Sheet, WatchedChatModel, watching

TEXT = "Rollo was the leader of the Norse who settled in Normandy after many raids along the Seine."
TASK = Task("1", "Who led the Norse?", "answerable", "Normans", ("Rollo",), (Passage("Normans.txt", TEXT),))
NOTHING = Task("2", "Who led the Danes?", "unanswerable", "Normans", (), TASK.evidence)
ASKED = AnswerSet("made", (TASK, NOTHING), {"Normans.txt": TEXT}, short=True)


def hit(text: str, file: str = "Normans.txt") -> Hit:
    document = Document(file, "c", "v", file, file, "text/plain", 1)
    return Hit(Chunk(text, file, "v", 0, text, (0, len(text))), document, 0.9, 0.9)


GOLD, OTHER = hit(TEXT), hit("The river rises in the east and is deep enough for ships of any kind.", "Rivers.txt")


def answer(text: str, *cited: Hit, abstained: bool = False) -> Answer:
    return Answer(
        text=text,
        citations=tuple(Citation(n, each, "model") for n, each in enumerate(cited, 1)),
        grounded=bool(cited),
        abstained=abstained,
        cache="off",
        generation=1,
        trace_id="",
        sentences=(AnswerSentence((0, len(text)), tuple(range(1, len(cited) + 1)), "model", 0.8),) if cited else (),
    )


def outcome(given: Answer | BlockedError, sheet: Sheet, task: Task = TASK) -> Outcome:
    return outcome_of(ASKED, task, "rag", answer=given, sheet=sheet, seconds=1.0)


def sheet(*hits: Hit, shown: str = TEXT, written: str = "Rollo led them.") -> Sheet:
    return Sheet(hits=hits, calls=[Call(shown, hits, written)])


@pytest.mark.parametrize(
    ("noted", "text", "loss"),
    [
        (sheet(GOLD), "Rollo led them [1].", "right"),
        (sheet(OTHER, shown=OTHER.chunk.text, written="Nobody."), "Nobody [1].", "not found"),
        (sheet(GOLD, shown="They settled.", written="They settled."), "They settled [1].", "not shown"),
        (sheet(GOLD, written="Charles led them."), "Charles led them [1].", "not written"),
        (sheet(GOLD), "They settled [1].", "held back"),
        (Sheet(hits=(GOLD,)), "They settled [1].", "held back"),  # quoted, without a model
        (Sheet(hits=(GOLD,)), "", "turned down"),
    ],
)
def test_a_loss_is_the_first_step_without_the_gold_answer(noted: Sheet, text: str, loss: str) -> None:
    assert outcome(answer(text, GOLD), noted).loss == loss


def test_a_refusal_says_nothing_and_a_block_is_one() -> None:
    refused = outcome(answer("I found no answer.", abstained=True), sheet(GOLD), NOTHING)
    made_up = outcome(answer("Rollo led them [1].", GOLD), sheet(GOLD), NOTHING)
    blocked = outcome(BlockedError([Violation("footnote/injection", "no")]), Sheet())
    assert [each.loss for each in (refused, made_up, blocked)] == ["refused rightly", "made up", "blocked"]
    assert [each.refused for each in (refused, made_up, blocked)] == [True, False, True]
    assert [each.reply for each in (refused, made_up, blocked)] == ["", "Rollo led them.", ""]
    assert not made_up.cited[0].gold
    assert blocked.violations == ("footnote/injection",)


def test_measures_count_refusals_as_wrong_and_citations_by_their_gold() -> None:
    outcomes = [
        outcome(answer("Rollo led them [1][2].", GOLD, OTHER), sheet(GOLD, OTHER)),
        outcome(answer("No answer.", abstained=True), sheet(OTHER)),
        outcome(answer("No answer.", abstained=True), sheet(GOLD), NOTHING),
    ]
    found = {name: (measure.value.mean, measure.n) for name, measure in measures(ASKED, outcomes).items()}
    assert found["gold contained"] == (0.5, 2)
    assert found["gold contained, where answered"] == (1, 1)
    assert found["exact match"] == (0, 2)
    assert found["F1"] == (pytest.approx(0.25), 2)
    assert found["answered, of the answerable"] == (0.5, 2)
    assert found["refusal precision"] == (0.5, 2)
    assert found["refusal recall"] == (1, 1)
    assert found["answered or refused rightly"] == (pytest.approx(2 / 3), 3)
    assert found["citation precision"] == (0.5, 1)
    assert found["citation recall"] == (1, 1)
    assert found["sentences that cite"] == (1, 1)
    assert found["support of a sentence"] == (pytest.approx(0.8), 1)
    assert found["gold found in the first 1"] == (0.5, 2)
    assert losses(outcomes) == {"right": 1, "not found": 1, "refused rightly": 1}
    assert answered_by_kind(outcomes) == {"answerable": (1, 2), "unanswerable": (0, 1)}


def test_the_report_has_a_column_per_control() -> None:
    outcomes = [outcome(answer("Rollo led them [1].", GOLD), sheet(GOLD))]
    outcomes.append(Outcome("made", "closed-book", TASK, "Rollo.", False, "complete", seconds=2.0))
    outcomes.append(outcome(BlockedError([Violation("footnote/injection", "no")] * 2), Sheet()))
    lines = report(ASKED, outcomes).splitlines()
    assert "|  | rag | closed-book |" in lines
    assert "| gold contained | .500 (.000–1.000), n=2 | 1.000, n=1 |" in lines
    assert "| footnote/injection | 1 |" in lines
    assert "| citation precision | 1.000, n=1 |  |" in lines
    assert "| right | 1 |" in lines
    assert "| seconds, p50 and p95 | 1.00, 1.00 | 2.00, 2.00 |" in lines


async def test_a_watched_model_passes_everything_on_and_notes_it() -> None:
    model = WatchedChatModel(ScriptedChatModel(lambda prompt: "Rollo led them."))
    prompt = Prompt((Message("user", "Who?"),), "v", (GOLD,))
    with watching() as noted:
        pieces = [token.text async for token in model.stream(prompt, max_tokens=9, temperature=0)]
    assert "".join(pieces) == "Rollo led them."
    assert noted.calls == [Call("Who?", (GOLD,), "Rollo led them.")]
    assert (model.name, model.prompts) == ("scripted", [prompt])
