"""The bytes that documents were made of, kept on disk under their SHA-256."""

from __future__ import annotations

import asyncio
import hashlib
import os
import tempfile
from pathlib import Path


class Originals:
    """A content-addressed folder. Files appear by rename, so a reader never sees half of one."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def path(self, version: str) -> Path:
        """Return where the bytes with this SHA-256 are, or would be."""
        return self._root / version[:2] / version

    async def digest(self, source: Path) -> str:
        """Return the SHA-256 of the file at `source` in hex. Raises OSError."""

        def work() -> str:
            with source.open("rb") as stream:
                return hashlib.file_digest(stream, "sha256").hexdigest()

        return await asyncio.to_thread(work)

    async def keep(self, source: Path) -> str:
        """Copy the file at `source` in and return the SHA-256 of its bytes in hex. Raises OSError."""
        return await asyncio.to_thread(self._keep, source)

    def _keep(self, source: Path) -> str:
        self._root.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=self._root)
        try:
            digest = hashlib.sha256()
            with os.fdopen(handle, "wb") as copy, source.open("rb") as stream:
                while block := stream.read(1 << 20):
                    digest.update(block)
                    copy.write(block)
                copy.flush()
                os.fsync(copy.fileno())
            target = self.path(digest.hexdigest())
            target.parent.mkdir(exist_ok=True)
            Path(name).replace(target)
        finally:
            Path(name).unlink(missing_ok=True)
        return digest.hexdigest()

    async def discard(self, version: str) -> None:
        """Remove the bytes with this SHA-256, if they are there."""
        await asyncio.to_thread(self.path(version).unlink, missing_ok=True)
