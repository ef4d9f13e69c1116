"""Lines for people on a terminal, JSON elsewhere."""

import io
import json
import logging
from collections.abc import Iterator

import pytest

from observability.logs import configure_logs, current_trace_id


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    for handler in handlers:
        root.removeHandler(handler)  # else configure_logs closes pytest's own
    yield
    for handler in list(root.handlers):
        root.removeHandler(handler)
    for handler in handlers:
        root.addHandler(handler)
    root.setLevel(level)


def test_a_pipe_gets_one_json_object_per_record() -> None:
    stream = io.StringIO()
    configure_logs("INFO", stream)
    logging.getLogger("apps.api").info("read %s\nand went on", "été.pdf")
    logging.getLogger("apps.api").debug("not at this level")
    (line,) = stream.getvalue().splitlines()
    record = json.loads(line)
    assert record.pop("time").endswith("+00:00")
    assert record == {"level": "INFO", "logger": "apps.api", "message": "read été.pdf\nand went on"}


def test_the_trace_and_the_error_are_in_the_line() -> None:
    stream = io.StringIO()
    configure_logs("INFO", stream)
    current_trace_id.set("tr-1")
    try:
        raise ValueError("bad")
    except ValueError:
        logging.getLogger("apps.api").exception("failed")
    current_trace_id.set("")
    record = json.loads(stream.getvalue())
    assert record["trace_id"] == "tr-1"
    assert "ValueError: bad" in record["error"]


def test_a_terminal_gets_a_line_for_people(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")  # without colour codes between the words
    stream = Terminal()
    configure_logs("INFO", stream)
    logging.getLogger("apps.api").info("3 files read")
    assert "3 files read" in stream.getvalue()
    assert "{" not in stream.getvalue()


@pytest.mark.parametrize(("level", "shown"), [("INFO", 1), ("ERROR", 0)])
def test_vendors_are_quiet_but_their_warnings_show(level: str, shown: int) -> None:
    stream = io.StringIO()
    configure_logs(level, stream)
    logging.getLogger("httpx").info("HTTP Request: POST")
    logging.getLogger("httpx").warning("odd")
    assert len(stream.getvalue().splitlines()) == shown
