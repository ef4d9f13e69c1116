"""Reads what an Office, OpenDocument or EPUB package says about itself: its title, author and dates."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from typing import Any

_NAMES = {
    "title": "title",
    "creator": "author",
    "initial-creator": "author",
    "lastModifiedBy": "modified_by",
    "subject": "subject",
    "description": "description",
    "keywords": "keywords",
    "keyword": "keywords",
    "language": "language",
    "publisher": "publisher",
    "created": "created",
    "creation-date": "created",
    "modified": "modified",
    "date": "date",
}
_LARGEST = 1 << 20  # bytes of such a part


def package_properties(data: bytes) -> dict[str, str]:
    """Return the properties that are set, by name."""
    found: dict[str, list[str]] = {}
    for node in _nodes(data):
        name = _NAMES.get(node.tag.rpartition("}")[2]) if isinstance(node.tag, str) else None
        text = " ".join((node.text or "").split())
        if name and text and text not in found.setdefault(name, []):
            found[name].append(text)
    return {name: ", ".join(texts) for name, texts in found.items() if texts}


def _nodes(data: bytes) -> Iterator[Any]:
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, recover=True)
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        for entry in package.infolist():
            if entry.filename not in ("docProps/core.xml", "meta.xml") and not entry.filename.endswith(".opf"):
                continue
            if entry.file_size <= _LARGEST:
                root = etree.fromstring(package.read(entry), parser)
                yield from () if root is None else root.iter()
