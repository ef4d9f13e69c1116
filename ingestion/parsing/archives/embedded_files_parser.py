"""Adds the files that were inserted into an Office document to what another parser reads in it."""

from __future__ import annotations

import asyncio
import functools
import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path, PurePath, PurePosixPath

from contracts import Member, ParsedFile, ParseError, ParseFailure, Parser
from ingestion.parsing.archives.member_files import MemberFiles
from ingestion.parsing.media_types import DOCX, IMAGE_TYPES, expected_type
from ingestion.parsing.office.olefile_packages import packaged_file

_EMBEDDED = re.compile(r"/?(?:word|xl|ppt)/embeddings/[^/]+", re.IGNORECASE)
_OF_CHARTS = re.compile(r"/?(?:word|xl|ppt)/charts/_rels/[^/]+\.rels", re.IGNORECASE)
_PREVIEW = re.compile(r"thumbnail", re.IGNORECASE)
_TARGET = re.compile(rb"embeddings/([^\"'/]+)")
_OLE = b"\xd0\xcf\x11\xe0"


class EmbeddedFilesParser:
    """Reads with `inner`; the files inside become members. A document with nothing but such files is no empty one.

    Pictures become members only where there is nothing else, as where a scan was pasted into a document. The workbooks
    behind charts are left out: they are no files that anybody put there.
    """

    def __init__(self, inner: Parser) -> None:
        self._inner = inner

    async def parse(self, path: Path, name: str | None = None, *, scratch: Path | None = None) -> ParsedFile:
        """Return what the inner parser reads, and the members. Raises what the inner parser raises."""
        called = name or path.name
        members = await asyncio.to_thread(_taken_out, path, scratch, _parts) if scratch else ()
        try:
            parsed = await self._inner.parse(path, called, scratch=scratch)
        except ParseError as exc:
            if exc.reason is not ParseFailure.EMPTY:
                raise
            if scratch and not members:
                members = await asyncio.to_thread(_taken_out, path, scratch, _pictures)
            if not members:
                raise
            return ParsedFile(PurePath(called).stem, expected_type(called) or DOCX, (), members=members)
        return replace(parsed, members=(*parsed.members, *members))


def _taken_out(path: Path, scratch: Path, parts: Callable[[zipfile.ZipFile], Iterator[str]]) -> tuple[Member, ...]:
    files = MemberFiles(scratch / "embedded")
    try:
        with zipfile.ZipFile(path) as package:
            for part in parts(package):
                _add(files, PurePosixPath(part).name, package.read(part))
    except (OSError, ValueError, RuntimeError, NotImplementedError, zipfile.BadZipFile):
        return files.members  # no package, or a damaged one: the inner parser says so
    return files.members


def _parts(package: zipfile.ZipFile) -> Iterator[str]:
    names = package.namelist()
    of_charts = {
        target.decode("utf-8", "replace")
        for name in names
        if _OF_CHARTS.fullmatch(name)
        for target in _TARGET.findall(package.read(name))
    }
    return (name for name in names if _EMBEDDED.fullmatch(name) and PurePosixPath(name).name not in of_charts)


def _pictures(package: zipfile.ZipFile) -> Iterator[str]:
    return (name for name in package.namelist() if expected_type(name) in IMAGE_TYPES and not _PREVIEW.search(name))


def _add(files: MemberFiles, name: str, data: bytes) -> None:
    if not data.startswith(_OLE):
        files.add(name, lambda: data)
        return
    try:
        found = packaged_file(data, PurePosixPath(name).stem)
    except Exception as exc:  # a damaged object must not take the document with it
        files.add(name, functools.partial(_raise, exc))
        return
    if found:
        files.add(found[0], lambda: found[1])


def _raise(exc: Exception) -> bytes:
    raise exc
