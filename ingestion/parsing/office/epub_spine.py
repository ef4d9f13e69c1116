"""Takes the navigation out of an EPUB's reading order, where it would be read as if it were a chapter."""

from __future__ import annotations

import io
import zipfile


def without_navigation(data: bytes) -> bytes:
    """Return the EPUB without its navigation document among the chapters; itself when it is not there."""
    from lxml import etree

    with zipfile.ZipFile(io.BytesIO(data)) as book:
        place = next((name for name in book.namelist() if name.endswith(".opf")), None)
        if place is None:
            return data
        root = etree.fromstring(book.read(place), etree.XMLParser(resolve_entities=False, no_network=True))
        items = root.findall(".//{*}manifest/{*}item")
        navigation = {item.get("id") for item in items if "nav" in (item.get("properties") or "").split()}
        listed = [ref for ref in root.findall(".//{*}spine/{*}itemref") if ref.get("idref") in navigation]
        if not listed:
            return data
        for reference in listed:
            reference.getparent().remove(reference)
        renewed = io.BytesIO()
        with zipfile.ZipFile(renewed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as copy:
            for entry in book.infolist():
                copy.writestr(entry, etree.tostring(root) if entry.filename == place else book.read(entry))
    return renewed.getvalue()
