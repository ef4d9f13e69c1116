"""Files found inside a file are written under harmless names, and within bounds."""

from pathlib import Path

import pytest

from contracts import ParseFailure
from ingestion.parsing.archives import member_files
from ingestion.parsing.archives.member_files import MemberFiles


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("a/b/c.txt", "c.txt"),
        ("..\\..\\x.exe", "x.exe"),
        ("a\x00b\n.txt", "a_b_.txt"),
        ("...", "unnamed"),
        ("", "unnamed"),
    ],
)
def test_names_do_no_harm(name: str, safe: str, tmp_path: Path) -> None:
    files = MemberFiles(tmp_path / "scratch")
    assert files.add(name, lambda: b"x") == safe
    (member,) = files.members
    assert member.path is not None
    assert member.path.parent == tmp_path / "scratch"


def test_a_part_that_cannot_be_had_does_not_take_the_others_with_it(tmp_path: Path) -> None:
    def broken() -> bytes:
        raise ValueError("bad base64")

    files = MemberFiles(tmp_path)
    files.add("a.pdf", broken)
    files.add("b.pdf", lambda: b"x")
    first, second = files.members
    assert (first.path, first.reason) == (None, ParseFailure.CORRUPT)
    assert "bad base64" in (first.message or "")
    assert second.path is not None


@pytest.mark.parametrize(("limit", "value"), [("MAX_MEMBERS", 2), ("MAX_TOTAL_BYTES", 8)])
def test_what_is_too_much_is_named(limit: str, value: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(member_files, limit, value)
    files = MemberFiles(tmp_path)
    for number in range(5):
        files.add(f"{number}.txt", lambda: b"four")
    *written, last = files.members
    assert len(written) == 2
    assert last.reason is ParseFailure.TOO_LARGE
    assert "3 more" in (last.message or "")


def test_without_a_folder_nothing_is_taken_out() -> None:
    files = MemberFiles(None)
    assert files.add("a.txt", lambda: pytest.fail("must not be read")) == "a.txt"
    assert files.members == ()
