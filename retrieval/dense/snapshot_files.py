"""What a snapshot of an index is made of: arrays in numpy's format, names in JSON, the structure as FAISS saves it."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from contracts import Vectors
from retrieval.dense.faiss_structures import load
from retrieval.dense.index_contents import Contents, Proceed
from retrieval.dense.index_policy import Kind
from retrieval.dense.structure import Structure
from retrieval.dense.vector_rows import RowView, slices

_VECTORS, _NAMES, _STRUCTURE, _STATE = "vectors.npy", "names.json", "structure.faiss", "state.json"
_COLUMNS = ("keys", "documents", "classes", "alive", "starts", "lengths")
_FORMAT = 1


class MisfitError(Exception):
    """A snapshot of another catalog, or from later than the catalog."""


class UnreadableError(Exception):
    """A snapshot that is damaged, or of another format."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What was read: the contents, whose vectors are mapped into memory, and the structure over them, if there is."""

    contents: Contents
    structure: Structure | None


def write_contents(folder: Path, contents: Contents, proceed: Proceed) -> None:
    """Write the arrays, synced. Raises OSError."""
    count, dimension = len(contents.keys), contents.rows.base.shape[1]
    with (folder / _VECTORS).open("wb") as file:
        header = {"descr": "<f4", "fortran_order": False, "shape": (count, dimension)}
        np.lib.format.write_array_header_1_0(file, header)
        for start, stop in slices(count):
            proceed()
            file.write(np.ascontiguousarray(contents.vectors(start, stop)).data)
        _sync(file)
    for name in _COLUMNS:
        with (folder / f"{name}.npy").open("wb") as file:
            np.save(file, getattr(contents, name), allow_pickle=False)
            _sync(file)
    _write_json(folder / _NAMES, {"documents": contents.names, "readers": contents.readers})


def write_state(folder: Path, contents: Contents, structure: Structure | None, origin: str) -> None:
    """Write the structure and, last, what all of it stands for. Raises OSError."""
    about: dict[str, Any] = {"format": _FORMAT, "origin": origin, "generation": contents.generation, "structure": None}
    if structure is not None:
        structure.save(folder / _STRUCTURE)
        with (folder / _STRUCTURE).open("rb") as file:
            os.fsync(file.fileno())
        about["structure"] = [structure.kind, structure.covers, structure.trained_on]
    about["sizes"] = {file.name: file.stat().st_size for file in folder.iterdir()}
    _write_json(folder / _STATE, about)
    sync_folder(folder)


def read_vectors(folder: Path) -> Vectors:
    """Return the vectors, mapped into memory. Raises OSError, ValueError."""
    mapped: NDArray[np.float32] = np.load(folder / _VECTORS, mmap_mode="r", allow_pickle=False)
    return np.asarray(mapped)


def read(folder: Path, *, origin: str, latest: int, dimension: int) -> Snapshot:
    """Return what a snapshot holds. Raises MisfitError, UnreadableError, and FileNotFoundError when it went away."""
    try:
        about = json.loads((folder / _STATE).read_text())
        if about["format"] != _FORMAT or any((folder / n).stat().st_size != s for n, s in about["sizes"].items()):
            raise UnreadableError("its files are not as they were written")
        if about["origin"] != origin or about["generation"] > latest:
            raise MisfitError
        contents = _contents(folder, about["generation"])
        _check(contents, dimension)
        return Snapshot(contents, _structure(folder, about["structure"], contents))
    except FileNotFoundError as exc:
        if folder.is_dir():
            raise UnreadableError(str(exc)) from exc
        raise
    except (OSError, EOFError, KeyError, ValueError, TypeError, IndexError, RuntimeError) as exc:
        raise UnreadableError(str(exc)) from exc


def _contents(folder: Path, generation: int) -> Contents:
    columns = {name: np.load(folder / f"{name}.npy", allow_pickle=False) for name in _COLUMNS}
    names = json.loads((folder / _NAMES).read_text())
    vectors = read_vectors(folder)
    return Contents(
        generation=generation,
        rows=RowView(vectors, vectors[:0]),
        names=tuple(names["documents"]),
        readers=tuple(tuple(each) for each in names["readers"]),
        **columns,
    )


def _check(contents: Contents, dimension: int) -> None:
    count, documents = len(contents.keys), len(contents.names)
    columns = (contents.documents, contents.classes, contents.alive)
    if contents.rows.base.shape != (count, dimension) or any(len(column) != count for column in columns):
        raise UnreadableError("its arrays are not of one length")
    ends = contents.starts + contents.lengths
    if len(ends) != documents or (documents and (ends.max() > count or contents.starts.min() < 0)):
        raise UnreadableError("its documents are not where they should be")
    if count and (contents.documents.max() >= documents or contents.classes.max() >= len(contents.readers)):
        raise UnreadableError("its documents or readers are unknown")


def _structure(folder: Path, about: Any, contents: Contents) -> Structure | None:
    if about is None:
        return None
    kind, covers, trained_on = about
    return load(folder / _STRUCTURE, Kind(kind), contents, covers=covers, trained_on=trained_on)


def _write_json(path: Path, value: Any) -> None:
    with path.open("w") as file:
        json.dump(value, file)
        _sync(file)


def _sync(file: Any) -> None:
    file.flush()
    os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
