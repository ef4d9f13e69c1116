"""Content decides what a file is; the name only helps where content says little."""

import bz2
import gzip
import io
import lzma
import tarfile
import time
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from contracts import ParseError, ParseFailure
from ingestion.parsing.media_types import (
    ASCIIDOC,
    BMP,
    CSV,
    DOCX,
    EMAIL,
    EPUB,
    GIF,
    GZIP,
    HTML,
    JPEG,
    JSON,
    JSONL,
    MARKDOWN,
    MBOX,
    ODS,
    ODT,
    PDF,
    PNG,
    PPTX,
    RST,
    RTF,
    SRT,
    TAR,
    TEXT,
    TIFF,
    TSV,
    VTT,
    WEBP,
    XLS,
    XLSX,
    XML,
    ZIP,
    detect_media_type,
)
from ingestion.parsing.zip_types import MAX_UNPACKED_BYTES

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 500


def archive(*names: str, payload: bytes = b"<x/>") -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as packed:
        for name in names:
            packed.writestr(name, payload)
    return stream.getvalue()


def tar() -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as packed:
        packed.addfile(tarfile.TarInfo("a.txt"), io.BytesIO(b""))
    return stream.getvalue()


def image(kind: str) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (8, 8)).save(stream, kind)
    return stream.getvalue()


MAIL = b"From: a@b.c\nTo: d@e.f\nDate: Mon, 1 Jan 2024 10:00:00 +0000\nMessage-ID: <1@x>\n\nbody"
MBOX_MAIL = b"From a@b.c Mon Jan  1 10:00:00 2024\n" + MAIL
SRT_TEXT = b"1\n00:00:01,000 --> 00:00:02,000\nHello\n"


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.pdf", b"%PDF-1.7 ...", PDF),
        ("a.txt", b"%PDF-1.7 ...", PDF),
        ("a.pdf", b"\n\njunk before %PDF-1.4", PDF),
        ("a.bin", b"\0\x01 %PDF-1.4", PDF),
        ("a.md", b"A file begins with %PDF-1.4", MARKDOWN),
        ("a.docx", archive("[Content_Types].xml", "word/document.xml"), DOCX),
        ("a.dotm", archive("[Content_Types].xml", "word/document2.xml"), DOCX),
        ("a.pptx", archive("[Content_Types].xml", "ppt/presentation.xml"), PPTX),
        ("a.xlsx", archive("[Content_Types].xml", "xl/workbook.xml"), XLSX),
        ("a.xlsx", archive("[Content_Types].xml", "XL/WORKBOOK.XML"), XLSX),
        ("a.xlsb", archive("[Content_Types].xml", "xl/workbook.bin"), XLSX),
        ("a.docx", archive("[Content_Types].xml", "ppt/presentation.xml"), PPTX),
        ("5f2a9c", archive("[Content_Types].xml", "word/document.xml"), DOCX),
        ("a.odt", archive("mimetype", "content.xml", payload=ODT.encode()), ODT),
        ("a.ott", archive("mimetype", "content.xml", payload=b"application/vnd.oasis.opendocument.text-template"), ODT),
        ("a.zip", archive("mimetype", "content.xml", payload=ODS.encode()), ODS),
        ("a.epub", archive("mimetype", payload=b"application/epub+zip\n"), EPUB),
        ("a", archive("META-INF/container.xml", "OEBPS/content.opf"), EPUB),
        ("a.zip", archive("word/notes.txt", "a.txt"), ZIP),
        ("a.txt", archive("a.txt"), ZIP),
        ("a.tar", tar(), TAR),
        ("a.tar.gz", gzip.compress(tar()), TAR),
        ("stored", bz2.compress(tar()), TAR),
        ("a.txt.gz", gzip.compress(b"text"), GZIP),
        ("a.xz", lzma.compress(b"text"), GZIP),
        ("a.doc", b"{\\rtf1 x}", RTF),
        ("a.xls", b"\x09\x04\x06\x00\x00\x00\x10\x00", XLS),
        ("a.png", image("PNG"), PNG),
        ("a.jpg", image("PNG"), PNG),
        ("5f2a9c", image("JPEG"), JPEG),
        ("a.tif", image("TIFF"), TIFF),
        ("a.webp", image("WEBP"), WEBP),
        ("a.bmp", image("BMP"), BMP),
        ("a.gif", image("GIF"), GIF),
        ("a.txt", b"<!DOCTYPE html><p>x", HTML),
        ("a.txt", b"<?xml version='1.0'?>\n<!-- x --> <html xmlns='http://www.w3.org/1999/xhtml'>", HTML),
        ("a.pdf", b"<html><body>Not found", HTML),
        ("a.htm", b"<p>x", HTML),
        ("A.MD", b"# x", MARKDOWN),
        ("a.md", b"<div>Logo</div>", MARKDOWN),
        ("a.rst", b"Title\n=====", RST),
        ("a.adoc", b"= Title", ASCIIDOC),
        ("a.csv", b"a,b", CSV),
        ("a.tsv", b"a\tb", TSV),
        ("a.xls", b"a\tb\n1\t2", TSV),
        ("a.xls", b"<html><table>", HTML),
        ("a.svg", b"<?xml version='1.0'?><svg/>", XML),
        ("5f2a9c", b"<article><p>one</p></article>", XML),
        ("5f2a9c", b"<p>one<p>two", TEXT),
        ("a.json", b'{"a": 1}', JSON),
        ("a.json", b'{"a": 1}\n{"a": 2}\n', JSONL),
        ("a.jsonl", b'{"a": 1}\n{"a": 2}\n', JSONL),
        ("5f2a9c", b'{"a":\n 1}', JSON),
        ("5f2a9c", b"{curly, but no data}", TEXT),
        ("a.vtt", b"WEBVTT\n\n", VTT),
        ("a.txt", b"WEBVTT\n\n", VTT),
        ("a.srt", SRT_TEXT, SRT),
        ("a.txt", SRT_TEXT, SRT),
        ("a.txt", "Prüfung".encode("utf-16"), TEXT),
        ("a.txt", "Prüfung der Anlage".encode("utf-16-le"), TEXT),
        ("a.eml", b"Subject: x\n\nbody", EMAIL),
        ("5f2a9c", MAIL, EMAIL),
        ("a.mht", MAIL, HTML),
        ("5f2a9c", b"From: <Saved by Blink>\n" + MAIL.partition(b"\n")[2], HTML),
        ("5f2a9c", MBOX_MAIL, MBOX),
        ("a.mbox", MBOX_MAIL, MBOX),
        ("README", b"read me", TEXT),
        ("a.py", b"print()", TEXT),
        ("a.yaml", b"a: 1", TEXT),
        ("a.docx", b"just text", TEXT),
        ("a.pdf", b"just text", TEXT),
    ],
)
def test_what_is_read(name: str, content: bytes, expected: str, tmp_path: Path) -> None:
    path = tmp_path / "stored"
    path.write_bytes(content)
    assert detect_media_type(path, name) == expected


