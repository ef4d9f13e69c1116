"""Reads RTF with Unstructured: what pandoc makes of it is cut into titles, paragraphs, items and tables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from contracts import Element, ElementKind
from ingestion.markdown_tables import markdown_table
from ingestion.pypandoc_rtf import rtf_to_html
from ingestion.rtf_characters import unicode_rtf
from ingestion.unstructured_offline import prepare_unstructured

_KINDS = {"ListItem": ElementKind.LIST, "Table": ElementKind.TABLE, "CodeSnippet": ElementKind.TEXT}
_PROPERTY = re.compile(r"\{\\(title|author|subject|keywords)\s([^{}\\]+)\}")
_HEAD = 1 << 16
_NO_LANGUAGES = [""]  # switches language detection off: it is slow and changes nothing here
_ODD_SPACES = {0xA0: " ", 0x200B: None, 0xFEFF: None}


def read_rtf(data: bytes) -> tuple[Element, ...]:
    """Return the elements of the file. Raises RuntimeError when pandoc cannot read it."""
    prepare_unstructured()
    from unstructured.partition.html import partition_html

    html = rtf_to_html(data)
    return tuple(_elements(partition_html(text=html, languages=_NO_LANGUAGES))) if html else ()


def rtf_properties(data: bytes) -> dict[str, str]:
    """Return what the file says about itself."""
    head = unicode_rtf(data[:_HEAD]).decode("utf-8")
    return {name: text.strip() for name, text in _PROPERTY.findall(head) if text.strip()}


def _elements(parts: Any) -> Iterator[Element]:
    from lxml import html

    for part in parts:
        text = part.text.translate(_ODD_SPACES).strip()
        kind = _KINDS.get(part.category, ElementKind.TEXT)
        level = (part.metadata.category_depth or 0) + 1
        if part.category == "Title":
            kind = ElementKind.TITLE
        if kind is ElementKind.TABLE and part.metadata.text_as_html:
            rows = html.fragment_fromstring(part.metadata.text_as_html).iter("tr")
            text = markdown_table([[cell.text_content() for cell in row.iterchildren("td", "th")] for row in rows])
        if text:
            yield Element(text, kind=kind, level=level if kind is ElementKind.TITLE else 1)
