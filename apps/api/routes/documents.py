"""Collections and their documents: list, upload, read, delete."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Annotated

import anyio
from fastapi import APIRouter, File, Query, UploadFile
from fastapi.responses import FileResponse

from apps.api.deps import CallerDep, CollectionPath, LibraryDep
from apps.api.errors import RESPONSES
from apps.api.schemas import (
    ChunkOut,
    ChunksOut,
    CollectionsOut,
    DocumentOut,
    DocumentsOut,
    JobsOut,
    collection_out,
    document_out,
    job_out,
)
from apps.bootstrap import Library
from contracts import Caller, DocumentSummary, InvalidInputError, Job, NotFoundError, StoreUnavailableError

router = APIRouter(prefix="/v1/collections", tags=["documents"], responses=RESPONSES)


@router.get("")
async def list_collections(library: LibraryDep) -> CollectionsOut:
    """List the collections."""
    return CollectionsOut(collections=[collection_out(found) for found in await library.catalog.collections()])


@router.get("/{collection}/documents")
async def list_documents(
    collection: CollectionPath,
    library: LibraryDep,
    caller: CallerDep,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    after: str = "",
) -> DocumentsOut:
    """List the documents of a collection by source; `next` of one page is `after` of the following one."""
    found = await library.catalog.list(collection, limit=limit, after=after)
    return DocumentsOut(
        documents=[document_out(summary) for summary in found if _may_read(caller, summary)],
        next=found[-1].document.id if len(found) == limit else None,
    )


@router.post("/{collection}/documents", status_code=202)
async def upload(
    collection: CollectionPath, library: LibraryDep, files: Annotated[list[UploadFile], File()]
) -> JobsOut:
    """Take files in; each becomes a job whose progress `/v1/jobs/{id}/events` tells. A file of the same name replaces
    the one before."""
    limit_mb = library.settings.api.max_upload_mb
    for file in files:
        if not _file_name(file):
            raise InvalidInputError("A file of the upload has no name; name it, with its extension.")
        if (file.size or 0) > limit_mb << 20:
            raise InvalidInputError(f"{file.filename!r} is over {limit_mb} MB; FOOTNOTE_API__MAX_UPLOAD_MB sets this.")
    return JobsOut(jobs=[job_out(await _enqueue(library, collection, file)) for file in files])


@router.get("/{collection}/documents/{document_id}")
async def read_document(
    collection: CollectionPath, document_id: str, library: LibraryDep, caller: CallerDep
) -> DocumentOut:
    """Describe a document."""
    return document_out(await _readable(library, caller, collection, document_id))


@router.get("/{collection}/documents/{document_id}/chunks")
async def read_chunks(
    collection: CollectionPath, document_id: str, library: LibraryDep, caller: CallerDep
) -> ChunksOut:
    """Return a document's passages in reading order."""
    await _readable(library, caller, collection, document_id)
    chunks = await library.catalog.chunks(collection, document_id)
    return ChunksOut(
        chunks=[
            ChunkOut(
                id=chunk.id,
                position=chunk.position,
                page=chunk.page,
                span=chunk.span,
                headings=list(chunk.headings),
                kind=chunk.kind,
                text=chunk.text,
            )
            for chunk in chunks
        ]
    )


@router.get("/{collection}/documents/{document_id}/content")
async def read_content(
    collection: CollectionPath, document_id: str, library: LibraryDep, caller: CallerDep
) -> FileResponse:
    """Return the original file. It is never shown as a page of this site: a stored HTML file must not run here."""
    document = (await _readable(library, caller, collection, document_id)).document
    path = library.originals_path(document.version)
    if not path.exists():
        raise NotFoundError(f"The original of {document.source!r} is no longer kept.")
    inline = document.media_type == "application/pdf" or document.media_type == "text/plain"
    return FileResponse(
        path,
        media_type=document.media_type,
        filename=Path(document.source).name,
        content_disposition_type="inline" if inline else "attachment",
        headers={"X-Content-Type-Options": "nosniff"},
    )


@router.delete("/{collection}/documents/{document_id}", status_code=204)
async def delete_document(collection: CollectionPath, document_id: str, library: LibraryDep, caller: CallerDep) -> None:
    """Delete a document: its text, its vectors, its original, and every cached answer that rests on it."""
    await _readable(library, caller, collection, document_id)
    await library.indexing.remove(collection, document_id)


async def _enqueue(library: Library, collection: str, file: UploadFile) -> Job:
    job_id = uuid.uuid4().hex
    target = library.settings.data_dir / "uploads" / job_id
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        async with await anyio.open_file(target, "wb") as copy:
            while block := await file.read(1 << 20):
                await copy.write(block)
    except OSError as exc:
        target.unlink(missing_ok=True)
        raise StoreUnavailableError(f"The upload cannot be stored in {str(target.parent)!r}: {exc}.") from exc
    job = Job(id=job_id, collection=collection, source=f"upload/{_file_name(file)}", path=str(target))
    await library.jobs.enqueue(job)
    return job


def _file_name(file: UploadFile) -> str:
    """The last part of the name: a client may send a path, with either slash."""
    return (file.filename or "").replace("\\", "/").rsplit("/", 1)[-1].strip()


def _may_read(caller: Caller, summary: DocumentSummary) -> bool:
    return not set(caller.scope).isdisjoint(summary.document.readers)


async def _readable(library: Library, caller: Caller, collection: str, document_id: str) -> DocumentSummary:
    """Return the document if the caller may read it; one that it may not read does not exist for it."""
    found = await library.catalog.find(collection, document_id)
    if found is None or not _may_read(caller, found):
        raise NotFoundError(f"No document {document_id!r} in collection {collection!r}.")
    return found
