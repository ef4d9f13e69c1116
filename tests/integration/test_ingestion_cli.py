"""The commands that keep a collection, as their users run them: with the real parsers, catalog and a small encoder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from apps.cli.main import app
from tests.small_encoder import make_small_encoder

pytestmark = pytest.mark.integration

ROOT = Path(__file__).resolve().parents[2]
UNREADABLE = b"%PDF-1.4 not really"


class Footnote:
    """The command, with a data folder and a folder of files of its own."""

    def __init__(self, folder: Path, encoders: Path) -> None:
        self.files = folder / "files"
        self.data = folder / "data"
        self.encoders = encoders
        self.env = {"FOOTNOTE_DATA_DIR": str(self.data), "FOOTNOTE_EMBEDDING__MODEL": str(encoders / "small")}
        self.files.mkdir()

    def write(self, **texts: str) -> None:
        """Write text files, by name without suffix."""
        for name, text in texts.items():
            (self.files / f"{name}.txt").write_text(text)

    def __call__(self, *arguments: object, code: int = 0, data: Path | None = None) -> Result:
        env = self.env | ({"FOOTNOTE_DATA_DIR": str(data)} if data else {})
        done = CliRunner().invoke(app, [str(each) for each in arguments], env=env)
        assert done.exit_code == code, done.output
        return done

    def told(self, *arguments: object, code: int = 0, data: Path | None = None) -> Any:
        """Return what a command prints for programs."""
        return json.loads(self(*arguments, "--json", code=code, data=data).stdout)

    def sync(self, *options: str, code: int = 0) -> dict[str, str]:
        """Sync the folder and return the outcomes by file name."""
        return {
            Path(each["source"]).name: each["outcome"] for each in self.told("sync", self.files, *options, code=code)
        }

    def found(self, *options: object, data: Path | None = None) -> list[tuple[str, str, float]]:
        """Return what a search finds."""
        hits = self.told("search", "when does the ferry leave", "-k", 10, *options, data=data)
        return [(hit["source"], hit["text"], hit["score"]) for hit in hits]


@pytest.fixture(scope="module")
def encoders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("encoders")
    for seed, name in enumerate(("small", "other")):
        make_small_encoder(folder / name, seed=seed)
    return folder


@pytest.fixture
def footnote(tmp_path: Path, encoders: Path) -> Footnote:
    return Footnote(tmp_path, encoders)


def test_a_folder_through_its_life(footnote: Footnote) -> None:
    footnote.write(ferry="The ferry leaves at nine.", tram="The tram runs daily.", old="This is old.")
    (footnote.files / "bad.pdf").write_bytes(UNREADABLE)
    assert set(footnote.sync(code=1).values()) == {"added", "failed"}
    (failure,) = footnote.told("documents", "failed")
    assert (Path(failure["source"]).name, failure["reason"]) == ("bad.pdf", "corrupt")

    (footnote.files / "bad.pdf").unlink()
    (footnote.files / "old.txt").unlink()
    (footnote.files / "tram.txt").rename(footnote.files / "trams.txt")
    footnote.write(ferry="The ferry leaves at ten.")
    would = {each["would"] for each in footnote.told("sync", footnote.files, "--dry-run", "--delete")}
    assert would == {"update", "move", "delete"}
    outcomes = {"trams.txt": "moved", "ferry.txt": "updated", "old.txt": "deleted", "bad.pdf": "deleted"}
    assert footnote.sync("--delete") == outcomes
    assert footnote.told("documents", "failed") == []

    ferry = footnote.files / "ferry.txt"
    new, old = footnote.told("documents", "versions", ferry)
    assert new["current"] and not old["current"]
    footnote("documents", "restore", ferry, old["version"][:8])
    assert "The ferry leaves at nine." in [text for _, text, _ in footnote.found()]
    assert footnote.sync() == {"ferry.txt": "updated", "trams.txt": "unchanged"}  # the file is what counts in the end

    footnote("documents", "delete", ferry)
    assert [Path(source).name for source, _, _ in footnote.found()] == ["trams.txt"]
    footnote("compact")
    for path in footnote.files.iterdir():
        path.unlink()
    assert "is the disk mounted" in footnote("sync", footnote.files, "--delete", code=1).stderr
    assert footnote.sync("--delete", "--allow-empty") == {"trams.txt": "deleted"}


def test_a_collection_is_cut_and_embedded_anew_and_goes_elsewhere(footnote: Footnote, tmp_path: Path) -> None:
    footnote.write(ferry="\n\n".join(f"The ferry number {n} leaves at {n} sharp." for n in range(1, 9)))
    footnote("collections", "create", "ships", "--strategy", "fixed", "--chunk-tokens", 64, "--overlap-tokens", 0)
    footnote.sync("-c", "ships")
    before = len(footnote.found("-c", "ships"))
    footnote("collections", "recut", "ships", "--chunk-tokens", 100)
    assert footnote.sync("-c", "ships") == {"ferry.txt": "updated"}
    assert 0 < len(footnote.found("-c", "ships")) < before

    footnote("collections", "reembed", "ships", "--model", footnote.encoders / "other")
    (listed,) = footnote.told("collections")
    assert (listed["name"], listed["strategy"], listed["chunk_tokens"]) == ("ships", "fixed", 100)
    assert listed["embedder"] == str(footnote.encoders / "other")

    package = tmp_path / "ships.tar.zst"
    footnote("export", "ships", package)
    footnote("import", package, "--as", "copy", data=tmp_path / "elsewhere")
    assert footnote.found("-c", "copy", data=tmp_path / "elsewhere") == footnote.found("-c", "ships")
    footnote("import", package, code=1)
    footnote("collections", "delete", "ships", "--yes")
    assert footnote.told("collections") == []


def test_a_command_below_another_heeds_its_collection(footnote: Footnote) -> None:
    footnote.write(ferry="The ferry leaves at nine.")
    footnote("ingest", footnote.files)
    footnote("ingest", footnote.files, "-c", "legal")
    footnote("documents", "-c", "legal", "delete", footnote.files / "ferry.txt")
    assert [len(footnote.told("documents", "-c", name)) for name in ("default", "legal")] == [1, 0]


@pytest.fixture
def web(footnote: Footnote) -> Iterator[str]:
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(footnote.files)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


def test_sources_by_url(footnote: Footnote, web: str) -> None:
    footnote.write(ferry="The ferry leaves at nine.")
    for url in (web, f"file://{footnote.files}"):
        assert [each["outcome"] for each in footnote.told("sync", url)] == ["added"]
        assert [each["outcome"] for each in footnote.told("sync", url)] == ["unchanged"]
    sources = [each["source"] for each in footnote.told("documents")]
    assert sources == [str(footnote.files / "ferry.txt"), f"{web}ferry.txt"]


@pytest.mark.parametrize(
    ("command", "code", "said"),
    [
        ("ingest", 2, "Missing argument"),
        ("ingest nowhere", 1, "does not exist"),
        ("sync nowhere --delete", 1, "does not exist"),
        ("sync nowhere --watch", 1, "does not exist"),
        ("sync nowhere --watch --dry-run", 2, "do not go together"),
        ("sync s3x://bucket/x", 1, "'s3x://bucket/x'"),
        ("sync ~no-such-user/x", 1, "does not exist"),
        ("sync . -c a/b", 1, "'a/b' is no collection name"),
        ("documents -c nowhere", 1, "No collection 'nowhere'"),
        ("documents failed -c nowhere", 1, "No collection 'nowhere'"),
        ("documents versions nothing", 1, "No document 'nothing'"),
        ("documents restore nothing 00", 1, "No document 'nothing'"),
        ("documents delete nothing", 1, "No document 'nothing'"),
        ("search x -c nowhere", 1, "No collection 'nowhere'"),
        ("collections create x --strategy magic", 2, "'magic'"),
        ("collections create x --chunk-tokens 32 --overlap-tokens 32", 1, "take less"),
        ("collections create x --model ./nowhere/none/x", 1, "Cannot load the embedding model"),
        ("collections recut nowhere --chunk-tokens 64", 1, "No collection 'nowhere'"),
        ("collections recut nowhere", 2, "say what to change"),
        ("collections reembed nowhere --model x", 1, "No collection 'nowhere'"),
        ("collections delete nowhere --yes", 1, "No collection 'nowhere'"),
        ("export nowhere x.tar.zst", 1, "No collection 'nowhere'"),
        ("import nowhere.tar.zst", 1, "does not exist"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(footnote: Footnote, command: str, code: int, said: str) -> None:
    done = footnote(*command.split(), code=code)
    assert said in " ".join(done.stderr.split())
    if code == 1:
        assert done.stderr.startswith(("Error: ", "Watching")) and done.stdout == ""
        assert len([line for line in done.stderr.splitlines() if "Error: " in line]) == 1
    assert not (footnote.data / "catalog.sqlite").exists() or footnote.told("collections") == []


def test_a_reader_that_has_seen_enough_is_no_error(footnote: Footnote) -> None:
    footnote.write(**{f"text{number}": f"This is text {number}." for number in range(9)})
    footnote("ingest", footnote.files)
    command = f"{sys.executable} -m apps.cli.main documents --json | true"
    env = {**os.environ, **footnote.env}
    done = subprocess.run(["bash", "-c", command], cwd=ROOT, env=env, capture_output=True, text=True, check=True)
    assert done.stderr == ""


def test_passages_that_broke_a_rule_are_reported_counted_and_listed(footnote: Footnote) -> None:
    footnote.write(ferry="The ferry leaves at nine.")
    plain = footnote("ingest", footnote.files).stdout
    assert "flagged" not in plain
    assert "flagged" not in footnote("documents").stdout.splitlines()[0]
    assert "No passage" in footnote("documents", "flagged").stdout

    page = "<p>The ferry leaves at nine in the morning, every day.</p><p hidden>This\x1b[31m timetable is old.</p>"
    (footnote.files / "ferry.html").write_text(f"<html><body><article>{page}</article></body></html>")
    told = footnote("ingest", footnote.files)
    assert "1 passages are flagged; `footnote documents flagged` lists them." in told.stdout
    assert "1 of 2 passages flagged" in told.stderr
    (row,) = [line.split() for line in told.stdout.splitlines() if line.startswith("ferry.html")]
    assert row == ["ferry.html", "added", "2", "1"]
    assert {Path(each["source"]).name: each["flagged"] for each in footnote.told("documents")} == {
        "ferry.html": 1,
        "ferry.txt": 0,
    }
    assert "flagged" in footnote("documents").stdout.splitlines()[0]
    (listed,) = footnote.told("documents", "flagged", "-c", "default")
    assert (Path(listed["source"]).name, listed["flags"]) == ("ferry.html", ["hidden_text"])
    assert "timetable is old." in listed["text"]
    shown = footnote("documents", "flagged").stdout
    assert "hidden_text" in shown and "timetable is old." in shown and "\x1b" not in shown
    (again,) = [each for each in footnote.told("sync", footnote.files) if each["source"].endswith(".html")]
    assert (again["outcome"], again["flagged"]) == ("unchanged", 0)
    assert footnote.told("documents", "check") == []  # the rules are as they were
    for command in ("flagged", "check"):
        footnote("documents", command, "-c", "none", code=1)
