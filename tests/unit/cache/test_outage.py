"""When a store is left alone, and how often that is said."""

import pytest

from cache.outage import Outage


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_store_that_keeps_failing_is_left_alone_and_then_tried_by_one(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    outage = Outage("the store", clock)
    for _ in range(3):
        assert outage.over()
        outage.failed(OSError("gone"))
    assert not outage.over()
    clock.now = 2.1
    assert [outage.over() for _ in range(3)] == [True, False, False]
    outage.failed(OSError("still gone"))
    clock.now = 4.0
    assert not outage.over()
    clock.now = 4.2
    assert outage.over()
    outage.answered()
    assert [outage.over() for _ in range(3)] == [True, True, True]
    assert [record.getMessage() for record in caplog.records] == [
        "the cache at the store is away, and requests go on without it: OSError: gone",
        "the cache at the store is back",
    ]


def test_failures_that_are_not_in_a_row_are_no_outage() -> None:
    outage = Outage("the store", Clock())
    for _ in range(10):
        outage.failed(OSError())
        outage.failed(OSError())
        outage.answered()
    assert outage.over()


def test_refusals_are_said_once_a_minute_for_each_kind(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    outage = Outage("the store", clock)
    for now in (0.0, 1.0, 59.0, 61.0):
        clock.now = now
        outage.refused(ValueError("OOM command not allowed"))
        outage.refused(ValueError("WRONGTYPE of key"))
    assert outage.over()
    assert len(caplog.records) == 4
