"""What was flagged in a collection when it was checked, for those who look after it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Protocol

from contracts import Catalog, Chunk, Document, DocumentSummary

_AT_ONCE = 500  # documents


class ListFlagged(Protocol):
    """Lists the documents that have flagged passages."""

    async def __call__(self, collection: str, *, limit: int = 100, after: str = "") -> tuple[DocumentSummary, ...]:
        """Return them as `Catalog.list` does."""
        ...


async def flagged_passages(
    list_flagged: ListFlagged, catalog: Catalog, collection: str
) -> AsyncGenerator[tuple[Document, Chunk]]:
    """Yield every flagged passage with its document, by source and in reading order."""
    after = ""
    while page := await list_flagged(collection, limit=_AT_ONCE, after=after):
        for summary in page:
            for chunk in await catalog.chunks(collection, summary.document.id):
                if chunk.flags:
                    yield summary.document, chunk
        after = page[-1].document.id
