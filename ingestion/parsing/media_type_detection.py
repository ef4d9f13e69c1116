"""Decides what kind of file something is: by its content first, by its name where the content says little."""

from __future__ import annotations

import re
import tarfile
from pathlib import Path

from contracts import ParseError, ParseFailure
from ingestion.parsing.archives.compressed_streams import is_compressed, open_compressed
from ingestion.parsing.filetype_magic import magic_type
from ingestion.parsing.media_types import BINARY_TYPES, GZIP, PDF, RTF, TAR, XLS, expected_type
from ingestion.parsing.olefile_types import OLE_MARK, ole_type
from ingestion.parsing.parse_errors import unsupported
from ingestion.parsing.text_decoding import decode_text, marked_encoding
from ingestion.parsing.text_types import text_type
from ingestion.parsing.zip_types import ZIP_MARKS, zip_type

_HEAD = 1 << 16
_CONTROL = frozenset(range(32)) - {7, 8, 9, 10, 12, 13, 26, 27}
_MOST_CONTROL = 0.002  # of what is a text
_BIFF = re.compile(rb"\x09[\x00\x02\x04\x08][\x04-\x10]\x00")  # Excel's files before they were OLE files
_TAR_HEADER = 512
_ENCRYPTED = {
    bytes.fromhex("c0b9072e4f93f146a015792ca1d9e821"): "AxCrypt",
    b"age-encryption.org/": "age",
    b"-----BEGIN AGE ENCRYPTED": "age",
    b"-----BEGIN PGP MESSAGE": "PGP",
    b"Salted__": "OpenSSL",
}
_LFS_POINTER = b"version https://git-lfs.github.com/spec/"


def detect_media_type(path: Path, name: str | None = None) -> str:
    """Return the media type of the file at `path`, called `name` (default: the path's name).

    Raises ParseError: UNSUPPORTED, ENCRYPTED, CORRUPT, TOO_LARGE, UNREADABLE. Raises OSError when the file cannot be
    read.
    """
    called = name or path.name
    expected = expected_type(called)
    with path.open("rb") as file:
        head = file.read(_HEAD)
    _refuse_stand_ins(head, called)
    is_text = _is_text(head)
    if head.lstrip().startswith(b"%PDF-"):
        return PDF
    if head.lstrip().startswith(b"{\\rtf"):
        return RTF
    if head.startswith(ZIP_MARKS):
        return zip_type(path, called, expected)
    if head.startswith(OLE_MARK):
        return ole_type(path, called, expected)
    if archive := _archive_type(path, head, expected):
        return archive
    # The mark of a PDF may stand behind junk; in an archive of PDFs and in a text about them it may stand too.
    if b"%PDF-" in head[:1024] and (not is_text or expected == PDF):
        return PDF
    if is_text:
        return text_type(path, decode_text(head, markup=True), called, expected)
    return _other_type(head, called, expected)


def _refuse_stand_ins(head: bytes, called: str) -> None:
    """Raise ParseError for a file that only stands for another one: encrypted as a whole, or a pointer to it."""
    cipher = next((cipher for mark, cipher in _ENCRYPTED.items() if head.startswith(mark)), None)
    if cipher:
        raise ParseError(ParseFailure.ENCRYPTED, f"{called!r} is encrypted by {cipher}. Decrypt it and try again.")
    if head.startswith(_LFS_POINTER):
        message = f"{called!r} is a pointer of Git LFS, not the file itself. Fetch the file with `git lfs pull`."
        raise ParseError(ParseFailure.UNREADABLE, message)


def _archive_type(path: Path, head: bytes, expected: str | None) -> str | None:
    if not is_compressed(head):
        without_files = expected == TAR and not head.strip(b"\0")
        return TAR if without_files or _is_tar(head) else None
    try:
        with open_compressed(path) as stream:
            start = stream.read(_TAR_HEADER)
    except Exception:  # each library has its own error for a damaged file; the parser will say what is wrong
        return GZIP
    return TAR if _is_tar(start) else GZIP


def _is_tar(head: bytes) -> bool:
    try:
        tarfile.TarInfo.frombuf(head[:_TAR_HEADER], "utf-8", "replace")  # the header's check sum decides
    except tarfile.HeaderError:
        return False
    return True


def _other_type(head: bytes, called: str, expected: str | None) -> str:
    if _BIFF.match(head):
        return XLS
    if kind := magic_type(head):
        if kind in BINARY_TYPES:
            return kind
        raise unsupported(called, f"it is {kind}")
    if expected in BINARY_TYPES:
        raise ParseError(ParseFailure.CORRUPT, f"{called!r} is damaged: its content is not what its name says.")
    raise unsupported(called, "its content is not text")


def _is_text(head: bytes) -> bool:
    encoding = marked_encoding(head)
    if encoding:
        sample = head[: _HEAD // 4].decode(encoding, errors="replace")
        odd = sum(character == "\ufffd" or (ord(character) in _CONTROL) for character in sample)
        cut_off = len(sample) > 8  # the last character of the head may be; so few bytes say nothing
        return odd <= cut_off + 0.01 * len(sample)
    return sum(byte in _CONTROL for byte in head) <= _MOST_CONTROL * len(head)
