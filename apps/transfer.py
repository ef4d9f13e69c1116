"""A collection as one file: exported with all that it holds, and imported elsewhere with nothing computed again."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections import defaultdict
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

import numpy as np
from pydantic import TypeAdapter

from apps.collection_settings import existing_collection
from apps.settings import check_collection_name
from apps.sources import identify
from contracts import (
    PUBLIC,
    Catalog,
    Chunk,
    Collection,
    Collections,
    ConflictError,
    Document,
    EmbeddedVersion,
    InvalidInputError,
    NotFoundError,
    OriginalStore,
    SourceState,
    SourceStates,
)

_AT_ONCE = 64  # documents


@dataclass(frozen=True, slots=True)
class _Exported:
    """A document version as it is written down; the vectors are in a file of their own, by hash."""

    document: Document
    chunks: tuple[Chunk, ...]
    hashes: tuple[str, ...]
    state: SourceState
    age: int  # 0 for the current version, 1 for the one before


_VERSION = TypeAdapter(_Exported)
_STATE = TypeAdapter(SourceState)
_COLLECTION = TypeAdapter(Collection)


@dataclass(frozen=True, slots=True)
class Transfer:
    """The use case over its ports. `pack` and `unpack` make one file of a folder and the folder again."""

    catalog: Catalog
    collections: Collections
    states: SourceStates
    originals: OriginalStore
    pack: Callable[[Path, Iterable[tuple[str, Path]]], None]
    unpack: Callable[[Path, Path], None]
    scratch: Path

    async def export(self, name: str, target: Path) -> AsyncGenerator[tuple[int, int]]:
        """Write a collection to `target`; yield how many documents are done, and of how many. Raises NotFoundError, and
        InvalidInputError when nothing can be written there."""
        found = await existing_collection(self.collections, name)
        if target.is_dir() or not target.absolute().parent.is_dir():
            raise InvalidInputError(f"{str(target)!r} cannot be written: name a file in a folder that exists.")
        with tempfile.TemporaryDirectory(dir=self.scratch) as made:
            folder = Path(made)
            (folder / "collection.json").write_bytes(_COLLECTION.dump_json(found))
            originals: dict[str, Path] = {}
            with _VersionFile(folder) as file:
                done, after = 0, ""
                while page := await self.catalog.list(name, limit=_AT_ONCE, after=after):
                    for summary in page:
                        async for age, whole in self._versions(summary.document, found.embedder):
                            await asyncio.to_thread(file.write, whole, age)
                            version = whole.document.version
                            originals[f"originals/{version}"] = self.originals.path(version)
                    done, after = done + len(page), page[-1].document.id
                    yield done, found.documents
            states = (await self.states.states(name)).values()
            (folder / "states.jsonl").write_bytes(b"\n".join(_STATE.dump_json(state) for state in states))
            files = {path.name: path for path in sorted(folder.iterdir())}
            kept = {name: path for name, path in originals.items() if path.exists()}
            try:
                await asyncio.to_thread(self.pack, target, [*files.items(), *kept.items()])
            except OSError as exc:
                raise InvalidInputError(f"{str(target)!r} cannot be written: {exc.strerror or exc}.") from exc

    async def _versions(self, document: Document, embedder: str) -> AsyncGenerator[tuple[int, EmbeddedVersion]]:
        """Yield the kept versions of a document by age. Old ones from before the collection got its embedder have no
        vectors of it, and are left out."""
        for age, version in enumerate(await self.catalog.versions(document.collection, document.id)):
            try:
                yield age, await self.catalog.read(document.collection, document.id, version.version, embedder)
            except NotFoundError:
                if age == 0:
                    raise

    async def load(self, source: Path, name: str = "") -> AsyncGenerator[tuple[int, int]]:
        """Import the collection in `source`, under `name` or its own; yield how many documents are done, of how many.

        Raises ConflictError when there is one of that name, and InvalidInputError when the file cannot be used;
        whatever goes wrong, no part of the collection stays.
        """
        with tempfile.TemporaryDirectory(dir=self.scratch) as made:
            folder = Path(made)
            await asyncio.to_thread(self.unpack, source, folder)
            with _failures_named(source):
                packed = _COLLECTION.validate_json((folder / "collection.json").read_bytes())
            name = check_collection_name(name or packed.name)
            if await self.collections.settings(name):
                raise ConflictError(f"Collection {name!r} exists already: import it under another name, or delete it.")
            await self.collections.ensure(name, packed.embedder, packed.cutting)
            try:
                if packed.readers != (PUBLIC,):  # before there is anything to find
                    await self.collections.share(name, packed.readers)
                with _failures_named(source):
                    async with aclosing(self._fill(name, packed, folder)) as steps:
                        async for step in steps:
                            yield step
            except BaseException:
                await self.collections.delete(name)
                raise

    async def _fill(self, name: str, packed: Collection, folder: Path) -> AsyncGenerator[tuple[int, int]]:
        for original in sorted((folder / "originals").glob("*")):
            staged = await self.originals.stage(original, original.name)
            await self.originals.adopt(staged)
            await self.originals.release(staged)
        done = 0
        vectors = _vectors(folder)
        for batch in _batches(folder / "versions.jsonl"):
            versions = [_renamed(each, name, vectors) for each in batch]
            await self.catalog.put(versions, packed.embedder)
            done += sum(each.age == 0 for each in batch)
            yield done, packed.documents
        lines = (folder / "states.jsonl").read_bytes().splitlines()
        await self.states.record(name, [_STATE.validate_json(line) for line in lines])


@contextmanager
def _failures_named(source: Path) -> Iterator[None]:
    """A file with the right checksums may still not be what an export writes, and a disk may be full."""
    try:
        yield
    except (KeyError, ValueError, OSError) as exc:
        raise InvalidInputError(f"{str(source)!r} cannot be imported: {exc!r}.") from exc


class _VersionFile:
    """Versions, one a line, and beside them each vector once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._rows: dict[str, int] = {}
        self._open: list[BinaryIO] = []

    def __enter__(self) -> _VersionFile:
        self._open = [(self._folder / name).open("wb") for name in ("versions.jsonl", "vectors.f4")]
        return self

    def __exit__(self, *_: object) -> None:
        for file in self._open:
            file.close()
        (self._folder / "hashes.json").write_text(json.dumps(list(self._rows)))

    def write(self, version: EmbeddedVersion, age: int) -> None:
        """Add a version."""
        lines, vectors = self._open
        for name, vector in zip(version.hashes, version.vectors, strict=True):
            if name not in self._rows:
                self._rows[name] = len(self._rows)
                vectors.write(np.ascontiguousarray(vector, dtype="<f4").tobytes())
        exported = _Exported(version.document, version.chunks, version.hashes, version.state, age)
        lines.write(_VERSION.dump_json(exported) + b"\n")