@pytest.mark.parametrize(
    ("name", "content", "reason", "says"),
    [
        ("a.txt", bytes(range(256)) * 4, ParseFailure.UNSUPPORTED, "not text"),
        ("a.exe", b"MZ\x90\0" + bytes(200), ParseFailure.UNSUPPORTED, "pdf|PDF"),
        ("a.7z", b"7z\xbc\xaf\x27\x1c" + bytes(200), ParseFailure.UNSUPPORTED, "7z"),
        ("a.pages", archive("Index/Document.iwa"), ParseFailure.UNSUPPORTED, "export it"),
        ("a.vsdx", archive("[Content_Types].xml", "visio/document.xml"), ParseFailure.UNSUPPORTED, r"\.vsdx"),
        ("a.ps", b"%!PS-Adobe-3.0", ParseFailure.UNSUPPORTED, "convert it"),
        ("a.txt", b"-----BEGIN PGP MESSAGE-----", ParseFailure.ENCRYPTED, "PGP"),
        ("a.doc", OLE, ParseFailure.CORRUPT, "damaged"),
        ("a.docx", archive("word/document.xml")[:40], ParseFailure.CORRUPT, "damaged"),
        ("a.zip", archive("a.txt")[:40], ParseFailure.CORRUPT, "damaged"),
        ("a.docx", archive("a.txt"), ParseFailure.CORRUPT, "without a document"),
        ("a.png", b"just text", ParseFailure.CORRUPT, "plain text"),
        ("a.pdf", b"4 0 obj\nendobj\nstartxref\n", ParseFailure.CORRUPT, "damaged"),
        ("a.pdf", bytes(200), ParseFailure.CORRUPT, "damaged"),
        ("a.pdf", b"version https://git-lfs.github.com/spec/v1\noid", ParseFailure.UNREADABLE, "git lfs pull"),
    ],
)
def test_what_is_refused(name: str, content: bytes, reason: ParseFailure, says: str, tmp_path: Path) -> None:
    path = tmp_path / "stored"
    path.write_bytes(content)
    with pytest.raises(ParseError, match=says) as caught:
        detect_media_type(path, name)
    assert caught.value.reason is reason
    assert repr(name) in str(caught.value)


def test_nested_comments_take_no_time(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"<!-- x --><!--" * 5000)
    began = time.perf_counter()
    assert detect_media_type(path) == TEXT
    assert time.perf_counter() - began < 1


def test_a_zip_bomb_is_refused_without_unpacking_it(tmp_path: Path) -> None:
    path = tmp_path / "bomb.docx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed:
        packed.writestr("word/document.xml", "<x/>")
        for i in range(MAX_UNPACKED_BYTES // (64 << 20) + 1):
            with packed.open(f"word/{i}.xml", "w") as part:
                for _ in range(16):
                    part.write(bytes(4 << 20))
    assert path.stat().st_size < 10 << 20
    with pytest.raises(ParseError, match="unpacks to") as caught:
        detect_media_type(path)
    assert caught.value.reason is ParseFailure.TOO_LARGE


@pytest.mark.parametrize("name", ["papers.zip", "papers.tar"])
def test_an_archive_that_begins_with_a_pdf_is_an_archive(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    paper = b"%PDF-1.4 " + bytes(range(256)) * 8
    if name.endswith("zip"):
        with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
            archive.writestr("a.pdf", paper)
    else:
        with tarfile.open(path, "w") as tar:
            info = tarfile.TarInfo("a.pdf")
            info.size = len(paper)
            tar.addfile(info, io.BytesIO(paper))
    assert detect_media_type(path) == (ZIP if name.endswith("zip") else TAR)
