"""The settings that a collection is made with, or changed to: put together from what is said, and checked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from contracts import (
    PUBLIC,
    ChunkStrategy,
    Collection,
    Collections,
    ConfigurationError,
    ConflictError,
    Cutting,
    Embedder,
    InvalidInputError,
    NotFoundError,
    may_read,
)


def changed_cutting(
    cutting: Cutting,
    strategy: ChunkStrategy | None = None,
    chunk_tokens: int | None = None,
    overlap_tokens: int | None = None,
) -> Cutting:
    """Return `cutting` with what is said changed. Raises InvalidInputError when the overlap does not fit."""
    changed = Cutting(
        strategy or cutting.strategy,
        cutting.chunk_tokens if chunk_tokens is None else chunk_tokens,
        cutting.overlap_tokens if overlap_tokens is None else overlap_tokens,
    )
    if changed.overlap_tokens >= changed.chunk_tokens:
        raise InvalidInputError(
            f"An overlap of {changed.overlap_tokens} tokens does not fit chunks of {changed.chunk_tokens}: take less."
        )
    return changed


def model_name(model: str) -> str:
    """Return the name under which a sentence encoder is kept: a folder's full path, a hub id as it is."""
    return str(Path(model).resolve()) if model and Path(model).is_dir() else model


async def working_embedder(open_embedder: Callable[[str], Embedder], model: str) -> Embedder:
    """Return the embedder, loaded and tried out. Raises InvalidInputError when there is none of this name."""
    embedder = open_embedder(model_name(model))
    try:
        await embedder.embed(["Is the model there?"])
    except ConfigurationError as exc:
        raise InvalidInputError(str(exc)) from exc
    return embedder


def known_readers(readers: Sequence[str]) -> tuple[str, ...]:
    """Return the names of readers, each once. Raises InvalidInputError when there is none, or an odd one."""
    names = {reader.strip() for reader in readers}
    if odd := [name for name in names if not name or not name.isprintable() or "," in name or len(name) > 200]:
        raise InvalidInputError(f"{odd[0]!r} is no name of a reader: name people and groups, or `*` for everyone.")
    if not names:
        raise InvalidInputError("No reader is named: name people and groups, or `*` for everyone.")
    return (PUBLIC,) if PUBLIC in names else tuple(sorted(names))


async def new_collection(
    collections: Collections,
    open_embedder: Callable[[str], Embedder],
    name: str,
    model: str,
    cutting: Cutting,
    readers: Sequence[str] = (PUBLIC,),
) -> Collection:
    """Make a collection. Raises ConflictError when there is one, and InvalidInputError when the model is none."""
    known = known_readers(readers)
    if await collections.settings(name):
        raise ConflictError(f"Collection {name!r} exists already.")
    embedder = await working_embedder(open_embedder, model)
    made = await collections.ensure(name, embedder.name, cutting)
    if known == made.readers:
        return made
    await collections.share(name, known)
    return await existing_collection(collections, name)


async def existing_collection(collections: Collections, name: str, scope: Sequence[str] | None = None) -> Collection:
    """Return the collection with its counts, for a `scope` as `Collections.find` has it. Raises NotFoundError."""
    found = await collections.find(name, scope)
    if found is None:
        raise no_collection(name)
    return found


async def known_collection(
    collections: Collections, name: str, scope: Sequence[str] | None = None
) -> Collection | None:
    """Return the collection without its counts; None for the default one before it has a document. Raises
    NotFoundError, also when a `scope` is given and none of its readers may see the collection."""
    found = await collections.settings(name)
    if found is not None and (scope is None or may_read(scope, found.readers)):
        return found
    if name == "default":
        return None
    raise no_collection(name)


async def recut_collection(
    collections: Collections,
    name: str,
    strategy: ChunkStrategy | None,
    chunk_tokens: int | None,
    overlap_tokens: int | None,
) -> None:
    """Change how a collection is cut. Raises NotFoundError, and InvalidInputError when the overlap does not fit."""
    found = await collections.settings(name)
    if found is None:
        raise no_collection(name)
    await collections.recut(name, changed_cutting(found.cutting, strategy, chunk_tokens, overlap_tokens))


async def share_collection(collections: Collections, name: str, readers: Sequence[str]) -> tuple[str, ...]:
    """Change who finds anything in a collection and return who does. Raises NotFoundError, and InvalidInputError for an
    odd name."""
    known = known_readers(readers)
    await collections.share(name, known)
    return known


def no_collection(name: str) -> NotFoundError:
    """Return the error for a collection that is not there, or not for the caller."""
    return NotFoundError(f"No collection {name!r}; `footnote collections` lists them.")
