"""Archives give up their files, and nothing but their files, within limits."""

import base64
import bz2
import gzip
import io
import lzma
import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
import pyzipper
import zstandard

from contracts import ParsedFile, ParseError, ParseFailure
from ingestion.parsing.archives.archive_parser import ArchiveParser
from ingestion.parsing.media_types import GZIP, TAR, ZIP

FILES = {"letters/a.txt": b"first", "b.csv": b"x,y"}


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content, method)
    return stream.getvalue()


def tarred(files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return stream.getvalue()


async def unpacked(content: bytes, tmp_path: Path, parser: ArchiveParser | None = None, name: str = "x") -> ParsedFile:
    shutil.rmtree(tmp_path / "scratch", ignore_errors=True)
    path = tmp_path / "stored"
    path.write_bytes(content)
    return await (parser or ArchiveParser()).parse(path, name, scratch=tmp_path / "scratch")


def contents(parsed: ParsedFile) -> dict[str, bytes]:
    return {member.name: member.path.read_bytes() for member in parsed.members if member.path}


def reasons(parsed: ParsedFile) -> dict[str, ParseFailure]:
    return {member.name: member.reason for member in parsed.members if member.reason}


COMPRESSIONS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstandard": zstandard.compress,
}


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (zipped(FILES), ZIP),
        (zipped(FILES, zipfile.ZIP_STORED), ZIP),
        (zipped(FILES, zipfile.ZIP_BZIP2), ZIP),
        (zipped(FILES, zipfile.ZIP_LZMA), ZIP),
        (tarred(FILES), TAR),
        *((compress(tarred(FILES)), TAR) for compress in COMPRESSIONS.values()),
    ],
)
async def test_every_file_is_taken_out(content: bytes, kind: str, tmp_path: Path) -> None:
    parsed = await unpacked(content, tmp_path, name="box.anything")
    assert contents(parsed) == FILES
    assert (parsed.media_type, parsed.title, parsed.elements) == (kind, "box", ())


