"""The answer cache: what is in it, and clearing it."""

from __future__ import annotations

from fastapi import APIRouter

from apps.api.deps import LibraryDep
from apps.api.errors import RESPONSES
from apps.api.schemas import CacheOut, ClearedOut, CollectionName
from apps.cached_answers import cache_stats, cleared_answers

router = APIRouter(prefix="/v1/cache", tags=["cache"], responses=RESPONSES)


@router.get("")
async def read_cache(library: LibraryDep) -> CacheOut:
    """Say how many answers are cached, and how lookups ended."""
    return CacheOut.model_validate(await cache_stats(library.caches.upkeep))


@router.delete("")
async def clear_cache(library: LibraryDep, collection: CollectionName | None = None) -> ClearedOut:
    """Remove every cached answer, or those from one collection."""
    return ClearedOut(answers=await cleared_answers(library.caches.upkeep, collection or ""))
