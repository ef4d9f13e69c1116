"""Opens Office and OpenDocument packages (zip files): what they hold, and small differences that libraries stumble over."""

from __future__ import annotations

import io
import re
import zipfile

from ingestion.media_types import DOCX, EPUB, ODP, ODS, ODT, PPTX, XLSX

_FOLDERS = {"word/": DOCX, "ppt/": PPTX, "xl/": XLSX}
# Templates differ from documents by the end of their media type only.
_MIMETYPES = {ODT: ODT, ODS: ODS, ODP: ODP, EPUB: EPUB} | {f"{kind}-template": kind for kind in (ODT, ODS, ODP)}
_STRICT = b"http://purl.oclc.org/ooxml/"
_STRICT_NAME = re.compile(rb"http://purl\.oclc\.org/ooxml/(\w+)/(\w+)")
# Names that are not simply the same with the year put in; ISO/IEC 29500-1 and -4, annexes A.
_RENAMED = {b"extendedProperties": b"extended-properties", b"customProperties": b"custom-properties"}
# Documents with macros and templates hold the same parts as documents; the libraries look at this type and refuse.
_MAIN_TYPE = re.compile(
    rb"application/vnd\.(?:ms-word\.(?:document|template)\.macroEnabled|openxmlformats-officedocument\.wordprocessingml"
    rb"\.template|ms-powerpoint\.(?:presentation|template|slideshow)\.macroEnabled|openxmlformats-officedocument"
    rb"\.presentationml\.(?:template|slideshow))\.main\+xml",
    re.IGNORECASE,
)


def package_type(data: bytes) -> str | None:
    """Return the media type of the package, None for a zip file of another kind. Raises zipfile.BadZipFile."""
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        names = package.namelist()
        if "mimetype" in names:
            return _MIMETYPES.get(package.read("mimetype")[:100].decode("ascii", "replace").strip())
    lower = [name.lower().lstrip("/") for name in names]
    return next((kind for folder, kind in _FOLDERS.items() if any(name.startswith(folder) for name in lower)), None)


def is_binary_workbook(data: bytes) -> bool:
    """Return whether the workbook is an xlsb, whose parts are binary."""
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        return "xl/workbook.bin" in package.namelist()


def unpacked_size(data: bytes, folder: str) -> int:
    """Return how many bytes the package's parts below the folder have when unpacked."""
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        return sum(entry.file_size for entry in package.infolist() if entry.filename.startswith(folder))


def plain_package(data: bytes) -> bytes:
    """Return the Office package as an ordinary document: strict names as transitional ones, no macros, no template."""
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        types = package.read("[Content_Types].xml") if "[Content_Types].xml" in package.namelist() else b""
        strict = any(_STRICT in package.read(n) for n in package.namelist() if n.lower() == "_rels/.rels")
        if not strict and not _MAIN_TYPE.search(types):
            return data
        renewed = io.BytesIO()
        with zipfile.ZipFile(renewed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as copy:
            for entry in package.infolist():
                part = package.read(entry)
                if entry.filename == "[Content_Types].xml":
                    part = _MAIN_TYPE.sub(_document_type, part)
                if entry.filename.endswith((".xml", ".rels")):
                    part = _STRICT_NAME.sub(_transitional, part)
                copy.writestr(entry.filename, part)
    return renewed.getvalue()


def _document_type(found: re.Match[bytes]) -> bytes:
    word = b"word" in found[0].lower()
    main = b"wordprocessingml.document" if word else b"presentationml.presentation"
    return b"application/vnd.openxmlformats-officedocument." + main + b".main+xml"


def _transitional(found: re.Match[bytes]) -> bytes:
    name = _RENAMED.get(found[2], found[2])
    return b"http://schemas.openxmlformats.org/" + found[1] + b"/2006/" + name


def is_encrypted(data: bytes, kind: str) -> bool:
    """Return whether the text of an OpenDocument or EPUB file is encrypted; fonts of an EPUB may be without harm."""
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        names = package.namelist()
        if kind in (ODT, ODS, ODP) and "META-INF/manifest.xml" in names:
            return b"encryption-data" in package.read("META-INF/manifest.xml")
        if kind == EPUB and "META-INF/encryption.xml" in names:
            return re.search(rb"CipherReference[^>]*\.x?html?\"", package.read("META-INF/encryption.xml")) is not None
    return False
