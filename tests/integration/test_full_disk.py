"""A disk that is full, or may not be written to: a clear error, and what was there goes on working."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.running_stack import FOOTNOTE, ROOT

pytestmark = pytest.mark.integration

SIZE_MB = 6


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of a few megabytes."""
    place = tmp_path / "disk"
    place.mkdir()
    options = f"size={SIZE_MB}m,mode=777"
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", place], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("a disk can be mounted by root only")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def footnote(disk: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    settings = {"FOOTNOTE_DATA_DIR": str(disk / "data"), "FOOTNOTE_OBSERVABILITY__MLFLOW_URL": "http://127.0.0.1:9"}
    return subprocess.run(
        [FOOTNOTE, *arguments],
        env=os.environ | settings,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def write(folder: Path, name: str, words: int) -> None:
    folder.mkdir(exist_ok=True)
    sentence = f"This is a sentence of {name}, which speaks of marmots and of the weather. "
    (folder / name).write_text(sentence * (words // 14))


def test_a_full_disk_stops_with_a_clear_error_and_what_was_there_is_found(disk: Path, tmp_path: Path) -> None:
    write(tmp_path / "files", "small.txt", 200)
    assert footnote(disk, "ingest", str(tmp_path / "files")).returncode == 0
    (disk / "ballast").write_bytes(bytes((SIZE_MB << 20) - used(disk) - (300 << 10)))
    for number in range(6):
        write(tmp_path / "files", f"large-{number}.txt", 60_000)
    full = footnote(disk, "ingest", str(tmp_path / "files"))
    assert full.returncode != 0
    error = full.stderr.strip().splitlines()[-1]
    assert "Error:" in error and ("No space left" in error or "full" in error), full.stderr
    assert "small.txt" in footnote(disk, "search", "marmots", "-k", "1").stdout

    (disk / "ballast").unlink()
    (disk / "data").joinpath("note").touch()
    for path in (tmp_path / "files").glob("large-[1-5].txt"):
        path.unlink()
    write(tmp_path / "files", "large-0.txt", 5_000)
    again = footnote(disk, "ingest", str(tmp_path / "files"))
    assert again.returncode == 0, again.stderr


def test_a_disk_that_may_not_be_written_to_is_named_and_nothing_is_lost(disk: Path, tmp_path: Path) -> None:
    write(tmp_path / "files", "small.txt", 200)
    assert footnote(disk, "ingest", str(tmp_path / "files")).returncode == 0
    write(tmp_path / "files", "more.txt", 200)
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    refused = footnote(disk, "ingest", str(tmp_path / "files"))
    assert refused.returncode == 1
    assert "Error:" in refused.stderr and "Traceback" not in refused.stderr, refused.stderr
    assert any(word in refused.stderr.lower() for word in ("read-only", "readonly")), refused.stderr
    subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
    assert footnote(disk, "ingest", str(tmp_path / "files")).returncode == 0


def used(disk: Path) -> int:
    status = os.statvfs(disk)
    return (status.f_blocks - status.f_bfree) * status.f_frsize
