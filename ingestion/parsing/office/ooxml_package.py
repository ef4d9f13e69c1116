"""Opens Office and OpenDocument packages: what they hold, and small differences that libraries stumble over."""

from __future__ import annotations

import base64
import io
import re
import zipfile

from contracts import ParseError, ParseFailure
from ingestion.parsing.media_types import DOCX, EPUB, ODP, ODS, ODT, PPTX, XLSX

_FOLDERS = {"word/": DOCX, "ppt/": PPTX, "xl/": XLSX}
MAX_UNPACKED_BYTES = 1 << 30
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
_PICTURE = re.compile(r"(?:^|/)(?:media|Pictures)/.*\.(?:png|jpe?g|gif|bmp|tiff?|emf|wmf|webp)$", re.IGNORECASE)
_DOT = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII="
)  # a PNG of one pixel


def package_type(data: bytes, called: str) -> str:
    """Return the media type of the package. Raises ParseError, UNSUPPORTED for a zip file of another kind and
    TOO_LARGE for one that holds more than a document needs, and zipfile.BadZipFile."""
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        unpacked = sum(entry.file_size for entry in package.infolist())
        if unpacked > MAX_UNPACKED_BYTES:
            message = f"{called!r} unpacks to {unpacked >> 20} MiB; no document needs that much."
            raise ParseError(ParseFailure.TOO_LARGE, message)
        names = package.namelist()
        stated = package.read("mimetype")[:100].decode("ascii", "replace").strip() if "mimetype" in names else ""
    lower = [name.lower().lstrip("/") for name in names]
    inside = (kind for folder, kind in _FOLDERS.items() if any(name.startswith(folder) for name in lower))
    kind = _MIMETYPES.get(stated) or next(inside, None)
    if kind is None:
        message = f"{called!r} cannot be read: it is a zip file without a document. Unpack it first."
        raise ParseError(ParseFailure.UNSUPPORTED, message)
    return kind


def is_binary_workbook(data: bytes) -> bool:
    """Return whether the workbook is an xlsb, whose parts are binary."""
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        return "xl/workbook.bin" in package.namelist()


def unpacked_size(data: bytes, folder: str) -> int:
    """Return how many bytes the package's parts below the folder have when unpacked."""
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        return sum(entry.file_size for entry in package.infolist() if entry.filename.startswith(folder))


def plain_package(data: bytes) -> bytes:
    """Return the package as a plain document: strict names as transitional ones, no macros, no template, and a dot for
    each picture, which Docling would otherwise decode and encode anew."""
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        renewed = io.BytesIO()
        with zipfile.ZipFile(renewed, "w", zipfile.ZIP_STORED) as copy:
            for entry in package.infolist():
                name = entry.filename
                picture = _PICTURE.search(name) is not None
                part = _DOT if picture else package.read(entry)
                if name == "[Content_Types].xml":
                    part = _MAIN_TYPE.sub(_document_type, part)
                if name.endswith((".xml", ".rels")) and _STRICT in part:
                    part = _STRICT_NAME.sub(_transitional, part)
                copy.writestr(name, part)
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
