from __future__ import annotations

from contracts import Chunk, Document, Hit
from tests.evaluation.answer_tasks import Passage, Task
from tests.evaluation.gold_passages import found_share, gold_hits, is_gold, is_of

NORMANS = "The Normans were the people who in the 10th and 11th centuries gave their name to Normandy in France."
ROLLO = "Among the leaders that came from Denmark and Norway was Rollo, who agreed to swear fealty to King Charles."
TASK = Task("1", "When?", "answerable", "Normans", ("10th and 11th centuries",), (Passage("Normans.txt", NORMANS),))


def hit(text: str, source: str = "/tmp/docs/Normans.txt") -> Hit:
    document = Document("d", "c", "v", source, "Normans", "text/plain", 1)
    return Hit(Chunk("k", "d", "v", 0, text, (0, len(text))), document, 0.9, 0.9)


def test_a_chunk_is_of_a_passage_that_it_holds_or_is_a_part_of() -> None:
    passage = Passage("Normans.txt", NORMANS)
    assert is_of(hit(NORMANS), passage)
    assert is_of(hit(f"{ROLLO}\n\n{NORMANS}"), passage)
    assert is_of(hit(" ".join(NORMANS.split()[:9])), passage)
    assert not is_of(hit(ROLLO), passage)
    assert not is_of(hit(f"{ROLLO} The Normans were the people"), passage)  # an overlap of a few words


def test_what_holds_a_short_answer_in_the_same_document_is_gold() -> None:
    other = "It fell in the 10th and 11th centuries, long before they ruled in England."
    assert is_gold(hit(other), TASK, short=True)
    assert not is_gold(hit(other), TASK, short=False)
    assert not is_gold(hit(other, "/tmp/docs/Vikings.txt"), TASK, short=True)


def test_nothing_is_gold_for_what_cannot_be_answered() -> None:
    unanswerable = Task("2", "Why?", "unanswerable", "Normans", (), TASK.evidence)
    assert not is_gold(hit(NORMANS), unanswerable, short=True)
    assert found_share([hit(NORMANS)], unanswerable) is None


def test_without_passages_the_document_counts() -> None:
    task = Task("3", "How much?", "answerable", "AAPL", ("12",), documents=("a.pdf", "b.pdf"))
    assert is_gold(hit("anything", "/x/a.pdf"), task, short=False)
    assert not is_gold(hit("anything", "/x/c.pdf"), task, short=False)
    assert found_share([hit("anything", "/x/a.pdf"), hit("else", "/x/c.pdf")], task) == 0.5


def test_the_oracle_finds_the_evidence() -> None:
    (found,) = gold_hits(TASK, "c")
    assert is_gold(found, TASK, short=True)
    assert found.document.title == "Normans"
    assert found_share([found], TASK) == 1
