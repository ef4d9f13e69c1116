"""Has Unstructured cut what pandoc made of a document into titles, paragraphs, items, tables and code."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from contracts import Element, ElementKind
from ingestion.parsing.markdown_tables import markdown_table
from ingestion.parsing.markup.unstructured_offline import prepare_unstructured

_KINDS = {
    "Title": ElementKind.TITLE,
    "ListItem": ElementKind.LIST,
    "Table": ElementKind.TABLE,
    "CodeSnippet": ElementKind.CODE,
}
_NO_LANGUAGES = [""]  # switches language detection off: it is slow and changes nothing here
_ODD_SPACES = {0xA0: " ", 0x200B: None, 0xFEFF: None}


def elements_of_html(html: str) -> tuple[Element, ...]:
    """Return the elements of a page that is all document: nothing in it is navigation."""
    prepare_unstructured()
    from unstructured.partition.html import partition_html

    return tuple(_elements(partition_html(text=html, languages=_NO_LANGUAGES))) if html else ()


def _elements(parts: Any) -> Iterator[Element]:
    from lxml import html

    for part in parts:
        text = part.text.translate(_ODD_SPACES).strip()
        kind = _KINDS.get(part.category, ElementKind.TEXT)
        level = (part.metadata.category_depth or 0) + 1
        if kind is ElementKind.TABLE and part.metadata.text_as_html:
            rows = html.fragment_fromstring(part.metadata.text_as_html).iter("tr")
            text = markdown_table([[cell.text_content() for cell in row.iterchildren("td", "th")] for row in rows])
        if text:
            yield Element(text, kind=kind, level=level if kind is ElementKind.TITLE else 1)
