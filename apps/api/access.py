"""What a caller may see of the documents: those that it may not read do not exist for it."""

from __future__ import annotations

from collections.abc import Sequence

from apps.bootstrap import Library
from apps.collection_settings import known_collection, no_collection
from contracts import Caller, DocumentSummary, Job, NotFoundError, may_read

_PAGE = 1000


async def readable_document(library: Library, caller: Caller, collection: str, document_id: str) -> DocumentSummary:
    """Return the document. Raises NotFoundError, in the same words when it is not there as when the document or the
    whole collection is not for the caller."""
    found = await library.catalog.find(collection, document_id)
    there = await library.collections.settings(collection)
    closed = there is None or not may_read(caller.scope, there.readers)
    if closed or found is None or not may_read(caller.scope, found.document.readers):
        raise NotFoundError(f"No document {document_id!r} in collection {collection!r}.")
    return found


async def readable_documents(
    library: Library, caller: Caller, collection: str, *, limit: int, after: str, flagged: bool = False
) -> tuple[DocumentSummary, ...]:
    """Return up to `limit` documents, or of those with flagged passages, by source, starting after the document
    `after`. Raises NotFoundError when that one or the collection is not there for the caller; the default collection is
    empty instead."""
    listed = library.list_flagged if flagged else library.catalog.list
    if await known_collection(library.collections, collection, caller.scope) is None:
        return ()
    if after:
        await readable_document(library, caller, collection, after)
    found: list[DocumentSummary] = []
    wanted = limit
    while True:
        page = await listed(collection, limit=wanted, after=after)
        found += [each for each in page if may_read(caller.scope, each.document.readers)]
        if len(found) >= limit or len(page) < wanted:
            return tuple(found[:limit])
        wanted, after = _PAGE, page[-1].document.id  # much of it may be of others


async def writable_collection(library: Library, caller: Caller, name: str) -> None:
    """Return when files may be put into the collection, which need not exist yet. Raises NotFoundError."""
    found = await library.collections.settings(name)
    if found is not None and not may_read(caller.scope, found.readers):
        raise no_collection(name)


async def readable_job(library: Library, caller: Caller, job_id: str) -> Job:
    """Return the job. Raises NotFoundError, in the same words when it is not there as when it is not for the caller."""
    job = await library.jobs.get(job_id)
    if not await readable_jobs(library, caller, [job]):
        raise NotFoundError(f"No job {job_id!r}.")
    return job


async def readable_jobs(library: Library, caller: Caller, jobs: Sequence[Job]) -> list[Job]:
    """Return those of the jobs that bring a file into a collection for the caller, whoever may then read it: who
    uploads must hear what became of it."""
    there = {name: await library.collections.settings(name) for name in {job.collection for job in jobs}}
    return [job for job in jobs if (found := there[job.collection]) is None or may_read(caller.scope, found.readers)]
