"""The kinds of file that Footnote reads, by their media types and by the extensions they usually have."""

from __future__ import annotations

from pathlib import Path, PurePath

PDF = "application/pdf"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
PPTX = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
DOC = "application/msword"
PPT = "application/vnd.ms-powerpoint"
XLS = "application/vnd.ms-excel"
ODT = "application/vnd.oasis.opendocument.text"
ODS = "application/vnd.oasis.opendocument.spreadsheet"
ODP = "application/vnd.oasis.opendocument.presentation"
RTF = "application/rtf"
EPUB = "application/epub+zip"
HTML = "text/html"
MARKDOWN = "text/markdown"
RST = "text/x-rst"
ASCIIDOC = "text/asciidoc"
ORG = "text/x-org"
LATEX = "text/x-tex"
MEDIAWIKI = "text/x-mediawiki"
TEXTILE = "text/x-textile"
TEXT = "text/plain"
CSV = "text/csv"
TSV = "text/tab-separated-values"
XML = "application/xml"
JSON = "application/json"
JSONL = "application/jsonl"
VTT = "text/vtt"
SRT = "application/x-subrip"
EMAIL = "message/rfc822"
MSG = "application/vnd.ms-outlook"
MBOX = "application/mbox"
PNG = "image/png"
JPEG = "image/jpeg"
TIFF = "image/tiff"
WEBP = "image/webp"
HEIC = "image/heic"
GIF = "image/gif"
BMP = "image/bmp"
ZIP = "application/zip"
TAR = "application/x-tar"  # plain or compressed
GZIP = "application/gzip"  # one compressed file that is no tar

_EXTENSIONS = {
    PDF: "pdf",
    DOCX: "docx docm dotx dotm",
    PPTX: "pptx pptm ppsx ppsm potx potm",
    XLSX: "xlsx xlsm xltx xltm xlsb",
    DOC: "doc dot",
    PPT: "ppt pps pot",
    XLS: "xls xlt",
    ODT: "odt ott",
    ODS: "ods ots",
    ODP: "odp otp",
    RTF: "rtf",
    EPUB: "epub",
    HTML: "html htm xhtml mht mhtml",
    MARKDOWN: "md markdown mdown mkd",
    RST: "rst rest",
    ASCIIDOC: "adoc asciidoc asc",
    ORG: "org",
    LATEX: "tex latex ltx",
    MEDIAWIKI: "wiki mediawiki",
    TEXTILE: "textile",
    TEXT: "txt text log",
    CSV: "csv",
    TSV: "tsv tab",
    XML: "xml nxml xsd xsl rss atom",
    JSON: "json",
    JSONL: "jsonl ndjson",
    VTT: "vtt",
    SRT: "srt",
    EMAIL: "eml",
    MSG: "msg",
    MBOX: "mbox",
    PNG: "png",
    JPEG: "jpg jpeg",
    TIFF: "tif tiff",
    WEBP: "webp",
    HEIC: "heic heif",
    GIF: "gif",
    BMP: "bmp",
    ZIP: "zip",
    TAR: "tar tgz tbz2 txz tzst",
    GZIP: "gz bz2 xz zst",
}
BY_EXTENSION = {f".{extension}": kind for kind, listed in _EXTENSIONS.items() for extension in listed.split()}
SUPPORTED = (
    "PDF, Office files (docx, pptx, xlsx, doc, ppt, xls, odt, ods, odp, rtf), epub, web pages, Markdown and other "
    "text, csv, json, xml, subtitles, e-mail (eml, msg, mbox), images, and archives (zip, tar, gz)"
)
OFFICE_TYPES = frozenset({DOCX, PPTX, XLSX, DOC, PPT, XLS, ODT, ODS, ODP, RTF})
IMAGE_TYPES = frozenset({PNG, JPEG, TIFF, WEBP, HEIC, GIF, BMP})
ARCHIVE_TYPES = frozenset({ZIP, TAR, GZIP})
BINARY_TYPES = OFFICE_TYPES | IMAGE_TYPES | ARCHIVE_TYPES | {PDF, EPUB, MSG}  # RTF is text, but not to a person


def expected_type(called: str) -> str | None:
    """Return the media type that the extension of the name promises, None for an extension that promises nothing."""
    return BY_EXTENSION.get(PurePath(called).suffix.lower())


def detect_media_type(path: Path, name: str | None = None) -> str:
    """Return the media type of the file at `path`, called `name`; see `media_type_detection.detect_media_type`."""
    from ingestion.parsing.media_type_detection import detect_media_type  # it needs the constants above

    return detect_media_type(path, name)
