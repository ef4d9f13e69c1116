"""Whether what was found can answer: clear cases in a few languages, and how the model is read."""

from dataclasses import replace
from pathlib import Path

import pytest

from contracts import Hit
from tests.library import hit
from validation.support.answerability import SIGNALS, AnswerabilityModel, answerability, family, is_answerable, signals


def found(name: str, text: str, similarity: float) -> Hit:
    return replace(hit(name, text), similarity=similarity)


HUT = found("hut", "The hut opens on 1 May 2024 and closes in October.", 0.72)
MORAINE = found("moraine", "The moraine was left by the glacier.", 0.18)
KITCHEN = found("kitchen", "Soup is served at noon.", 0.12)


def test_nothing_found_answers_nothing() -> None:
    assert answerability("When does the hut open?", ()) == 0.0
    assert not is_answerable("When does the hut open?", ())


@pytest.mark.parametrize(
    ("question", "hits"),
    [
        ("When does the hut open?", (HUT, MORAINE)),
        ("Wann öffnet die Hütte?", (found("hütte", "Die Hütte öffnet am 1. Mai 2024.", 0.6),)),
        ("¿Cuándo abre el refugio?", (found("refugio", "El refugio abre el 1 de mayo de 2024.", 0.6),)),
        ("小屋什么时候开放?", (found("小屋", "小屋于2024年5月1日开放。", 0.5),)),
    ],
)
def test_what_speaks_of_the_question_may_answer_it(question: str, hits: tuple[Hit, ...]) -> None:
    assert is_answerable(question, hits)


def test_what_speaks_of_something_else_does_not() -> None:
    assert not is_answerable("Who won the Formula 1 race in Monaco in 1996?", (MORAINE, KITCHEN))
    assert answerability("When does the hut open?", (MORAINE, KITCHEN)) < answerability(
        "When does the hut open?", (HUT,)
    )


def test_names_and_numbers_that_no_passage_has_count_against_it() -> None:
    asked = dict(zip(SIGNALS, signals("Did the hut in Zermatt open in 1923?", (HUT,)), strict=True))
    assert asked["names_missing"] == 1.0
    assert asked["numbers_missing"] == 1.0
    known = dict(zip(SIGNALS, signals("When did the hut open in 2024?", (HUT,)), strict=True))
    assert (known["numbers_missing"], known["kind_there"], known["kind_missing"]) == (0.0, 1.0, 0.0)


@pytest.mark.parametrize(
    ("question", "name"),
    [("When does it open?", "english"), ("Wann öffnet die Hütte?", "latin"), ("小屋什么时候开放?", "other")],
)
def test_each_family_of_languages_has_its_threshold(question: str, name: str) -> None:
    assert family(question) == name
    assert 0 < AnswerabilityModel.load().thresholds[name] < 0.5


def test_a_model_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    path.write_text('{"weights": {"similarity": 2.0}, "bias": -1.0, "thresholds": {"english": 0.5}}')
    assert AnswerabilityModel.load(path) == AnswerabilityModel((2.0,), -1.0, {"english": 0.5})
    assert len(AnswerabilityModel.load().weights) == len(SIGNALS)
