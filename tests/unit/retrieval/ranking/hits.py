"""Hits for tests of what happens to them."""

from contracts import Box, Chunk, Document, Hit


def hit(
    text: str,
    *,
    start: int = 0,
    position: int = 0,
    score: float = 1.0,
    document: str = "d1",
    page: int | None = None,
    headings: tuple[str, ...] = (),
    boxes: tuple[Box, ...] = (),
    title: str = "Title",
) -> Hit:
    """Return a hit whose chunk's id names document and position, and whose span begins at `start`."""
    chunk = Chunk(
        f"{document}.{position}", document, "v1", position, text, (start, start + len(text)), page, boxes, headings
    )
    return Hit(chunk, Document(document, "default", "v1", f"{document}.txt", title, "text/plain", len(text)), score)
