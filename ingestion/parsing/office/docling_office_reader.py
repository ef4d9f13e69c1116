"""Reads Office, OpenDocument and EPUB files with Docling's own readers, which need no model and no network."""

from __future__ import annotations

import io
import logging
import warnings
from typing import Any

from contracts import Element
from ingestion.parsing.media_types import DOCX, EPUB, ODP, ODS, ODT, PPTX, XLSX
from ingestion.parsing.office.docling_elements import docling_elements
from ingestion.parsing.office.xlsx_display import sheet_displays


def read_with_docling(data: bytes, media_type: str) -> tuple[Element, ...]:
    """Return the elements of the file. Raises what Docling or the library below it raises when it is damaged."""
    from docling.datamodel.document import InputDocument

    reader, kind = _readers()[media_type]
    logging.getLogger("docling").setLevel(logging.CRITICAL)  # what it cannot read is raised, or left out on purpose
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        source = InputDocument(
            path_or_stream=io.BytesIO(data), format=kind, backend=reader, filename=f"document.{kind.value}"
        )
        if not source.valid:
            raise _cause(source)
        try:
            return docling_elements(source._backend.convert(), sheet_displays(data) if media_type == XLSX else {})
        finally:
            source._backend.unload()


def _readers() -> dict[str, tuple[Any, Any]]:
    from docling.backend.epub_backend import EpubDocumentBackend
    from docling.backend.msexcel_backend import MsExcelDocumentBackend
    from docling.backend.mspowerpoint_backend import MsPowerpointDocumentBackend
    from docling.backend.msword_backend import MsWordDocumentBackend
    from docling.backend.opendocument_backend import OdpDocumentBackend, OdsDocumentBackend, OdtDocumentBackend
    from docling.datamodel.base_models import InputFormat

    return {
        DOCX: (MsWordDocumentBackend, InputFormat.DOCX),
        PPTX: (MsPowerpointDocumentBackend, InputFormat.PPTX),
        XLSX: (MsExcelDocumentBackend, InputFormat.XLSX),
        ODT: (OdtDocumentBackend, InputFormat.ODT),
        ODS: (OdsDocumentBackend, InputFormat.ODS),
        ODP: (OdpDocumentBackend, InputFormat.ODP),
        EPUB: (EpubDocumentBackend, InputFormat.EPUB),
    }


def _cause(source: Any) -> BaseException:
    from docling.datamodel.document import get_input_rejection_cause

    found = get_input_rejection_cause(source)
    while found is not None and found.__cause__ is not None:
        found = found.__cause__
    return found or ValueError(str(source._rejection))
