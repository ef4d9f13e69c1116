"""What a passage says, piece by piece: its sentences and the rows of its tables, each where it stands in the text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from contracts import ElementKind, Hit

_BLOCK = re.compile(r"(?:(?!\n[^\S\n]*\n).)+", re.DOTALL)
_LINE = re.compile(r"[^\n]+")


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence, or a row of a table, of the source with this index. `text` can be read alone; `span` is where it
    stands in the text of the source's chunk."""

    source: int
    text: str
    span: tuple[int, int] = (0, 0)


def statements(source: int, hit: Hit) -> Iterator[Statement]:
    """Yield the statements of `hit`, in order; code is one for each block."""
    for block in _BLOCK.finditer(hit.chunk.text):
        lines = [line for line in _LINE.finditer(block.group()) if not line.group().isspace()]
        if len(lines) > 2 and all(line.group().lstrip().startswith("|") for line in lines):
            yield from _rows(source, block.start(), lines)
        elif hit.chunk.kind is ElementKind.CODE:
            yield Statement(source, block.group(), block.span())
        else:
            yield from _sentences(source, block.start(), block.group())


def _sentences(source: int, start: int, block: str) -> Iterator[Statement]:
    from sentencex import segment

    for part in segment("en", block):
        if text := " ".join(part.split()):
            first = start + len(part) - len(part.lstrip())
            yield Statement(source, text, (first, start + len(part.rstrip())))
        start += len(part)


def _rows(source: int, start: int, table: list[re.Match[str]]) -> Iterator[Statement]:
    """Yield each row of a Markdown table as "column: cell; …", so that it can be read alone."""
    header = _cells(table[0].group())
    for line in table[2:]:
        pairs = zip(header, _cells(line.group()), strict=False)
        text = "; ".join(f"{name}: {cell}" if name else cell for name, cell in pairs)
        yield Statement(source, text, (start + line.start(), start + line.end()))


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]