@pytest.mark.parametrize("compress", [*COMPRESSIONS.values(), zlib.compress], ids=[*COMPRESSIONS, "zlib"])
async def test_a_single_compressed_file_has_the_name_without_the_ending(
    compress: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    content = b"some text " * 50_000
    parsed = await unpacked(compress(content), tmp_path, name="notes.txt.gz")
    assert parsed.media_type == GZIP
    assert contents(parsed) == {"notes.txt": content}


@pytest.mark.parametrize("make", [zipped, tarred])
async def test_no_name_leads_out_of_the_folder(make: Callable[[dict[str, bytes]], bytes], tmp_path: Path) -> None:
    names = ["../../evil.txt", "/etc/passwd", "C:\\Windows\\win.ini", "a/../../b", "\x01bell"]
    parsed = await unpacked(make(dict.fromkeys(names, b"x")), tmp_path)
    assert [member.name for member in parsed.members] == ["evil.txt", "etc/passwd", "Windows/win.ini", "a/b", "_bell"]
    files = [path.relative_to(tmp_path).parts[0] for path in tmp_path.rglob("*") if path.is_file()]
    assert sorted(files) == ["scratch"] * 5 + ["stored"]


async def test_links_and_devices_are_named_but_not_followed(tmp_path: Path) -> None:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, kind in (("sym", tarfile.SYMTYPE), ("hard", tarfile.LNKTYPE), ("dev", tarfile.CHRTYPE)):
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = kind, "/etc/passwd"
            archive.addfile(entry)
    linked = zipfile.ZipInfo("link")
    linked.external_attr = 0o120777 << 16
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as zip_archive:
        zip_archive.writestr(linked, "/etc/passwd")
    assert reasons(await unpacked(stream.getvalue(), tmp_path)) == dict.fromkeys(
        ("sym", "hard", "dev"), ParseFailure.UNSUPPORTED
    )
    assert reasons(await unpacked(packed.getvalue(), tmp_path)) == {"link": ParseFailure.UNSUPPORTED}


@pytest.mark.filterwarnings("ignore:Duplicate name")
async def test_two_members_of_one_name_are_both_kept(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.txt", "old")
        archive.writestr("a.txt", "new")
    assert contents(await unpacked(packed.getvalue(), tmp_path)) == {"a.txt": b"old", "a (2).txt": b"new"}


async def test_litter_and_folders_are_left_out(tmp_path: Path) -> None:
    litter = ["__MACOSX/._a.txt", ".DS_Store", "x/Thumbs.db", "x/", "._b"]
    parsed = await unpacked(zipped({"a.txt": b"a", **dict.fromkeys(litter, b"x")}), tmp_path)
    assert contents(parsed) == {"a.txt": b"a"}


@pytest.mark.parametrize(
    ("name", "encoding"), [("Prüfung.txt", "utf-8"), ("Prüfung.txt", "cp437"), ("文書の記録.txt", "shift_jis")]
)
async def test_names_in_other_encodings_are_readable(name: str, encoding: str, tmp_path: Path) -> None:
    raw = name.encode(encoding)
    content = zipped({"~" * len(raw): b"x"}).replace(b"~" * len(raw), raw)
    assert contents(await unpacked(content, tmp_path)) == {name: b"x"}


HIDDEN = {"a.txt": b"hidden " * 99}
# Made with the old cipher of the zip format, which no library at hand writes; the password is "secret".
OLD_CIPHER = base64.b85decode(
    "P)h>@6aWDL2mk;8AprKKeq|g0006ZD000F5003bwba-^FJP+EgnBo&K(#o(+ApP9{8w!6qUB_qZWBP_rO928D02BZL00;m803iVOrha7{0002B0ssI7"
    "000000000000000000000AVh4cyv%p1qJ{B000310RS@q002J#00000"
)


def encrypted_by_aes() -> bytes:
    packed = io.BytesIO()
    with pyzipper.AESZipFile(packed, "w", compression=pyzipper.ZIP_DEFLATED, encryption=pyzipper.WZ_AES) as archive:
        archive.setpassword(b"secret")
        for name, content in HIDDEN.items():
            archive.writestr(name, content)
    return packed.getvalue()


@pytest.mark.parametrize("content", [OLD_CIPHER, encrypted_by_aes()], ids=["old cipher", "AES"])
async def test_encrypted_members_open_with_one_of_the_passwords(content: bytes, tmp_path: Path) -> None:
    opened = await unpacked(content, tmp_path, ArchiveParser(["wrong", "secret"]))
    assert contents(opened) == HIDDEN
    for passwords in ([], ["wrong", "also wrong"]):
        refused = await unpacked(content, tmp_path, ArchiveParser(passwords))
        assert reasons(refused) == {"a.txt": ParseFailure.ENCRYPTED}
        assert "password" in (refused.members[0].message or "")


async def test_a_bomb_is_stopped_while_it_goes_off(tmp_path: Path) -> None:
    parser = ArchiveParser(max_bytes=3 << 20, max_member_bytes=2 << 20)
    parsed = await unpacked(zipped({"ok.txt": b"a", "bomb": bytes(5 << 20), "late": b"b" * 100}), tmp_path, parser)
    assert contents(parsed) == {"ok.txt": b"a", "late": b"b" * 100}
    assert reasons(parsed) == {"bomb": ParseFailure.TOO_LARGE}
    many = await unpacked(zipped({str(i): bytes(1 << 20) for i in range(9)}), tmp_path, parser)
    assert len(contents(many)) == 3
    assert set(reasons(many).values()) == {ParseFailure.TOO_LARGE}
    single = await unpacked(gzip.compress(bytes(5 << 20)), tmp_path, parser, "bomb.gz")
    assert reasons(single) == {"bomb": ParseFailure.TOO_LARGE}
    assert not [path for path in (tmp_path / "scratch").rglob("*") if path.is_file()]


async def test_what_expands_without_reason_is_stopped_early(tmp_path: Path) -> None:
    parser = ArchiveParser(max_bytes=1 << 40, max_member_bytes=1 << 40)
    parsed = await unpacked(gzip.compress(bytes(80 << 20)), tmp_path, parser, "zeros.gz")
    assert reasons(parsed) == {"zeros": ParseFailure.TOO_LARGE}


@pytest.mark.parametrize("make", [zipped, tarred])
async def test_too_many_members_are_refused(make: Callable[[dict[str, bytes]], bytes], tmp_path: Path) -> None:
    with pytest.raises(ParseError, match="more than 5 files") as caught:
        await unpacked(make({str(i): b"x" for i in range(6)}), tmp_path, ArchiveParser(max_members=5))
    assert caught.value.reason is ParseFailure.TOO_LARGE


@pytest.mark.parametrize("make", [zipped, tarred])
async def test_an_archive_without_files_is_empty(make: Callable[[dict[str, bytes]], bytes], tmp_path: Path) -> None:
    with pytest.raises(ParseError, match="no files") as caught:
        await unpacked(make({}), tmp_path, name="x.zip" if make is zipped else "x.tar")
    assert caught.value.reason is ParseFailure.EMPTY


async def test_a_damaged_member_does_not_spoil_the_others(tmp_path: Path) -> None:
    content = zipped({"a.txt": b"first", "b.txt": b"second"}, zipfile.ZIP_STORED).replace(b"second", b"sXcond", 1)
    parsed = await unpacked(content, tmp_path)
    assert contents(parsed) == {"a.txt": b"first"}
    assert reasons(parsed) == {"b.txt": ParseFailure.CORRUPT}


async def test_what_a_truncated_tar_still_holds_is_kept(tmp_path: Path) -> None:
    whole = tarred({"a.txt": b"a" * 2000, "b.txt": b"b" * 2000})
    parsed = await unpacked(whole[: 512 + 2048 + 512 + 600], tmp_path)
    assert contents(parsed) == {"a.txt": b"a" * 2000}
    assert ParseFailure.CORRUPT in reasons(parsed).values()


async def test_a_truncated_zip_is_corrupt(tmp_path: Path) -> None:
    with pytest.raises(ParseError) as caught:
        await unpacked(zipped(FILES)[:60], tmp_path)
    assert caught.value.reason is ParseFailure.CORRUPT


async def test_without_a_folder_nothing_is_unpacked(tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_bytes(zipped(FILES))
    with pytest.raises(ParseError, match="no folder") as caught:
        await ArchiveParser().parse(tmp_path / "x.zip")
    assert caught.value.reason is ParseFailure.UNSUPPORTED
