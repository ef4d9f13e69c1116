"""What was inserted into an Office document is found inside it."""

import io
import struct
import zipfile
from pathlib import Path

import pytest

from contracts import Element, ParsedFile, ParseError, ParseFailure
from ingestion.parsing.archives.embedded_files_parser import EmbeddedFilesParser
from ingestion.parsing.office.olefile_packages import _native
from ingestion.parsing.parse_errors import empty


class Reading:
    """A parser that finds this text, or none."""

    def __init__(self, text: str) -> None:
        self._text = text

    async def parse(self, path: Path, name: str | None = None, *, scratch: Path | None = None) -> ParsedFile:
        if not self._text:
            raise empty(name or path.name)
        return ParsedFile("t", "x/y", (Element(self._text),))


def package(tmp_path: Path, parts: dict[str, bytes]) -> Path:
    path = tmp_path / "a.docx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("word/document.xml", b"<x/>")
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


async def found(path: Path, tmp_path: Path, text: str = "text") -> dict[str, bytes]:
    parsed = await EmbeddedFilesParser(Reading(text)).parse(path, "a.docx", scratch=tmp_path / "scratch")
    return {member.name: member.path.read_bytes() for member in parsed.members if member.path}


async def test_inserted_files_are_members_and_the_data_of_charts_is_not(tmp_path: Path) -> None:
    relations = b'<Relationship Target="../embeddings/Microsoft_Excel_Sheet1.xlsx"/>'
    parts = {
        "word/embeddings/Microsoft_Word_Document.docx": b"PK inner",
        "word/embeddings/Microsoft_Excel_Sheet1.xlsx": b"PK data",
        "word/charts/_rels/chart1.xml.rels": relations,
        "word/media/image1.png": b"picture",
    }
    assert await found(package(tmp_path, parts), tmp_path) == {"Microsoft_Word_Document.docx": b"PK inner"}


async def test_a_document_of_nothing_but_inserted_files_is_not_empty(tmp_path: Path) -> None:
    path = package(tmp_path, {"word/embeddings/a.pdf": b"%PDF-"})
    assert await found(path, tmp_path, text="") == {"a.pdf": b"%PDF-"}
    with pytest.raises(ParseError) as caught:
        await found(package(tmp_path, {}), tmp_path, text="")
    assert caught.value.reason is ParseFailure.EMPTY


async def test_pictures_are_members_where_there_is_nothing_else(tmp_path: Path) -> None:
    path = package(tmp_path, {"word/media/scan.png": b"scan", "docProps/thumbnail.jpeg": b"small", "a/b.emf": b"emf"})
    assert await found(path, tmp_path, text="text") == {}
    assert await found(path, tmp_path, text="") == {"scan.png": b"scan"}


async def test_a_damaged_object_is_named_and_the_document_is_read(tmp_path: Path) -> None:
    path = package(tmp_path, {"word/embeddings/oleObject1.bin": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 broken"})
    parsed = await EmbeddedFilesParser(Reading("text")).parse(path, "a.docx", scratch=tmp_path / "scratch")
    assert parsed.elements[0].text == "text"
    assert [(member.path, member.reason) for member in parsed.members] == [(None, ParseFailure.CORRUPT)]


async def test_what_is_no_package_is_left_to_the_inner_parser(tmp_path: Path) -> None:
    path = tmp_path / "a.doc"
    path.write_bytes(b"no zip file")
    assert await found(path, tmp_path) == {}


def test_the_object_packager_names_its_file() -> None:
    content = b"inner text"
    texts = b"report.txt\0C:\\Users\\me\\report.txt\0" + bytes(4) + struct.pack("<I", 4) + b"C:\\\0"
    stream = io.BytesIO()
    stream.write(struct.pack("<IH", 0, 2) + texts + struct.pack("<I", len(content)) + content + b"more")
    assert _native(stream.getvalue(), "oleObject1") == ("report.txt", content)
