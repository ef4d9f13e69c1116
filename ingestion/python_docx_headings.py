"""Asks python-docx which paragraphs of a Word file are headings by their style."""

from __future__ import annotations

from pathlib import Path


def heading_texts(path: Path) -> tuple[frozenset[str], str]:
    """Return the texts of the paragraphs styled as title or heading, and the title in the file's properties."""
    from docx import Document

    document = Document(str(path))
    styled = frozenset(
        paragraph.text.strip()
        for paragraph in document.paragraphs
        if paragraph.style is not None and (paragraph.style.name or "").startswith(("Heading", "Title"))
    )
    return styled - {""}, (document.core_properties.title or "").strip()
