"""Takes the files out of zip archives, also encrypted ones (by AES too, which the standard library cannot)."""

from __future__ import annotations

import functools
import stat
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any, cast

from contracts import ParseError, ParseFailure
from ingestion.parsing.archives.archive_unpacking import Unpacking, clean_name, is_litter, too_many
from ingestion.parsing.charset_normalizer_names import guessed_encoding
from ingestion.parsing.parse_errors import unsupported

_ENCRYPTED = 0x1  # of a member's flags
_UTF8_NAME = 0x800
_BEGINNING = 1 << 16  # bytes of a member that show whether a password is right


def unpack_zip(path: Path, called: str, unpacking: Unpacking, passwords: Sequence[str], max_members: int) -> None:
    """Take out every file. Raises ParseError: CORRUPT, TOO_LARGE."""
    import pyzipper

    try:
        archive = pyzipper.AESZipFile(path)
    except (pyzipper.BadZipFile, NotImplementedError) as exc:
        raise ParseError(ParseFailure.CORRUPT, f"{called!r} is damaged: {exc}. Pack it again.") from exc
    with archive:
        entries = archive.infolist()
        if len(entries) > max_members:
            raise too_many(called, max_members)
        encoding = _name_encoding(entries)
        for entry in entries:
            name = clean_name(_name(entry, encoding))
            if not name or entry.filename.endswith(("/", "\\")) or is_litter(name):
                continue
            if stat.S_IFMT(entry.external_attr >> 16) in (0, stat.S_IFREG):
                unpacking.take(name, functools.partial(_open, archive, entry, name, passwords))
            else:
                unpacking.refuse(name, ParseFailure.UNSUPPORTED, "is a link or a device; only files are taken out")


def _name_encoding(entries: Sequence[Any]) -> str:
    """Return the encoding of the names that are not marked as UTF-8: the format says cp437, few programs keep to it."""
    raw = b"\n".join(_raw_name(entry) for entry in entries if not entry.flag_bits & _UTF8_NAME)
    if all(character.isascii() or "LATIN" in unicodedata.name(character, "") for character in raw.decode("cp437")):
        return "cp437"
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return guessed_encoding(raw) or "cp437"
    return "utf-8"


def _name(entry: Any, encoding: str) -> str:
    if entry.flag_bits & _UTF8_NAME:
        return str(entry.filename)
    return _raw_name(entry).decode(encoding, errors="replace")


def _raw_name(entry: Any) -> bytes:
    return cast(bytes, entry.filename.encode("cp437", errors="replace"))


def _open(archive: Any, entry: Any, name: str, passwords: Sequence[str]) -> IO[bytes]:
    try:
        if not entry.flag_bits & _ENCRYPTED:
            return cast(IO[bytes], archive.open(entry))
        for password in passwords:
            if _opens(archive, entry, password.encode()):
                return cast(IO[bytes], archive.open(entry, pwd=password.encode()))
    except NotImplementedError as exc:
        raise unsupported(name, f"it is compressed in a rare way ({exc}); pack the archive again") from exc
    message = f"{name!r} is protected by a password that is not known. Name the password, or pack it without one."
    raise ParseError(ParseFailure.ENCRYPTED, message)


def _opens(archive: Any, entry: Any, password: bytes) -> bool:
    """Tell whether the password is the member's. One in 256 wrong ones passes the old cipher's check of one byte, but
    what follows is no sense then, or fails the check sum."""
    import zlib

    import pyzipper

    try:
        with archive.open(entry, pwd=password) as source:
            source.read(_BEGINNING)
    except (RuntimeError, pyzipper.BadZipFile, zlib.error, EOFError):
        return False
    return True
