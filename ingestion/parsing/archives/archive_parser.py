"""Takes the files out of archives: zip, tar and single compressed files; their texts are for other parsers."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path, PurePath

from contracts import ParsedFile
from ingestion.parsing.archives.archive_unpacking import Unpacking, clean_name
from ingestion.parsing.archives.compressed_streams import open_compressed
from ingestion.parsing.archives.pyzipper_archive import unpack_zip
from ingestion.parsing.archives.tar_archive import unpack_tar
from ingestion.parsing.media_type_detection import detect_media_type
from ingestion.parsing.media_types import ARCHIVE_TYPES, TAR, ZIP
from ingestion.parsing.parse_errors import empty, reading, unsupported


class ArchiveParser:
    """Lists the members of an archive and writes them below `scratch`, within limits.

    An archive with more than `max_members`, whatever their sizes, is refused; of one that holds more than `max_bytes`
    what comes too late is left out, and so is any member over `max_member_bytes`. Encrypted members are tried with
    each of the passwords.
    """

    def __init__(
        self,
        passwords: Sequence[str] = (),
        *,
        max_members: int = 20_000,
        max_bytes: int = 2 << 30,
        max_member_bytes: int = 100 << 20,
    ) -> None:
        self._passwords = tuple(passwords)
        self._max_members = max_members
        self._max_bytes = max_bytes
        self._max_member_bytes = max_member_bytes

    async def parse(self, path: Path, name: str | None = None, *, scratch: Path | None = None) -> ParsedFile:
        """Return the members; there are no elements.

        Raises ParseError: UNSUPPORTED (no archive, or no folder to unpack it in), CORRUPT, EMPTY, TOO_LARGE (too many
        members), UNREADABLE.
        """
        return await asyncio.to_thread(self._read, path, name or path.name, scratch)

    def _read(self, path: Path, called: str, scratch: Path | None) -> ParsedFile:
        with reading(called):
            media_type = detect_media_type(path, called)
            if media_type not in ARCHIVE_TYPES:
                raise unsupported(called, f"it is {media_type}, which is read by another parser")
            if scratch is None:
                raise unsupported(called, "it is an archive, and there is no folder to unpack it in")
            size = path.stat().st_size
            scratch.mkdir(parents=True, exist_ok=True)
            folder = Path(tempfile.mkdtemp(dir=scratch))  # the caller may have files of its own there
            unpacking = Unpacking(folder, size, max_bytes=self._max_bytes, max_member_bytes=self._max_member_bytes)
            if media_type == ZIP:
                unpack_zip(path, called, unpacking, self._passwords, self._max_members)
            elif media_type == TAR:
                unpack_tar(path, called, unpacking, self._max_members)
            else:
                unpacking.take(clean_name(PurePath(called).stem) or "content", lambda: open_compressed(path))
            if not unpacking.members:
                raise empty(called, "there are no files in it")
        return ParsedFile(title=PurePath(called).stem, media_type=media_type, elements=(), members=unpacking.members)
