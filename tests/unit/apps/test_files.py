"""Which files are ingested."""

from pathlib import Path

import pytest

from apps.cli.files import find_files
from contracts import InvalidInputError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a.txt", "b/c.md", "b/.hidden/x.txt", ".dot.txt", "b/draft-1.md", "keep.log", "out/x.txt"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    return tmp_path


def names(folder: Path, *paths: Path) -> list[str]:
    return [str(path.relative_to(folder.resolve())) for path in find_files(paths)]


def test_folders_are_walked_and_hidden_files_left_out(folder: Path) -> None:
    assert names(folder, folder) == ["a.txt", "b/c.md", "b/draft-1.md", "keep.log", "out/x.txt"]


def test_a_file_named_itself_is_taken_and_nothing_is_taken_twice(folder: Path) -> None:
    assert names(folder, folder / ".dot.txt", folder / "b", folder / "b/c.md") == [".dot.txt", "b/c.md", "b/draft-1.md"]


def test_an_ignore_file_is_heeded(folder: Path) -> None:
    (folder / ".footnoteignore").write_text("# not these\n*.log\nout/\n")
    (folder / "b" / ".footnoteignore").write_text("draft-*\n")
    assert names(folder, folder) == ["a.txt", "b/c.md"]


def test_a_link_back_up_is_not_followed_for_ever(folder: Path) -> None:
    (folder / "b" / "loop").symlink_to(folder, target_is_directory=True)
    assert "b/c.md" in names(folder, folder)


def test_what_is_not_there_is_named(folder: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"nothing.*does not exist"):
        find_files([folder / "nothing"])
    (folder / "empty").mkdir()
    with pytest.raises(InvalidInputError, match="No files to ingest"):
        find_files([folder / "empty"])