def _vectors(folder: Path) -> Mapping[str, np.ndarray[tuple[int], np.dtype[np.float32]]]:
    names = json.loads((folder / "hashes.json").read_text())
    if not names:
        return {}
    rows = np.memmap(folder / "vectors.f4", dtype="<f4", mode="r").reshape(len(names), -1)
    return dict(zip(names, rows, strict=True))


def _batches(path: Path) -> Iterator[list[_Exported]]:
    """Yield versions, the oldest first, each document once in a batch: the one that comes last is the current one."""
    places: defaultdict[int, list[int]] = defaultdict(list)
    with path.open("rb") as file:
        while True:
            at = file.tell()
            line = file.readline()
            if not line:
                break
            places[json.loads(line)["age"]].append(at)
        for age in sorted(places, reverse=True):
            for start in range(0, len(places[age]), _AT_ONCE):
                batch = []
                for at in places[age][start : start + _AT_ONCE]:
                    file.seek(at)
                    batch.append(_VERSION.validate_json(file.readline()))
                yield batch


def _renamed(exported: _Exported, collection: str, vectors: Mapping[str, np.ndarray]) -> EmbeddedVersion:
    document_id = identify(collection, exported.document.source)
    return EmbeddedVersion(
        document=replace(exported.document, id=document_id, collection=collection),
        chunks=tuple(replace(chunk, document_id=document_id) for chunk in exported.chunks),
        hashes=exported.hashes,
        vectors=np.stack([vectors[name] for name in exported.hashes]),
        state=exported.state,
    )
