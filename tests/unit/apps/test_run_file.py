"""One stack for each data folder."""

import json
import os
from pathlib import Path

import pytest

from apps.run_file import Part, RunFile
from contracts import ConfigurationError


def test_a_second_stack_is_refused_while_the_first_runs(tmp_path: Path) -> None:
    with RunFile(tmp_path).hold():
        with pytest.raises(ConfigurationError, match=f"process {os.getpid()}.*footnote down"), RunFile(tmp_path).hold():
            pass
        assert RunFile(tmp_path).read() is not None
    with RunFile(tmp_path).hold():
        pass


def test_parts_are_read_back(tmp_path: Path) -> None:
    part = Part("api", "ready", "http://127.0.0.1:8000", 12)
    run_file = RunFile(tmp_path)
    with run_file.hold():
        run_file.write((part,))
        stack = RunFile(tmp_path).read()
    assert stack is not None
    assert stack.pid == os.getpid()
    assert stack.parts == (part,)
    assert RunFile(tmp_path).read() is None


def test_what_a_killed_stack_left_behind_counts_for_nothing(tmp_path: Path) -> None:
    note = tmp_path / "run" / "up.json"
    note.parent.mkdir()
    note.write_text(json.dumps({"pid": os.getpid(), "created": 1.0, "parts": []}))  # the number was used again
    assert RunFile(tmp_path).read() is None
    note.write_text("{half a no")
    assert RunFile(tmp_path).read() is None
    with RunFile(tmp_path).hold():
        assert RunFile(tmp_path).read() is not None
