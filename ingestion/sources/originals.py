"""The bytes that documents were made of, kept on disk under their SHA-256."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from contracts import ParseError, ParseFailure, StagedFile, StoreUnavailableError

_STAGING = "staging"


class Originals:
    """A content-addressed folder. Files appear by link or rename, so a reader never sees half of one.

    A file is staged first: read once, into a copy that no one else changes. It is adopted when its document is stored,
    and released when all is done; so no original is lost to a deletion of the same bytes meanwhile, and none stays
    that no document needs.
    """

    def __init__(self, root: Path, *, max_bytes: int) -> None:
        self._root = root
        self._max_bytes = max_bytes

    def path(self, version: str) -> Path:
        """Return where the bytes with this SHA-256 are, or would be."""
        return self._root / version[:2] / version

    async def digest(self, source: Path) -> str:
        """Return the SHA-256 of the file at `source` in hex. Raises OSError."""

        def work() -> str:
            with source.open("rb") as stream:
                return hashlib.file_digest(stream, "sha256").hexdigest()

        return await asyncio.to_thread(work)

    async def stage(self, source: Path, called: str) -> StagedFile:
        """Copy the file at `source`, which is called so. Raises ParseError (TOO_LARGE, UNREADABLE) and OSError."""
        return await asyncio.to_thread(self._stage, source, called)

    async def adopt(self, staged: StagedFile) -> None:
        """Keep the staged bytes under their hash; nothing happens when they are there already."""
        target = self.path(staged.digest)
        if target.exists():
            return
        target.parent.mkdir(exist_ok=True)
        try:
            os.link(staged.path, target)  # takes less time than the way to a thread
        except FileExistsError:
            return
        except OSError:  # a file system without hard links
            await asyncio.to_thread(_copy_whole, staged.path, target)

    async def release(self, staged: StagedFile) -> None:
        """Remove the staged copy."""
        staged.path.unlink(missing_ok=True)

    async def discard(self, version: str) -> None:
        """Remove the bytes with this SHA-256, if they are there."""
        await asyncio.to_thread(self.path(version).unlink, missing_ok=True)

    def settled(self, younger_s: float) -> list[str]:
        """Return the SHA-256 of every original that has been there for longer."""
        latest = time.time() - younger_s
        found = []
        for file in self._root.glob("[0-9a-f][0-9a-f]/*"):
            with suppress(FileNotFoundError):  # others remove some meanwhile
                if file.stat().st_ctime < latest:
                    found.append(file.name)
        return found

    def remove_abandoned(self, older_s: float) -> None:
        """Remove staged copies that are older: processes that died left them."""
        for file in (self._root / _STAGING).glob("*"):
            with suppress(FileNotFoundError):
                if file.stat().st_mtime < time.time() - older_s:
                    file.unlink()

    def _stage(self, source: Path, called: str) -> StagedFile:
        if source.exists() and not source.is_file():
            message = f"{called!r} is not a file. Name the files, or the folder that holds them."
            raise ParseError(ParseFailure.UNREADABLE, message)
        if (size := source.stat().st_size) > self._max_bytes:
            raise ParseError(
                ParseFailure.TOO_LARGE,
                f"{called!r} has {size / (1 << 20):.1f} MiB; the limit is {self._max_bytes / (1 << 20):.1f} MiB. "
                "Split the file, or raise FOOTNOTE_INGESTION__MAX_FILE_MB.",
            )
        with source.open("rb") as stream:
            try:
                return self._copy(stream, size)
            except OSError as exc:
                message = (
                    f"Nothing can be stored in {str(self._root)!r}: {exc.strerror}. Check the disk and its permissions."
                )
                raise StoreUnavailableError(message) from exc

    def _copy(self, stream: BinaryIO, size: int) -> StagedFile:
        (self._root / _STAGING).mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=self._root / _STAGING)
        digest = hashlib.sha256()
        try:
            with os.fdopen(handle, "wb") as copy:
                while block := stream.read(1 << 20):
                    digest.update(block)
                    copy.write(block)
                copy.flush()
                os.fsync(copy.fileno())
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        return StagedFile(Path(name), digest.hexdigest(), size)


def _copy_whole(source: Path, target: Path) -> None:
    part = target.with_suffix(f".{os.getpid()}.new")
    shutil.copyfile(source, part)
    part.replace(target)
