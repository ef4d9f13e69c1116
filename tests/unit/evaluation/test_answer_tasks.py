from __future__ import annotations

from collections import Counter
from pathlib import Path

from tests.evaluation.answer_tasks import AnswerSet, Task


def answer_set(answerable: int, unanswerable: int, groups: int = 5) -> AnswerSet:
    kinds = ["answerable"] * answerable + ["unanswerable"] * unanswerable
    tasks = [
        Task(str(n), f"Question {n}?", "answerable" if kind == "answerable" else "unanswerable", f"title {n % groups}")
        for n, kind in enumerate(kinds)
    ]
    return AnswerSet("made", tuple(tasks), {"a.txt": "text"}, short=True)


def test_a_sample_has_each_kind_in_its_share_and_every_group_alike() -> None:
    drawn = answer_set(60, 40).sample(20, seed=1).tasks
    assert Counter(task.kind for task in drawn) == {"answerable": 12, "unanswerable": 8}
    assert len({task.id for task in drawn}) == 20
    for kind, most in (("answerable", 3), ("unanswerable", 2)):
        counts = Counter(task.group for task in drawn if task.kind == kind)
        assert len(counts) == 5
        assert max(counts.values()) <= most


def test_a_sample_depends_on_the_seed_alone() -> None:
    made = answer_set(60, 40)
    assert made.sample(10, seed=1) == made.sample(10, seed=1)
    assert made.sample(10, seed=1) != made.sample(10, seed=2)
    assert made.sample(100, seed=1) is made


def test_a_rare_kind_is_in_every_sample() -> None:
    drawn = answer_set(99, 1).sample(10, seed=0).tasks
    assert Counter(task.kind for task in drawn)["unanswerable"] == 1
    assert len(drawn) == 10


def test_halves_share_no_group_and_leave_out_nothing() -> None:
    made = answer_set(60, 40, groups=20)
    tune, report = made.half("tune").tasks, made.half("report").tasks
    assert tune
    assert report
    assert {task.group for task in tune}.isdisjoint(task.group for task in report)
    assert len(tune) + len(report) == len(made.tasks)
    assert made.half("all") is made


def test_the_digest_stands_for_names_and_contents(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("text")
    assert AnswerSet("x", (), {"a.txt": file}, short=True).digest == AnswerSet("y", (), {"a.txt": "text"}, True).digest
    assert AnswerSet("x", (), {"b.txt": "text"}, True).digest != AnswerSet("x", (), {"a.txt": "text"}, True).digest
