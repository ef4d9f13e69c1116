"""Reads Office files with Footnote and with other libraries, and compares text, order, headings, table cells and time.

    python tests/benchmarks/bench_office.py --data FOLDER

FOLDER holds sources with a Markdown reference of the same name (…/sources/a.docx beside …/groundtruth/a.docx.md), and
may hold MarkItDown's test vectors (_test_vectors.py beside test_files/). Libraries that are not installed are left out.
The readers take turns on each file; the time is the best of several rounds.
"""

from __future__ import annotations

import argparse
import ast
import asyncio
import difflib
import re
import sys
import time
import warnings
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from contracts import ElementKind
from ingestion.parsing.markdown_tables import markdown_table
from ingestion.parsing.markup.unstructured_offline import prepare_unstructured
from ingestion.parsing.office.office_parser import OfficeParser

Reader = Callable[[Path], str]
OLD, NEW = (".doc", ".ppt", ".xls", ".rtf"), (".docx", ".pptx", ".xlsx", ".xlsm", ".odt", ".ods", ".odp", ".epub")
SUFFIXES = frozenset(OLD + NEW)
_TOKEN = re.compile(r"\w+", re.UNICODE)
_HEADING = re.compile(r"^#+\s+(.+)$", re.MULTILINE)
_NOTHING = re.compile(r"<!--.*?-->|^[\s|:-]+$", re.MULTILINE)


@dataclass(frozen=True)
class Score:
    """Shares of 1; `headings` and `cells` are None where the reference has none."""

    tokens: float
    order: float
    headings: float | None
    cells: float | None


def footnote(path: Path) -> str:
    parsed = asyncio.run(OfficeParser().parse(path))
    shown = ("#" * e.level + " " + e.text if e.kind is ElementKind.TITLE else e.text for e in parsed.elements)
    return "\n\n".join(shown)


def unstructured() -> Reader:
    prepare_unstructured()
    from lxml import html
    from unstructured.partition.auto import partition

    def shown(part: Any) -> str:
        if part.category == "Table" and part.metadata.text_as_html:
            rows = html.fragment_fromstring(part.metadata.text_as_html).iter("tr")
            return markdown_table([[cell.text_content() for cell in row.iterchildren("td", "th")] for row in rows])
        return f"# {part.text}" if part.category == "Title" else str(part.text)

    return lambda path: "\n\n".join(map(shown, partition(str(path), languages=[""])))


def markitdown() -> Reader:
    from markitdown import MarkItDown

    reader = MarkItDown()
    return lambda path: reader.convert(path).text_content


def pandoc() -> Reader:
    import pypandoc

    return lambda path: pypandoc.convert_file(str(path), "gfm-raw_html", extra_args=["--sandbox"])


def readers() -> dict[str, Reader]:
    """Return the readers that are installed, by name."""
    found: dict[str, Reader] = {"footnote": footnote}
    for make in (unstructured, markitdown, pandoc):
        try:
            found[make.__name__] = make()
        except ImportError as exc:
            print(f"left out: {make.__name__} ({exc})", file=sys.stderr)
    return found


def score(text: str, reference: str) -> Score:
    """Compare the text with the reference, both Markdown."""
    text, reference = _NOTHING.sub("", text), _NOTHING.sub("", reference)
    ours, theirs = _tokens(text), _tokens(reference)
    order = difflib.SequenceMatcher(None, ours, theirs, autojunk=False).ratio()
    headings = _HEADING.findall(reference)
    cells = list(_cells(reference))
    return Score(
        tokens=_f1(ours, theirs),
        order=order,
        headings=_f1(map(_plain, _HEADING.findall(text)), map(_plain, headings)) if headings else None,
        cells=_f1(map(_plain, _cells(text)), map(_plain, cells)) if cells else None,
    )


def _tokens(text: str) -> list[str]:
    return _TOKEN.findall(text.lower())


