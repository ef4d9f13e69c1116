"""Packs a folder into one file, a tar compressed with Zstandard, with a manifest of checksums; and unpacks it."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
from collections.abc import Iterable
from pathlib import Path

from contracts import InvalidInputError

_MANIFEST = "manifest.json"
_FORMAT = "footnote-collection-1"


def pack(target: Path, files: Iterable[tuple[str, Path]]) -> None:
    """Write `files`, each a name in the package and where it is, to `target`, which appears when it is complete. Raises
    OSError."""
    import zstandard

    part = target.with_name(f"{target.name}.{os.getpid()}.part")
    checksums: dict[str, str] = {}
    try:
        with part.open("wb") as raw:
            compressor = zstandard.ZstdCompressor(threads=-1)
            with (
                compressor.stream_writer(raw, closefd=False) as stream,
                tarfile.open(fileobj=stream, mode="w|") as tar,
            ):
                for name, path in files:
                    with path.open("rb") as file:
                        checksums[name] = hashlib.file_digest(file, "sha256").hexdigest()
                    tar.add(path, name)
                manifest = json.dumps({"format": _FORMAT, "sha256": checksums}, indent=1).encode()
                info = tarfile.TarInfo(_MANIFEST)
                info.size = len(manifest)
                tar.addfile(info, io.BytesIO(manifest))
            raw.flush()
            os.fsync(raw.fileno())
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def unpack(source: Path, folder: Path) -> None:
    """Unpack a package into `folder` and check it against its manifest.

    Raises InvalidInputError when it is no package, damaged, or of another format, and OSError.
    """
    import zstandard

    try:
        with (
            source.open("rb") as raw,
            zstandard.ZstdDecompressor().stream_reader(raw) as stream,
            tarfile.open(fileobj=stream, mode="r|") as tar,
        ):
            tar.extractall(folder, filter="data")  # PEP 706: nothing lands outside the folder
        manifest = json.loads((folder / _MANIFEST).read_bytes())
        if manifest["format"] != _FORMAT:
            raise InvalidInputError(f"{str(source)!r} has the format {manifest['format']!r}; this reads {_FORMAT!r}.")
        checksums = dict(manifest["sha256"])
    except (zstandard.ZstdError, tarfile.TarError, EOFError, KeyError, TypeError, ValueError, FileNotFoundError) as exc:
        if not source.exists():
            raise InvalidInputError(f"{str(source)!r} does not exist.") from exc
        raise InvalidInputError(f"{str(source)!r} is no exported collection, or damaged: {exc!r}.") from exc
    _check(source, folder, checksums)


def _check(source: Path, folder: Path, checksums: dict[str, str]) -> None:
    found = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()} - {_MANIFEST}
    if found != set(checksums):
        raise InvalidInputError(f"{str(source)!r} does not hold what its manifest says: {found ^ set(checksums)}.")
    for name, checksum in checksums.items():
        with (folder / name).open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != checksum:
                raise InvalidInputError(f"{str(source)!r} is damaged: {name!r} does not match its checksum.")
