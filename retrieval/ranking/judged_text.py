"""What a reranker reads of a hit."""

from contracts import Hit


def judged_text(hit: Hit) -> str:
    """Return the passage with its title and headings in front."""
    path = " > ".join(dict.fromkeys(name for name in (hit.document.title, *hit.chunk.headings) if name))
    return f"{path}\n{hit.chunk.text}" if path else hit.chunk.text
