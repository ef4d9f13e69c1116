"""Writes rows of cells as a Markdown table."""

from __future__ import annotations

import re
from collections.abc import Sequence

_SPACE = re.compile(r"\s+")


def markdown_table(rows: Sequence[Sequence[str]]) -> str:
    """Return the rows as a Markdown table whose header is the first row; "" when no cell holds anything.

    Empty rows and columns are left out and short rows are filled up. A line break in a cell becomes a space, since
    a row is a line.
    """
    cleaned = [[_SPACE.sub(" ", cell).strip() for cell in row] for row in rows]
    cleaned = [row for row in cleaned if any(row)]
    width = max((len(row) for row in cleaned), default=0)
    filled = [row + [""] * (width - len(row)) for row in cleaned]
    used = [column for column in range(width) if any(row[column] for row in filled)]
    if not used:
        return ""
    lines = [_line([row[column] for column in used]) for row in filled]
    return "\n".join([lines[0], "|" + " --- |" * len(used), *lines[1:]])


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
