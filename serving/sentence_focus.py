"""Shortens sources to the sentences that speak of the question, for models too small to read whole passages."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from contracts import ElementKind, Hit

_RANK_PENALTY = 0.15  # per rank of the source: among equal sentences the better source wins
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence, or a row of a table, of the source with this index."""

    source: int
    text: str


def focus(query: str, sources: Sequence[Hit], limit: int) -> list[Statement]:
    """Return the `limit` statements that share the most telling words with `query`, best first.

    A word tells more the fewer statements hold it: its weight is log(1 + n / (1 + df)), after Robertson & Spärck Jones.
    """
    found = [Statement(index, text) for index, hit in enumerate(sources) for text in _statements(hit)]
    stems = [_stems(f"{_heading(sources[s.source])} {s.text}") for s in found]
    frequency = Counter(stem for each in stems for stem in each)
    asked = _stems(query)

    def score(position: int) -> float:
        weights = (math.log(1 + len(found) / (1 + frequency[stem])) for stem in asked & stems[position])
        return sum(weights) - _RANK_PENALTY * found[position].source

    return [found[position] for position in sorted(range(len(found)), key=score, reverse=True)[:limit]]


def _heading(hit: Hit) -> str:
    return " ".join(hit.chunk.headings[-1:])


def _statements(hit: Hit) -> list[str]:
    from sentencex import segment

    statements = []
    for block in hit.chunk.text.split("\n\n"):
        lines = [line.strip() for line in block.splitlines()]
        if len(lines) > 2 and all(line.startswith("|") for line in lines):
            statements += _rows(lines)
        elif hit.chunk.kind is not ElementKind.CODE:
            statements += [sentence for part in segment("en", block) if (sentence := " ".join(part.split()))]
        else:
            statements.append(block)
    return statements


def _rows(table: Sequence[str]) -> list[str]:
    """Return each row of a Markdown table as "column: cell; …", so that it can be read alone."""
    header, _, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table]
    return [
        "; ".join(f"{name}: {cell}" if name else cell for name, cell in zip(header, row, strict=False)) for row in rows
    ]


def _stems(text: str) -> frozenset[str]:
    import Stemmer

    return frozenset(Stemmer.Stemmer("english").stemWords(_WORD.findall(text.lower())))
