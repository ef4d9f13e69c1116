"""Collections: list, make, read, cut anew, delete; and what could not be read."""

from __future__ import annotations

from dataclasses import replace

from fastapi import APIRouter

from apps.api.deps import CallerDep, CollectionPath, LibraryDep
from apps.api.errors import RESPONSES
from apps.api.schemas import (
    CollectionChangeIn,
    CollectionIn,
    CollectionOut,
    CollectionsOut,
    FailuresOut,
    Problem,
    collection_out,
    failure_out,
)
from apps.bootstrap import default_cutting
from apps.collection_settings import (
    changed_cutting,
    existing_collection,
    new_collection,
    recut_collection,
    share_collection,
)

router = APIRouter(prefix="/v1/collections", tags=["collections"], responses=RESPONSES)


@router.get("")
async def list_collections(library: LibraryDep, caller: CallerDep) -> CollectionsOut:
    """List the collections that the caller may search."""
    found = await library.collections.list(caller.scope)
    return CollectionsOut(collections=[collection_out(each) for each in found])


@router.put("/{collection}", status_code=201, responses={409: {"model": Problem}})
async def create_collection(collection: CollectionPath, wanted: CollectionIn, library: LibraryDep) -> CollectionOut:
    """Make a collection with settings of its own."""
    base = default_cutting(library.settings)
    cutting = changed_cutting(base, wanted.strategy, wanted.chunk_tokens, wanted.overlap_tokens)
    model = wanted.embedder or library.indexing.embedder
    made = await new_collection(library.collections, library.open_embedder, collection, model, cutting, wanted.readers)
    return collection_out(made)


@router.get("/{collection}")
async def read_collection(collection: CollectionPath, library: LibraryDep, caller: CallerDep) -> CollectionOut:
    """Describe a collection."""
    return collection_out(await existing_collection(library.collections, collection, caller.scope))


@router.patch("/{collection}")
async def change_collection(
    collection: CollectionPath, wanted: CollectionChangeIn, library: LibraryDep, caller: CallerDep
) -> CollectionOut:
    """Change how documents are cut from now on; those that are there change when they are next synced. Or change who
    may search: only readers may, and those who are none any more do not see the collection from then on."""
    found = await existing_collection(library.collections, collection, caller.scope)
    if wanted.strategy or wanted.chunk_tokens is not None or wanted.overlap_tokens is not None:
        sizes = wanted.chunk_tokens, wanted.overlap_tokens
        await recut_collection(library.collections, collection, wanted.strategy, *sizes)
    if wanted.cached is not None:
        await library.collections.keep_answers(collection, wanted.cached)
    if wanted.readers is not None:
        await share_collection(library.collections, collection, wanted.readers)
    changed = await library.collections.settings(collection) or found
    return collection_out(replace(changed, documents=found.documents, chunks=found.chunks, failures=found.failures))


@router.delete("/{collection}", status_code=204)
async def delete_collection(collection: CollectionPath, library: LibraryDep, caller: CallerDep) -> None:
    """Delete a collection with all its documents."""
    await existing_collection(library.collections, collection, caller.scope)
    await library.indexing.remove_collection(collection)


@router.get("/{collection}/failures")
async def list_failures(collection: CollectionPath, library: LibraryDep, caller: CallerDep) -> FailuresOut:
    """List the files that could not be read, with the reason. Who may see these names is unknown: today every caller is
    the one who runs Footnote."""
    await existing_collection(library.collections, collection, caller.scope)
    states = await library.states.states(collection)
    return FailuresOut(failures=[failure_out(state) for state in states.values() if state.reason])
