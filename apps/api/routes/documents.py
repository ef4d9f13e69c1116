"""The documents of a collection: list, upload, read, versions, delete."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import anyio
from fastapi import APIRouter, File, Form, Query, UploadFile
from fastapi.responses import FileResponse
from pydantic import Json

from apps.api.access import readable_document, readable_documents, writable_collection
from apps.api.deps import CallerDep, CollectionPath, LibraryDep
from apps.api.errors import RESPONSES
from apps.api.schemas import (
    ChunksOut,
    DocumentId,
    DocumentOut,
    DocumentsOut,
    FilterText,
    JobsOut,
    Metadata,
    Problem,
    Version,
    VersionsOut,
    chunk_out,
    document_out,
    job_out,
    version_out,
)
from apps.bootstrap import Library
from contracts import (
    FootnoteError,
    InvalidInputError,
    Job,
    NotFoundError,
    StoreUnavailableError,
)

router = APIRouter(prefix="/v1/collections", tags=["documents"], responses=RESPONSES)


@dataclass(frozen=True, slots=True)
class Given:
    """What an upload says of its files."""

    metadata: Mapping[str, str]
    readers: tuple[str, ...] | None


@router.get("/{collection}/documents")
async def list_documents(
    collection: CollectionPath,
    library: LibraryDep,
    caller: CallerDep,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    after: Version = "",
    flagged: Annotated[bool, Query(description="Only documents with passages that broke a rule.")] = False,
) -> DocumentsOut:
    """List the documents of a collection by source; `next` of one page is `after` of the following one. The
    collection `default` is empty before its first document, any other does not exist."""
    found = await readable_documents(library, caller, collection, limit=limit, after=after, flagged=flagged)
    return DocumentsOut(
        documents=[document_out(summary) for summary in found],
        next=found[-1].document.id if len(found) == limit else None,
    )


@router.post("/{collection}/documents", status_code=202, responses={429: {"model": Problem}})
async def upload(
    collection: CollectionPath,
    library: LibraryDep,
    caller: CallerDep,
    files: Annotated[list[UploadFile], File()],
    metadata: Annotated[
        Json[Metadata] | None, Form(description="A JSON object of texts, stored with each file.")
    ] = None,
    readers: Annotated[list[FilterText] | None, Form(description="Who may see them; by default everyone.")] = None,
) -> JobsOut:
    """Take files in; each becomes a job whose progress `/v1/jobs/{id}/events` tells. A file of the same name replaces
    the one before."""
    await writable_collection(library, caller, collection)
    limit_mb = library.settings.api.max_upload_mb
    for file in files:
        if not _file_name(file):
            raise InvalidInputError("A file of the upload has no name; name it, with its extension.")
        if (file.size or 0) > limit_mb << 20:
            raise InvalidInputError(f"{file.filename!r} is over {limit_mb} MB; FOOTNOTE_API__MAX_UPLOAD_MB sets this.")
    given = Given(metadata or {}, tuple(readers) if readers else None)
    return JobsOut(jobs=[job_out(job) for job in await _enqueue(library, collection, files, given)])


@router.get("/{collection}/documents/{document_id}")
async def read_document(
    collection: CollectionPath, document_id: DocumentId, library: LibraryDep, caller: CallerDep
) -> DocumentOut:
    """Describe a document."""
    return document_out(await readable_document(library, caller, collection, document_id))


@router.get("/{collection}/documents/{document_id}/chunks")
async def read_chunks(
    collection: CollectionPath, document_id: DocumentId, library: LibraryDep, caller: CallerDep, version: Version = ""
) -> ChunksOut:
    """Return the passages of a document's version (default: the current one) in reading order."""
    await readable_document(library, caller, collection, document_id)
    chunks = await library.catalog.chunks(collection, document_id, version)
    return ChunksOut(chunks=[chunk_out(chunk) for chunk in chunks])


@router.get("/{collection}/documents/{document_id}/versions")
async def read_versions(
    collection: CollectionPath, document_id: DocumentId, library: LibraryDep, caller: CallerDep
) -> VersionsOut:
    """List the kept versions of a document, newest first."""
    await readable_document(library, caller, collection, document_id)
    versions = await library.catalog.versions(collection, document_id)
    return VersionsOut(versions=[version_out(version) for version in versions])


@router.post("/{collection}/documents/{document_id}/versions/{version}/restore")
async def restore_version(
    collection: CollectionPath, document_id: DocumentId, version: Version, library: LibraryDep, caller: CallerDep
) -> DocumentOut:
    """Make a kept version the current one again."""
    await library.indexing.restore(await readable_document(library, caller, collection, document_id), version)
    return document_out(await readable_document(library, caller, collection, document_id))


@router.get("/{collection}/documents/{document_id}/content")
async def read_content(
    collection: CollectionPath, document_id: DocumentId, library: LibraryDep, caller: CallerDep, version: Version = ""
) -> FileResponse:
    """Return the original file of a version (default: the current one). It is never shown as a page of this site: a
    stored HTML file must not run here."""
    document = (await readable_document(library, caller, collection, document_id)).document
    if version and version not in {v.version for v in await library.catalog.versions(collection, document_id)}:
        raise NotFoundError(f"No version {version!r} of {document.source!r} is kept.")
    path = library.originals_path(version or document.version)
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
async def delete_document(
    collection: CollectionPath, document_id: DocumentId, library: LibraryDep, caller: CallerDep
) -> None:
    """Delete a document: its text, its vectors, its original, every cached answer that rests on it, and so the
    documents inside it, such as attachments."""
    found = await readable_document(library, caller, collection, document_id)
    await library.indexing.remove_source(collection, found.document.source)


async def _enqueue(library: Library, collection: str, files: Sequence[UploadFile], given: Given) -> tuple[Job, ...]:
    """Keep the files for the worker and return their jobs: all of them, or none."""
    kept: list[Job] = []
    try:
        for file in files:
            job_id = uuid.uuid4().hex
            path = library.settings.data_dir / "uploads" / job_id
            source = f"upload/{_file_name(file)}"
            kept.append(Job(job_id, collection, source, str(path), metadata=given.metadata, readers=given.readers))
            await _keep(file, path)
        await library.jobs.enqueue(kept)
    except FootnoteError:
        for job in kept:
            Path(job.path).unlink(missing_ok=True)
        raise
    return tuple(kept)


async def _keep(file: UploadFile, path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        async with await anyio.open_file(path, "wb") as copy:
            while block := await file.read(1 << 20):
                await copy.write(block)
    except OSError as exc:
        raise StoreUnavailableError(f"The upload cannot be stored in {str(path.parent)!r}: {exc}.") from exc


def _file_name(file: UploadFile) -> str:
    """The last part of the name: a client may send a path, with either slash."""
    return (file.filename or "").replace("\\", "/").rsplit("/", 1)[-1].strip()
