"""Which files are ingested."""

import os
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
    skipped: list[str] = []
    found = find_files(paths, skipped.append)
    assert not skipped
    return [str(path.relative_to(folder.resolve())) for path in found]


def make_deep(folder: Path) -> None:
    """Make folders within folders, until the path is longer than the system takes: nobody can read the last ones."""
    here = os.open(folder, os.O_RDONLY)
    for _ in range(20):
        os.mkdir("d" * 250, dir_fd=here)
        below = os.open("d" * 250, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)


def test_folders_are_walked_and_hidden_files_left_out(folder: Path) -> None:
    assert names(folder, folder) == ["a.txt", "b/c.md", "b/draft-1.md", "keep.log", "out/x.txt"]


def test_a_file_named_itself_is_taken_and_nothing_is_taken_twice(folder: Path) -> None:
    assert names(folder, folder / ".dot.txt", folder / "b", folder / "b/c.md") == [".dot.txt", "b/c.md", "b/draft-1.md"]


def test_an_ignore_file_is_heeded(folder: Path) -> None:
    (folder / ".footnoteignore").write_text("# not these\n*.log\nout/\n")
    (folder / "b" / ".footnoteignore").write_text("draft-*\n")
    assert names(folder, folder) == ["a.txt", "b/c.md"]


def test_an_ignore_file_need_not_be_utf8(folder: Path) -> None:
    (folder / ".footnoteignore").write_bytes(b"# caf\xe9\n*.log\nout/\nb/\n")
    assert names(folder, folder) == ["a.txt"]


def test_a_folder_below_that_cannot_be_read_is_told_and_the_rest_is_found(folder: Path) -> None:
    make_deep(folder / "b")
    skipped: list[str] = []
    found = find_files([folder], skipped.append)
    assert [path.name for path in found] == ["a.txt", "c.md", "draft-1.md", "keep.log", "x.txt"]
    (line,) = skipped
    assert line.startswith(f"skipped '{folder.resolve() / 'b'}") and line.endswith("File name too long")


def test_a_path_of_the_user_that_cannot_be_read_is_an_error(folder: Path) -> None:
    with pytest.raises(InvalidInputError, match="cannot be read: File name too long"):
        find_files([folder, folder / ("d" * 300)], print)


def test_a_link_back_up_is_not_followed_for_ever(folder: Path) -> None:
    (folder / "b" / "loop").symlink_to(folder, target_is_directory=True)
    assert "b/c.md" in names(folder, folder)


def test_what_is_not_there_is_named(folder: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"nothing.*does not exist"):
        find_files([folder / "nothing"], print)
    (folder / "empty").mkdir()
    with pytest.raises(InvalidInputError, match="No files to ingest"):
        find_files([folder / "empty"], print)
