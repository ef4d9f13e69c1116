from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from tests.evaluation.samples_report import Gold, is_right, load_questions, normalise, rank, render, score, summarise

SAMPLES = Path(__file__).resolve().parents[3] / "samples"
QUESTIONS = load_questions(SAMPLES / "questions.jsonl")
GOLD = Gold("q1", "How high is it?", "2,146 metres", ("2146",), ("handbook.pdf",), 2, unanswerable=False)
NOTHING = Gold("q2", "Who owns it?", None, (), (), None, unanswerable=True)


def hit(source: str, page: int | None = None) -> dict[str, object]:
    return {"source": source, "page": page}


def reply(text: str, *sources: str, abstained: bool = False) -> dict[str, object]:
    return {"answer": text, "abstained": abstained, "citations": [hit(source) for source in sources]}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It costs €1,180.00 — from 19:12!", "it costs 1180.00 from 19:12"),
        ("Dr. Anton Weiss's  “slope”", "dr anton weiss's slope"),
        ("12,5 and 1,340 and 1,234,567", "12 5 and 1340 and 1234567"),
        ("2,146m, four-and-a-half.", "2146 m four and a half"),
    ],
)
def test_normalise_levels_spelling(text: str, expected: str) -> None:
    assert normalise(text) == expected


@pytest.mark.parametrize("text", ["It is 2146 metres high [1].", "2,146 METRES", "At 2,146 m above the sea."])
def test_an_answer_that_contains_an_accepted_wording_is_right(text: str) -> None:
    assert is_right(GOLD, text)


@pytest.mark.parametrize("text", ["", "It is 12,146 metres high.", "214 metres", "2,146.5 metres"])
def test_part_of_another_number_is_not_right(text: str) -> None:
    assert not is_right(GOLD, text)


def test_nothing_is_right_for_an_unanswerable_question() -> None:
    assert not is_right(NOTHING, "anything")


def test_rank_compares_file_names_and_pages() -> None:
    hits = [hit("/a/prices.xlsx"), hit("/a/handbook.pdf", 1), hit("handbook.pdf", 2)]
    assert rank(GOLD, hits) == 2
    assert rank(GOLD, hits, page=True) == 3
    assert rank(GOLD, hits[:1]) is None
    assert rank(GOLD, hits[:2], page=True) is None


def test_a_page_matters_only_where_there_is_one() -> None:
    assert rank(replace(GOLD, page=None), [hit("handbook.pdf", 7)], page=True) == 1


def test_score_of_a_right_and_cited_answer() -> None:
    found = score(GOLD, [hit("handbook.pdf", 2)], reply("2,146 m.", "/x/handbook.pdf"), 1.5)
    assert (found.document_rank, found.page_rank, found.right, found.cited) == (1, 1, True, True)
    assert found.seconds == 1.5


def test_an_abstention_is_wrong_for_a_question_and_right_for_an_unanswerable_one() -> None:
    searched = reply("Nothing about 2,146 metres was found.", abstained=True)
    assert not score(GOLD, [], searched, 0).right
    assert score(NOTHING, [], searched, 0).right
    assert not score(NOTHING, [], reply("The king.", "handbook.pdf"), 0).right


def test_summary_keeps_the_three_kinds_apart() -> None:
    follow_up = replace(GOLD, id="q3", history=("What is it?",))
    outcomes = [
        score(GOLD, [hit("prices.xlsx"), hit("handbook.pdf", 1)], reply("2146 metres"), 0),
        score(follow_up, [], reply("2146 metres"), 0),
        score(NOTHING, [hit("prices.xlsx")], reply("", abstained=True), 0),
    ]
    tallies = {name: (tally.count, tally.of) for name, tally in summarise(outcomes).items()}
    assert tallies == {
        "document found first": (0, 1),
        "document found": (1, 1),
        "document and page found": (0, 1),
        "answer right": (1, 1),
        "right document cited": (0, 1),
        "abstained though answerable": (0, 1),
        "follow-up right": (1, 1),
        "unanswerable refused": (1, 1),
    }


def test_no_outcomes_make_empty_tallies() -> None:
    assert all(tally.share == 0 and tally.of == 0 for tally in summarise([]).values())


def test_render_shows_each_question_and_the_tallies() -> None:
    console = Console(width=160, record=True, quiet=False)
    with console.capture() as shown:
        console.print(render([score(GOLD, [hit("handbook.pdf", 2)], reply("It is 2,146 m."), 0.4)]))
    text = shown.get()
    assert "How high is it?" in text
    assert "It is 2,146 m." in text
    assert "1/1 (100%)" in text


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"answer": None}, "is unanswerable"),
        ({"unanswerable": True}, "is unanswerable"),
        ({"documents": []}, "is unanswerable"),
        ({"page": ...}, "lacks page"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, change: dict[str, object], message: str) -> None:
    fields = {"id": "q1", "question": "?", "answer": "a", "accept": [], "documents": ["d"], "page": None}
    fields |= {"unanswerable": False} | change
    kept = {name: value for name, value in fields.items() if value is not ...}
    path = tmp_path / "questions.jsonl"
    path.write_text(json.dumps(kept) + "\n")
    with pytest.raises(ValueError, match=rf"line 1.*{message}"):
        load_questions(path)


def test_text_that_is_not_json_and_equal_ids_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "questions.jsonl"
    path.write_text("{nonsense\n")
    with pytest.raises(ValueError, match="line 1 is not JSON"):
        load_questions(path)
    line = (SAMPLES / "questions.jsonl").read_text("utf-8").splitlines()[0]
    path.write_text(f"{line}\n{line}\n")
    with pytest.raises(ValueError, match="same id"):
        load_questions(path)


def test_the_samples_cover_every_document_and_name_only_what_is_there() -> None:
    named = {name for question in QUESTIONS for name in question.documents}
    there = {path.name for path in SAMPLES.glob("[!.]*")} - {"README.md", "questions.jsonl"}
    assert named == there
    assert {"answerable", "follow-up", "unanswerable"} == {question.kind for question in QUESTIONS}
    assert QUESTIONS[0].page is not None


PLAIN = {".md", ".txt", ".csv", ".html", ".eml"}
READABLE = [(gold, name) for gold in QUESTIONS for name in gold.documents if Path(name).suffix in PLAIN]


@pytest.mark.parametrize(("gold", "name"), READABLE, ids=[f"{gold.id}-{name}" for gold, name in READABLE])
def test_gold_answers_stand_in_the_plain_text_samples(gold: Gold, name: str) -> None:
    assert is_right(gold, (SAMPLES / name).read_text("utf-8"))
