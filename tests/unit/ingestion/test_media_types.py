"""Content decides what a file is; the name only helps where content says little."""

import io
import zipfile
from pathlib import Path

import pytest

from contracts import ParseError, ParseFailure
from ingestion.media_types import (
    CSV,
    DOCX,
    EMAIL,
    HTML,
    MARKDOWN,
    MAX_UNPACKED_BYTES,
    PDF,
    PPTX,
    TEXT,
    XLSX,
    detect_media_type,
)

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 500


def archive(*names: str, payload: bytes = b"<x/>") -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as packed:
        for name in names:
            packed.writestr(name, payload)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.pdf", b"%PDF-1.7 ...", PDF),
        ("a.txt", b"%PDF-1.7 ...", PDF),
        ("a.pdf", b"\n\njunk before %PDF-1.4", PDF),
        ("a.docx", archive("[Content_Types].xml", "word/document.xml"), DOCX),
        ("a.pptx", archive("[Content_Types].xml", "ppt/presentation.xml"), PPTX),
        ("a.xlsx", archive("[Content_Types].xml", "xl/workbook.xml"), XLSX),
        ("a.xlsx", archive("[Content_Types].xml", "XL/WORKBOOK.XML"), XLSX),
        ("a.docx", archive("[Content_Types].xml", "ppt/presentation.xml"), PPTX),
        ("5f2a9c", archive("[Content_Types].xml", "word/document.xml"), DOCX),
        ("a.txt", b"<!DOCTYPE html><p>x", HTML),
        ("a.htm", b"<p>x", HTML),
        ("A.MD", b"# x", MARKDOWN),
        ("a.csv", b"a,b", CSV),
        ("a.txt", "Prüfung".encode("utf-16"), TEXT),
        ("a.txt", "Prüfung der Anlage".encode("utf-16-le"), TEXT),
        ("a.eml", b"Subject: x\n\nbody", EMAIL),
        ("5f2a9c", b"From: a@b.c\nTo: d@e.f\nDate: Mon, 1 Jan 2024 10:00:00 +0000\nMessage-ID: <1@x>\n\nbody", EMAIL),
        ("README", b"read me", TEXT),
    ],
)
def test_what_is_read(name: str, content: bytes, expected: str, tmp_path: Path) -> None:
    path = tmp_path / "stored"
    path.write_bytes(content)
    assert detect_media_type(path, name) == expected


@pytest.mark.parametrize(
    ("name", "content", "reason", "says"),
    [
        ("a.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + b"\0" * 90, ParseFailure.UNSUPPORTED, "eml"),
        ("a.txt", bytes(range(256)) * 4, ParseFailure.UNSUPPORTED, "not text"),
        ("a.zip", archive("a.txt"), ParseFailure.UNSUPPORTED, "unpack"),
        ("a.epub", archive("mimetype"), ParseFailure.UNSUPPORTED, r"\.epub"),
        ("a.doc", OLE, ParseFailure.UNSUPPORTED, "save it as docx"),
        ("a.py", b"print()", ParseFailure.UNSUPPORTED, r"\.py"),
        ("a.txt", b"{\\rtf1 x}", ParseFailure.UNSUPPORTED, "RTF"),
        ("a.docx", OLE + "EncryptedPackage".encode("utf-16-le"), ParseFailure.ENCRYPTED, "password"),
        ("a.docx", archive("word/document.xml")[:40], ParseFailure.CORRUPT, "damaged"),
        ("a.docx", archive("a.txt"), ParseFailure.CORRUPT, "without a document"),
        ("a.pdf", b"just text", ParseFailure.CORRUPT, "plain text"),
        ("a.pdf", bytes(200), ParseFailure.CORRUPT, "damaged"),
    ],
)
def test_what_is_refused(name: str, content: bytes, reason: ParseFailure, says: str, tmp_path: Path) -> None:
    path = tmp_path / "stored"
    path.write_bytes(content)
    with pytest.raises(ParseError, match=says) as caught:
        detect_media_type(path, name)
    assert caught.value.reason is reason
    assert repr(name) in str(caught.value)


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
