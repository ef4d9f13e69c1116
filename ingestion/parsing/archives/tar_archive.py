"""Takes the files out of tar archives, plain or compressed, in one pass."""

from __future__ import annotations

import tarfile
from pathlib import Path
from typing import IO, cast

from contracts import ParseError, ParseFailure
from ingestion.parsing.archives.archive_unpacking import Unpacking, clean_name, is_litter, too_many
from ingestion.parsing.archives.compressed_streams import is_compressed, open_compressed
from ingestion.parsing.parse_errors import reading

_HEAD = 1 << 10


def unpack_tar(path: Path, called: str, unpacking: Unpacking, max_members: int) -> None:
    """Take out every file. What a damaged archive holds before the damage is kept; the damage is a member of its own.

    Raises ParseError: CORRUPT when nothing can be taken out, TOO_LARGE.
    """
    try:
        with reading(called), _open(path) as stream, tarfile.open(fileobj=stream, mode="r|") as archive:
            for count, entry in enumerate(archive):
                if count >= max_members:
                    raise too_many(called, max_members)
                _take(archive, entry, unpacking)
    except ParseError as exc:
        if exc.reason is not ParseFailure.CORRUPT or not unpacking.members:
            raise
        unpacking.refuse("(the rest)", ParseFailure.CORRUPT, f"is lost: {exc}")


def _open(path: Path) -> IO[bytes]:
    with path.open("rb") as file:
        compressed = is_compressed(file.read(_HEAD))
    return open_compressed(path) if compressed else path.open("rb")


def _take(archive: tarfile.TarFile, entry: tarfile.TarInfo, unpacking: Unpacking) -> None:
    name = clean_name(entry.name)
    if entry.isdir() or not name or is_litter(name):
        return
    if entry.isreg():
        unpacking.take(name, lambda: cast(IO[bytes], archive.extractfile(entry)))
    else:
        unpacking.refuse(name, ParseFailure.UNSUPPORTED, "is a link or a device; only files are taken out of archives")
