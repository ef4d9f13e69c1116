"""The settings that a collection is made with, or changed to: put together from what is said, and checked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from contracts import (
    ChunkStrategy,
    Collection,
    Collections,
    ConfigurationError,
    ConflictError,
    Cutting,
    Embedder,
    InvalidInputError,
    NotFoundError,
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


async def new_collection(
    collections: Collections, open_embedder: Callable[[str], Embedder], name: str, model: str, cutting: Cutting
) -> Collection:
    """Make a collection. Raises ConflictError when there is one, and InvalidInputError when the model is none."""
    if await collections.find(name):
        raise ConflictError(f"Collection {name!r} exists already.")
    embedder = await working_embedder(open_embedder, model)
    return await collections.ensure(name, embedder.name, cutting)


async def existing_collection(collections: Collections, name: str) -> Collection:
    """Return the collection. Raises NotFoundError."""
    found = await collections.find(name)
    if found is None:
        raise NotFoundError(f"No collection {name!r}; `footnote collections` lists them.")
    return found


async def known_collection(collections: Collections, name: str) -> Collection | None:
    """Return the collection; None for the default one before it has a document. Raises NotFoundError."""
    return await (collections.find(name) if name == "default" else existing_collection(collections, name))


async def recut_collection(
    collections: Collections,
    name: str,
    strategy: ChunkStrategy | None,
    chunk_tokens: int | None,
    overlap_tokens: int | None,
) -> None:
    """Change how a collection is cut. Raises NotFoundError, and InvalidInputError when the overlap does not fit."""
    found = await existing_collection(collections, name)
    await collections.recut(name, changed_cutting(found.cutting, strategy, chunk_tokens, overlap_tokens))
