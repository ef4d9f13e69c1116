"""Collections: list, make, read, cut anew, delete; and what could not be read."""

from __future__ import annotations

from fastapi import APIRouter

from apps.api.deps import CollectionPath, LibraryDep
from apps.api.errors import RESPONSES
from apps.api.schemas import (
    CollectionIn,
    CollectionOut,
    CollectionsOut,
    CuttingIn,
    FailuresOut,
    Problem,
    collection_out,
    failure_out,
)
from apps.bootstrap import default_cutting
from apps.collection_settings import changed_cutting, existing_collection, new_collection, recut_collection

router = APIRouter(prefix="/v1/collections", tags=["collections"], responses=RESPONSES)


@router.get("")
async def list_collections(library: LibraryDep) -> CollectionsOut:
    """List the collections."""
    return CollectionsOut(collections=[collection_out(found) for found in await library.collections.list()])


@router.put("/{collection}", status_code=201, responses={409: {"model": Problem}})
async def create_collection(collection: CollectionPath, wanted: CollectionIn, library: LibraryDep) -> CollectionOut:
    """Make a collection with settings of its own."""
    base = default_cutting(library.settings)
    cutting = changed_cutting(base, wanted.strategy, wanted.chunk_tokens, wanted.overlap_tokens)
    model = wanted.embedder or library.indexing.embedder
    made = await new_collection(library.collections, library.open_embedder, collection, model, cutting)
    return collection_out(made)


@router.get("/{collection}")
async def read_collection(collection: CollectionPath, library: LibraryDep) -> CollectionOut:
    """Describe a collection."""
    return collection_out(await existing_collection(library.collections, collection))


@router.patch("/{collection}")
async def change_collection(collection: CollectionPath, wanted: CuttingIn, library: LibraryDep) -> CollectionOut:
    """Change how documents are cut from now on; those that are there change when they are next synced."""
    sizes = wanted.chunk_tokens, wanted.overlap_tokens
    await recut_collection(library.collections, collection, wanted.strategy, *sizes)
    return collection_out(await existing_collection(library.collections, collection))


@router.delete("/{collection}", status_code=204)
async def delete_collection(collection: CollectionPath, library: LibraryDep) -> None:
    """Delete a collection with all its documents."""
    await library.indexing.remove_collection(collection)


@router.get("/{collection}/failures")
async def list_failures(collection: CollectionPath, library: LibraryDep) -> FailuresOut:
    """List the files that could not be read, with the reason. Who may see these names is unknown: today every caller is
    the one who runs Footnote."""
    await existing_collection(library.collections, collection)
    states = await library.states.states(collection)
    return FailuresOut(failures=[failure_out(state) for state in states.values() if state.reason])