def _plain(text: str) -> str:
    return " ".join(_tokens(text))


def _cells(text: str) -> Iterator[str]:
    for line in text.splitlines():
        if line.lstrip().startswith("|"):
            yield from (cell for cell in line.strip().strip("|").split("|") if cell.strip())


def _f1(ours: Iterable[str], theirs: Iterable[str]) -> float:
    left, right = Counter(ours), Counter(theirs)
    total = left.total() + right.total()
    return 2 * (left & right).total() / total if total else 1.0


def pairs(data: Path) -> list[tuple[Path, Path]]:
    """Return each source with its reference."""
    sources = sorted(path for path in data.rglob("sources/*") if path.suffix in SUFFIXES)
    found = [(path, path.parent.parent / "groundtruth" / f"{path.name}.md") for path in sources]
    return [(source, reference) for source, reference in found if reference.exists()]


def compare(data: Path, rounds: int) -> None:
    scores: dict[tuple[str, str], list[Score]] = defaultdict(list)
    seconds: dict[tuple[str, str], float] = defaultdict(float)
    systems = readers()
    for source, reference in pairs(data):
        kind = source.suffix.replace("xlsm", "xlsx")
        wanted = reference.read_text(encoding="utf-8")
        texts = dict.fromkeys(systems, "")
        best = dict.fromkeys(systems, float("inf"))
        for _ in range(rounds):
            for name, read in systems.items():
                started = time.perf_counter()
                texts[name] = _attempt(read, source)
                best[name] = min(best[name], time.perf_counter() - started)
        for name in systems:
            scores[kind, name].append(score(texts[name], wanted))
            seconds[kind, name] += best[name]
    print(f"{'format':7}{'files':>6}  {'reader':13}{'tokens':>8}{'order':>8}{'heads':>8}{'cells':>8}{'ms/file':>9}")
    for (kind, name), found in sorted(scores.items(), key=lambda item: item[0][0]):
        milliseconds = 1000 * seconds[kind, name] / len(found)
        columns: list[list[float | None]] = [[s.tokens for s in found], [s.order for s in found]]
        columns += [[s.headings for s in found], [s.cells for s in found]]
        shown = "".join(f"{_mean(column):>8}" for column in columns)
        print(f"{kind:7}{len(found):>6}  {name:13}{shown}{milliseconds:>9.1f}")


def _mean(values: Sequence[float | None]) -> str:
    known = [value for value in values if value is not None]
    return f"{sum(known) / len(known):.3f}" if known else "-"


def _attempt(read: Reader, source: Path) -> str:
    try:
        return read(source)
    except Exception as exc:  # a peer that cannot read a file scores 0 on it
        print(f"  {read.__qualname__.partition('.')[0]}: {source.name}: {type(exc).__name__}", file=sys.stderr)
        return ""


def vectors(data: Path) -> None:
    """Print which of the strings that must, and must not, be in the text are missing, or there."""
    for path in data.rglob("_test_vectors.py"):
        calls = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
        for name, read in readers().items():
            held = total = 0
            for call in calls:
                given = {keyword.arg: keyword.value for keyword in call.keywords}
                if "must_include" not in given:
                    continue
                file = path.parent / "test_files" / ast.literal_eval(given["filename"])
                if file.suffix not in SUFFIXES or not file.exists():
                    continue
                text = _plain(_attempt(read, file))
                wanted = [_plain(s) for s in ast.literal_eval(given["must_include"]) if "base64" not in s]
                held += sum(s in text for s in wanted)
                total += len(wanted)
            print(f"vectors  {name:13}{held:>4} of {total} strings that must be there")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--data", type=Path, required=True)
    arguments.add_argument("--rounds", type=int, default=3)
    given = arguments.parse_args()
    warnings.simplefilter("ignore")
    compare(given.data, given.rounds)
    vectors(given.data)


if __name__ == "__main__":
    main()
