"""The right parser for each file, and a named reason for whatever goes wrong in it."""

import errno
from pathlib import Path

import pytest

from contracts import Element, Member, ParsedFile, ParseError, ParseFailure, Parser
from ingestion.parsing.markup.plain_text_parser import PlainTextParser
from ingestion.parsing.media_types import CSV, PDF
from ingestion.parsing.parser_router import ParserRouter


class Saying:
    """A parser that finds the same text in every file."""

    def __init__(self, text: str) -> None:
        self._text = text

    async def parse(self, path: Path, name: str | None = None, *, scratch: Path | None = None) -> ParsedFile:
        return ParsedFile(title=name or "", media_type="text/plain", elements=(Element(self._text),))


class Failing:
    """A parser that fails as libraries do."""

    def __init__(self, error: BaseException) -> None:
        self._error = error

    async def parse(self, path: Path, name: str | None = None, *, scratch: Path | None = None) -> ParsedFile:
        raise self._error


def router(default: Parser | None = None) -> ParserRouter:
    return ParserRouter({PDF: Saying("by pdf"), CSV: Saying("by csv")}, default or Saying("by default"), max_bytes=100)


def written(tmp_path: Path, content: bytes, name: str = "stored") -> Path:
    path = tmp_path / name
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.csv", b"a,b", "by csv"),
        ("a.pdf", b"%PDF-1.4", "by pdf"),
        ("a.txt", b"%PDF-1.4", "by pdf"),
        ("a.md", b"# a", "by default"),
    ],
)
async def test_the_media_type_chooses(name: str, content: bytes, expected: str, tmp_path: Path) -> None:
    parsed = await router().parse(written(tmp_path, content), name)
    assert parsed.elements[0].text == expected
    assert parsed.title == name


@pytest.mark.parametrize(
    ("name", "content", "reason", "says"),
    [
        ("a.txt", b"x" * 101, ParseFailure.TOO_LARGE, "limit"),
        ("a.txt", b"", ParseFailure.EMPTY, "no bytes"),
        ("a.txt", b" \n\t \n", ParseFailure.EMPTY, "white space"),
        ("a.exe", b"MZ\0\0\0" * 9, ParseFailure.UNSUPPORTED, "PDF, Office files"),
    ],
)
async def test_refusals_name_file_and_reason(
    name: str, content: bytes, reason: ParseFailure, says: str, tmp_path: Path
) -> None:
    with pytest.raises(ParseError, match=says) as caught:
        await router(PlainTextParser()).parse(written(tmp_path, content), name)
    assert caught.value.reason is reason
    assert repr(name) in str(caught.value)


async def test_an_empty_result_is_never_a_success(tmp_path: Path) -> None:
    with pytest.raises(ParseError) as caught:
        await router(Saying("  ")).parse(written(tmp_path, b"something"), "a.txt")
    assert caught.value.reason is ParseFailure.EMPTY


async def test_a_kind_without_a_parser_is_unsupported(tmp_path: Path) -> None:
    with pytest.raises(ParseError, match="application/json") as caught:
        await ParserRouter({}, max_bytes=100).parse(written(tmp_path, b"{}"), "a.json")
    assert caught.value.reason is ParseFailure.UNSUPPORTED


async def test_a_wrong_name_is_noted(tmp_path: Path) -> None:
    parsed = await router().parse(written(tmp_path, b"%PDF-1.4"), "a.docx")
    assert parsed.metadata["note"] == "named .docx but holds application/pdf"
    assert "note" not in (await router().parse(written(tmp_path, b"%PDF-1.4"), "a.pdf")).metadata
    assert "note" not in (await router().parse(written(tmp_path, b"%PDF-1.4"), "5f2a9c")).metadata


async def test_members_without_text_are_a_success(tmp_path: Path) -> None:
    class Listing:
        async def parse(self, path: Path, name: str | None = None, *, scratch: Path | None = None) -> ParsedFile:
            return ParsedFile("", "application/zip", (), members=(Member("a.txt", scratch),))

    parsed = await router(Listing()).parse(written(tmp_path, b"x"), "a.txt", scratch=tmp_path)
    assert parsed.members == (Member("a.txt", tmp_path),)


async def test_a_folder_is_not_a_file(tmp_path: Path) -> None:
    with pytest.raises(ParseError, match="not a file") as caught:
        await router().parse(tmp_path)
    assert caught.value.reason is ParseFailure.UNREADABLE


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (KeyError("word/document.xml"), ParseFailure.CORRUPT),
        (ValueError("bad\nmultiline"), ParseFailure.CORRUPT),
        (OSError(errno.EINVAL, "Invalid argument"), ParseFailure.CORRUPT),
        (PermissionError(errno.EACCES, "Permission denied"), ParseFailure.UNREADABLE),
        (FileNotFoundError(errno.ENOENT, "No such file"), ParseFailure.UNREADABLE),
        (ImportError("no such module"), ParseFailure.INTERNAL),
        (TypeError("unexpected keyword"), ParseFailure.INTERNAL),
        (MemoryError(), ParseFailure.TOO_LARGE),
        (RecursionError("too deep"), ParseFailure.CORRUPT),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_what_a_library_raises_becomes_a_reason(
    error: BaseException, reason: ParseFailure, tmp_path: Path
) -> None:
    with pytest.raises(ParseError, match=r"'a\.txt'") as caught:
        await router(Failing(error)).parse(written(tmp_path, b"text"), "a.txt")
    assert caught.value.reason is reason
    assert caught.value.__cause__ is error
    assert "\n" not in str(caught.value)
