"""Work in the background: once after a burst of asking, also when asking never ends, and never after the end."""

import threading
import time

import pytest

from retrieval.dense.background import Background, StoppedError


def test_a_burst_of_asking_is_one_piece_of_work() -> None:
    done: list[int] = []
    background = Background(lambda: done.append(1), quiet_s=0.05)
    for _ in range(20):
        background.ask()
    background.settle()
    assert done == [1]


def test_it_comes_by_itself_when_things_are_quiet() -> None:
    done = threading.Event()
    Background(done.set, quiet_s=0.01).ask()
    assert done.wait(5)


def test_asking_without_end_does_not_put_it_off_for_ever() -> None:
    done = threading.Event()
    background = Background(done.set, quiet_s=0.05, patience=2)
    end = time.monotonic() + 5
    while not done.is_set() and time.monotonic() < end:
        background.ask()
    assert done.is_set()


def test_work_can_ask_again() -> None:
    done: list[int] = []

    def work() -> None:
        done.append(1)
        if len(done) < 3:
            background.ask()

    background = Background(work, quiet_s=0.01)
    background.ask()
    background.settle()
    assert len(done) == 3


def test_a_failure_is_logged_and_the_next_is_done(caplog: pytest.LogCaptureFixture) -> None:
    done: list[int] = []

    def work() -> None:
        done.append(1)
        if len(done) == 1:
            raise ValueError("this disk is odd")

    background = Background(work, quiet_s=0.01)
    for _ in range(2):
        background.ask()
        background.settle()
    assert len(done) == 2 and "this disk is odd" in caplog.text


def test_the_end_interrupts_and_nothing_comes_after_it() -> None:
    begun, ended = threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        try:
            while True:
                background.proceed()
                time.sleep(0.001)
        except StoppedError:
            ended.set()
            raise

    background = Background(work, quiet_s=0.001)
    background.ask()
    assert begun.wait(5)
    background.stop()
    assert ended.is_set()
    background.ask()
    begun.clear()
    assert not begun.wait(0.05)
