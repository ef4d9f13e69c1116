"""PDFs read by Footnote and by Unstructured's fast strategy, in turns: pages a second, text, and tables.

Run it with ``python tests/benchmarks/bench_pdf.py --data FOLDER``, where FOLDER holds ``parse/docling/pdf``,
``parse/tables`` and ``qa/sec10q``. The peers, `unstructured[pdf]` and `pdfplumber`, are to be installed beside it.
Words are compared with docling's Markdown where there is one, else with what pypdf reads: F1 of the bags of words, and
the share of them in the same order. Tables: adjacency relations of ICDAR 2013; a table where prose is costs precision.
"""

import argparse
import asyncio
import logging
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rapidfuzz.distance import Indel
from table_relations import Grid, Score, gold_relations, grid_of_markdown, score

from contracts import ElementKind, ParsedFile, ParseError
from ingestion.parsing.markup.unstructured_offline import prepare_unstructured
from ingestion.parsing.pdf.pdfium_parser import PdfiumParser

Reader = Callable[[Path], tuple[str, list[Grid]]]
READERS = ("footnote", "unstructured", "pdfplumber")


@dataclass
class Tally:
    """What a reader did with one set of files."""

    best: dict[Path, float] = field(default_factory=dict)
    f1: list[float] = field(default_factory=list)
    order: list[float] = field(default_factory=list)
    tables: Score = field(default_factory=Score)


def read_by_footnote(path: Path) -> tuple[str, list[Grid]]:
    parsed: ParsedFile = asyncio.run(PdfiumParser().parse(path))
    shown = [element for element in parsed.elements if not element.hidden]
    grids: list[Grid] = [grid_of_markdown(element.text) for element in shown if element.kind is ElementKind.TABLE]
    return "\n".join(element.text for element in shown), grids


def read_by_unstructured(path: Path) -> tuple[str, list[Grid]]:
    from unstructured.partition.pdf import partition_pdf

    elements = partition_pdf(str(path), strategy="fast", languages=[""])
    return "\n".join(str(element) for element in elements), []  # this strategy knows no tables


def read_by_pdfplumber(path: Path) -> tuple[str, list[Grid]]:
    import pdfplumber  # type: ignore[import-not-found]

    with pdfplumber.open(path) as document:
        pages = [(page.extract_text() or "", page.extract_tables()) for page in document.pages]
    return "\n".join(text for text, _ in pages), [table for _, tables in pages for table in tables]


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())


def compare(found: Sequence[str], reference: Sequence[str]) -> tuple[float, float]:
    """Return the F1 of the bags of words, and the share of words that stand in the same order."""
    shared = (Counter(found) & Counter(reference)).total()
    order = Indel.normalized_similarity(found, reference)
    return 2 * shared / max(1, len(found) + len(reference)), order


def reference_of(path: Path) -> list[str]:
    markdown = path.parent.with_name("groundtruth") / f"{path.stem}.md"
    if markdown.exists():
        return words(re.sub(r"<!--.*?-->", " ", markdown.read_text(encoding="utf-8")))
    import pypdf

    try:
        return words("\n".join(page.extract_text() for page in pypdf.PdfReader(path).pages))
    except Exception as exc:  # a third reader's limits are not what is measured
        print(f"no reference for {path.name}: {exc}")
        return []


def measure(files: Sequence[Path], rounds: int, readers: dict[str, Reader]) -> tuple[dict[str, Tally], int]:
    import pypdfium2

    tallies = {name: Tally() for name in readers}
    pages = 0
    for path in files:
        document = pypdfium2.PdfDocument(path)
        pages += len(document)
        document.close()
        reference = reference_of(path)
        structure = path.with_name(f"{path.stem}-str.xml")
        for turn in range(rounds):
            for name, read in readers.items():
                tally = tallies[name]
                start = time.perf_counter()
                try:
                    text, grids = read(path)
                except ParseError as exc:
                    print(f"{path.name}: {exc}")
                    text, grids = "", []
                tally.best[path] = min(tally.best.get(path, 1e9), time.perf_counter() - start)
                if turn:
                    continue
                if reference:
                    f1, order = compare(words(text), reference)
                    tally.f1.append(f1)
                    tally.order.append(order)
                if structure.exists():
                    tally.tables += score(grids, gold_relations(structure))
    return tallies, pages


def mean(values: Iterable[float]) -> float:
    found = list(values)
    return sum(found) / len(found) if found else float("nan")


def show(name: str, tallies: dict[str, Tally], pages: int) -> None:
    print(f"\n{name}: {pages} pages")
    print(f"{'':<14}{'pages/s':>9}{'word F1':>9}{'order':>7}{'table P':>9}{'R':>7}{'F1':>7}")
    for reader, tally in tallies.items():
        speed = pages / sum(tally.best.values())
        tables = tally.tables
        figures = f"{tables.precision:>9.3f}{tables.recall:>7.3f}{tables.f1:>7.3f}" if tables.gold else ""
        print(f"{reader:<14}{speed:>9.1f}{mean(tally.f1):>9.3f}{mean(tally.order):>7.3f}{figures}")
    ours = sum(tallies["footnote"].best.values())
    for reader, tally in tallies.items():
        if reader != "footnote":
            print(f"footnote is {sum(tally.best.values()) / ours:.1f} times as fast as {reader}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--peers", nargs="*", default=list(READERS[1:]), choices=READERS[1:])
    chosen = parser.parse_args()
    logging.disable(logging.WARNING)
    prepare_unstructured()
    readers: dict[str, Reader] = {"footnote": read_by_footnote}
    readers |= {name: globals()[f"read_by_{name}"] for name in chosen.peers}
    sets = {"docling": "parse/docling/pdf", "ICDAR 2013": "parse/tables", "10-Q": "qa/sec10q"}
    for name, folder in sets.items():
        files = sorted((chosen.data / folder).rglob("*.pdf"))
        for read in readers.values():
            read(files[0])  # imports and warms up
        show(name, *measure(files, chosen.rounds, readers))


if __name__ == "__main__":
    main()
