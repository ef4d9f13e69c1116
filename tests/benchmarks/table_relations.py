"""Scores tables by their cells' adjacency relations, the measure of the ICDAR 2013 table competition.

Göbel, Hassan, Oro, Orsi: "A methodology for evaluating algorithms for table understanding in PDF documents",
DocEng 2012. A relation is a cell, the nearest cell with content to its right or below it, and which of the two.
"""

import itertools
import re
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

Relation = tuple[str, str, str]
Grid = Sequence[Sequence[str | None]]


@dataclass(frozen=True)
class Score:
    """How many relations were found rightly, how many were given, and how many there are."""

    right: int = 0
    given: int = 0
    gold: int = 0

    def __add__(self, other: "Score") -> "Score":
        return Score(self.right + other.right, self.given + other.given, self.gold + other.gold)

    @property
    def precision(self) -> float:
        return self.right / self.given if self.given else 0.0

    @property
    def recall(self) -> float:
        return self.right / self.gold if self.gold else 0.0

    @property
    def f1(self) -> float:
        return 2 * self.right / (self.given + self.gold) if self.given + self.gold else 0.0


def score(found: Iterable[Grid], gold: Counter[Relation]) -> Score:
    """Compare the tables found in a document with the relations of its gold; a table that is none costs precision."""
    given = sum((relations_of(grid) for grid in found), Counter())
    return Score((given & gold).total(), given.total(), gold.total())


def relations_of(grid: Grid) -> Counter[Relation]:
    """Return the relations of a table given as rows of cells; empty cells have none."""
    width = max((len(row) for row in grid), default=0)
    full = [[_plain(cell) for cell in row] + [""] * (width - len(row)) for row in grid]
    return _pairs(full, "right") + _pairs(zip(*full, strict=True), "below")


def gold_relations(path: Path) -> Counter[Relation]:
    """Return the relations of all tables of an ICDAR `-str.xml` file. Cells may span rows and columns."""
    found: Counter[Relation] = Counter()
    for region in ET.parse(path).getroot().iter("region"):
        grid: dict[tuple[int, int], int] = {}
        texts: list[str] = []
        for cell in region.iter("cell"):
            text = _plain(cell.findtext("content"))
            if not text:
                continue
            rows, columns = _extent(cell, "row"), _extent(cell, "col")
            grid.update({(row, column): len(texts) for row in rows for column in columns})
            texts.append(text)
        for axis, direction in ((0, "right"), (1, "below")):
            found += _spanned(grid, texts, axis, direction)
    return found


def grid_of_markdown(text: str) -> list[list[str]]:
    """Return the cells of a Markdown table."""
    lines = [line for line in text.splitlines() if line.startswith("|") and not re.fullmatch(r"[|\s:-]+", line)]
    return [[cell.replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def _extent(cell: ET.Element, axis: str) -> range:
    start = cell.get(f"start-{axis}") or "0"
    return range(int(start), int(cell.get(f"end-{axis}") or start) + 1)


def _spanned(grid: dict[tuple[int, int], int], texts: list[str], axis: int, direction: str) -> Counter[Relation]:
    lanes: dict[int, list[tuple[int, int]]] = {}
    for place, cell in grid.items():
        lanes.setdefault(place[axis], []).append((place[1 - axis], cell))
    pairs = set()
    for lane in lanes.values():
        cells = [cell for _, cell in sorted(lane)]
        pairs |= {(a, b) for a, b in itertools.pairwise(cells) if a != b}
    return Counter((texts[a], texts[b], direction) for a, b in pairs)


def _pairs(lanes: Iterable[Sequence[str]], direction: str) -> Counter[Relation]:
    found: Counter[Relation] = Counter()
    for lane in lanes:
        cells = [cell for cell in lane if cell]
        found.update((a, b, direction) for a, b in itertools.pairwise(cells))
    return found


def _plain(cell: str | None) -> str:
    return re.sub(r"[\W_]+", "", cell or "").casefold()
