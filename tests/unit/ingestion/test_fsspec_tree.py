"""Which files are found, under which names, and what is said about them."""

import functools
import http.server
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest

from contracts import Description, InvalidInputError, Listing
from ingestion.sources.fsspec_tree import FsspecTree


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a.txt", "b/c.md", "b/.hidden/x.txt", ".dot.txt", "b/draft-1.md", "keep.log", "out/x.txt"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    return tmp_path


@pytest.fixture
def web(folder: Path) -> Iterator[str]:
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


async def names(folder: Path, location: Path | str) -> list[str]:
    listing = await FsspecTree(str(location)).list()
    assert not listing.unreadable
    return [str(Path(file.name).relative_to(folder.resolve())) for file in listing.files]


def described(listing: Listing) -> dict[str, Description]:
    return {Path(file.name).name: file.description for file in listing.files}


def make_deep(folder: Path) -> None:
    """Make folders within folders, until the path is longer than the system takes: nobody can read the last ones."""
    here = os.open(folder, os.O_RDONLY)
    for _ in range(20):
        os.mkdir("d" * 250, dir_fd=here)
        below = os.open("d" * 250, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)


async def test_folders_are_walked_and_hidden_files_left_out(folder: Path) -> None:
    assert await names(folder, folder) == ["a.txt", "b/c.md", "b/draft-1.md", "keep.log", "out/x.txt"]
    assert await names(folder, f"file://{folder}/b") == ["b/c.md", "b/draft-1.md"]


async def test_a_file_named_itself_is_taken(folder: Path) -> None:
    tree = FsspecTree(str(folder / ".dot.txt"))
    (file,) = (await tree.list()).files
    assert file.name == tree.root == str(folder / ".dot.txt")


async def test_an_ignore_file_is_heeded_and_need_not_be_utf8(folder: Path) -> None:
    (folder / ".footnoteignore").write_bytes(b"# caf\xe9: not these\n*.log\nout/\n")
    (folder / "b" / ".footnoteignore").write_text("draft-*\n")
    assert await names(folder, folder) == ["a.txt", "b/c.md"]


async def test_a_folder_below_that_cannot_be_read_is_told_and_the_rest_is_found(folder: Path) -> None:
    make_deep(folder / "b")
    listing = await FsspecTree(str(folder)).list()
    assert [Path(file.name).name for file in listing.files] == ["a.txt", "c.md", "draft-1.md", "keep.log", "x.txt"]
    ((unreadable, reason),) = listing.unreadable.items()
    assert unreadable.startswith(f"{folder}/b/ddd") and unreadable.endswith("/") and reason == "File name too long"


async def test_a_link_back_up_is_not_followed_for_ever(folder: Path) -> None:
    (folder / "b" / "loop").symlink_to(folder, target_is_directory=True)
    assert "b/c.md" in await names(folder, folder)


async def test_what_is_not_there_or_cannot_be_reached_is_named(folder: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"nothing.*does not exist"):
        await FsspecTree(str(folder / "nothing")).list()
    with pytest.raises(InvalidInputError, match=r"'nosuch://x' cannot be read: Protocol not known"):
        await FsspecTree("nosuch://x").list()


async def test_the_fingerprint_changes_with_the_file(folder: Path) -> None:
    async def fingerprint() -> str:
        return (await FsspecTree(str(folder / "a.txt")).list()).files[0].fingerprint

    before = await fingerprint()
    assert before and before == await fingerprint()
    stat = (folder / "a.txt").stat()
    (folder / "a.txt").write_text("y")
    os.utime(folder / "a.txt", ns=(stat.st_atime_ns, stat.st_mtime_ns))  # as if it had not been written
    assert before != await fingerprint()


async def test_descriptions_come_from_files_beside_and_folders_above(folder: Path) -> None:
    (folder / ".footnote.yaml").write_text("readers: [staff]\nteam: blue\n")
    (folder / "b" / ".footnote.yaml").write_text("team: red\n")
    (folder / "b" / "c.md.meta.yaml").write_text("readers: boss\nyear: 2024\ntags: [x, y]\n")
    found = described(await FsspecTree(str(folder)).list())
    assert found["a.txt"] == Description(("staff",), {"team": "blue"})
    assert found["draft-1.md"] == Description(("staff",), {"team": "red"})
    assert found["c.md"] == Description(("boss",), {"team": "red", "year": "2024", "tags": "x, y"})
    assert "c.md.meta.yaml" not in found


async def test_a_link_to_a_file_is_that_file_and_a_broken_one_is_nothing(folder: Path) -> None:
    (folder / "b" / "link.txt").symlink_to(folder / "a.txt")
    (folder / "b" / "broken.txt").symlink_to(folder / "nothing")
    assert await names(folder, folder / "b") == ["b/c.md", "b/draft-1.md", "b/link.txt"]


async def test_what_programs_leave_behind_is_left_out_unless_it_is_asked_for(folder: Path) -> None:
    for name in ("node_modules/m/readme.md", "__pycache__/x.pyc", "~$letter.docx", "Thumbs.db"):
        (folder / "b" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "b" / name).write_text("x")
    assert await names(folder, folder / "b") == ["b/c.md", "b/draft-1.md"]
    (folder / "b" / ".footnoteignore").write_text("!Thumbs.db\n")
    assert await names(folder, folder / "b") == ["b/Thumbs.db", "b/c.md", "b/draft-1.md"]


async def test_a_description_of_a_file_that_is_gone_is_no_document(folder: Path) -> None:
    (folder / "pay.pdf.meta.yaml").write_text("readers: [boss]\n")
    assert "pay.pdf.meta.yaml" not in await names(folder, folder)


@pytest.mark.parametrize("said", ["readers: []", "readers: {a: b}", "[1, 2]", "a: [", "readers: 5", "x: {y: z}"])
async def test_a_description_that_cannot_be_understood_is_a_problem(folder: Path, said: str) -> None:
    (folder / "a.txt.meta.yaml").write_text(said)
    problem = described(await FsspecTree(str(folder)).list())["a.txt"].problem
    assert "a.txt.meta.yaml' cannot be understood" in problem and "Who may see the file is unknown" in problem


async def test_a_folder_in_memory_is_read_as_one_on_disk(tmp_path: Path) -> None:
    files = fsspec.filesystem("memory")
    files.pipe({"/bucket/x.txt": b"one", "/bucket/deep/y.txt": b"two"})
    tree = FsspecTree("memory://bucket")
    listing = await tree.list()
    assert tree.root == "memory://bucket/"
    assert [file.name for file in listing.files] == ["memory://bucket/deep/y.txt", "memory://bucket/x.txt"]
    assert (await tree.fetch("memory://bucket/deep/y.txt", tmp_path)).read_bytes() == b"two"
    before = listing.files[1].fingerprint
    files.pipe({"/bucket/x.txt": b"new"})
    assert (await tree.list()).files[1].fingerprint != before
    files.rm("/bucket", recursive=True)
    with pytest.raises(OSError, match="deep"):
        await tree.fetch("memory://bucket/deep/y.txt", tmp_path)


@pytest.mark.enable_socket
async def test_a_folder_on_the_web_is_read_as_one_on_disk(web: str, tmp_path: Path) -> None:
    tree = FsspecTree(web + "/")
    listing = await tree.list()
    assert [file.name.removeprefix(web) for file in listing.files] == [
        "/a.txt", "/b/c.md", "/b/draft-1.md", "/keep.log", "/out/x.txt",
    ]  # fmt: skip
    assert (await tree.fetch(f"{web}/b/c.md", tmp_path)).read_text() == "x"
    (single,) = (await FsspecTree(f"{web}/a.txt").list()).files
    assert single.name == f"{web}/a.txt"


@pytest.mark.enable_socket
async def test_a_password_is_not_in_names(web: str) -> None:
    secret = web.replace("http://", "http://user:secret@")
    tree = FsspecTree(secret + "/")
    listing = await tree.list()
    assert listing.files and not any("secret" in file.name for file in listing.files)
    assert "secret" not in tree.root


async def test_what_folders_above_say_holds_for_a_folder_or_file_that_is_synced_by_itself(folder: Path) -> None:
    (folder / ".footnote.yaml").write_text("readers: [staff]\nteam: blue\n")
    for place in (folder / "b", folder / "b" / "c.md"):
        found = described(await FsspecTree(str(place)).list())
        assert found["c.md"] == Description(("staff",), {"team": "blue"})


async def test_a_question_mark_in_a_name_hides_no_file(folder: Path) -> None:
    (folder / "b" / "what?.txt").write_text("x")
    assert await names(folder, folder / "b") == ["b/c.md", "b/draft-1.md", "b/what?.txt"]


@pytest.mark.parametrize("said", ["a: !!int ''", "a: !!bool x", "a: !!timestamp x", "a: " + "x" * 300_000])
async def test_no_description_stops_a_sync(folder: Path, said: str) -> None:
    (folder / "a.txt.meta.yaml").write_text(said)
    found = described(await FsspecTree(str(folder)).list())
    assert "cannot be understood" in found["a.txt"].problem and not found["keep.log"].problem


async def test_lists_of_the_same_lists_do_not_fill_the_memory(folder: Path) -> None:
    lines = ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)]
    (folder / "a.txt.meta.yaml").write_text("\n".join(lines))
    assert "cannot be nested" in described(await FsspecTree(str(folder)).list())["a.txt"].problem


@pytest.mark.enable_socket
async def test_links_that_lead_out_of_a_folder_on_the_web_are_not_followed(web: str, folder: Path) -> None:
    (folder / "b" / "index.html").write_text('<a href="../out/">out</a> <a href="c.md">c</a> <a href="../b/">b</a>')
    listing = await FsspecTree(f"{web}/b/").list()
    assert [file.name for file in listing.files] == [f"{web}/b/c.md"]
