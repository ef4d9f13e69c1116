"""Main text of web pages: F1 against people's judgement, ours beside trafilatura, readability and others.

``python -m tests.benchmarks.bench_html --data FOLDER`` takes a folder with ``ground-truth.json`` and gzipped pages in
``html``, as scrapinghub/article-extraction-benchmark has them. Peers that are not installed are left out; they are
``pip install readability-lxml beautifulsoup4 resiliparse unstructured``. Times are the best of several, interleaved.
"""

import argparse
import asyncio
import gzip
import json
import re
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

from ingestion.parsing.markup.trafilatura_html_parser import TrafilaturaHtmlParser

ROUNDS = 3
_WORD = re.compile(r"\w+")
Extractor = Callable[[str], str]


def shingles(text: str) -> Counter[tuple[str, ...]]:
    words = _WORD.findall(text)
    runs = (tuple(words[i : i + 4]) for i in range(max(1, len(words) - 3)))
    return Counter(run for run in runs if run)


def counts(true: str, found: str) -> tuple[float, float, float]:
    """Return the shares of right, wrong and missing shingles of four words; a long page counts as much as a short."""
    wanted, got = shingles(true), shingles(found)
    right = (wanted & got).total()
    wrong, missing = got.total() - right, wanted.total() - right
    total = right + wrong + missing or 1
    return right / total, wrong / total, missing / total


def score(true: Mapping[str, str], found: Mapping[str, str]) -> tuple[float, float, float]:
    """Return F1, precision and recall over all pages, as the benchmark's own evaluation defines them."""
    right, wrong, missing = (sum(part) for part in zip(*(counts(true[key], found[key]) for key in true), strict=True))
    precision, recall = right / (right + wrong), right / (right + missing)
    return 2 * precision * recall / (precision + recall), precision, recall


def ours(headline: bool) -> Extractor:
    parser = TrafilaturaHtmlParser()

    def extract(page: str) -> str:
        with tempfile.NamedTemporaryFile(suffix=".html") as file:
            Path(file.name).write_text(page, encoding="utf-8")
            elements = asyncio.run(parser.parse(Path(file.name))).elements
        wanted = (e for e in elements if not e.hidden and (headline or e.kind != "title" or e.level > 1))
        return "\n".join(element.text for element in wanted)

    return extract


def trafilatura_alone() -> Extractor:
    import trafilatura

    return lambda page: trafilatura.extract(page) or ""


def readability() -> Extractor:
    from lxml import html as lxml_html
    from readability import Document

    return lambda page: lxml_html.fromstring(Document(page).summary()).text_content()


def beautiful_soup() -> Extractor:
    from bs4 import BeautifulSoup

    return lambda page: BeautifulSoup(page, "lxml").get_text(" ")


def resiliparse() -> Extractor:
    from resiliparse.extract.html2text import extract_plain_text

    return lambda page: extract_plain_text(page, main_content=True)


def unstructured() -> Extractor:
    from ingestion.parsing.markup.unstructured_offline import prepare_unstructured

    prepare_unstructured()
    from unstructured.partition.html import partition_html

    return lambda page: "\n".join(part.text for part in partition_html(text=page, languages=[""]))


PEERS: dict[str, Callable[[], Extractor]] = {
    "Footnote": lambda: ours(headline=True),
    "Footnote without headline": lambda: ours(headline=False),
    "trafilatura": trafilatura_alone,
    "readability-lxml": readability,
    "resiliparse": resiliparse,
    "BeautifulSoup get_text": beautiful_soup,
    "Unstructured": unstructured,
}


def installed() -> dict[str, Extractor]:
    found = {}
    for name, make in PEERS.items():
        try:
            found[name] = make()
        except ImportError as exc:
            print(f"{name} is left out: {exc}")
    return found


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--data", type=Path, required=True)
    folder = options.parse_args().data
    truth = json.loads((folder / "ground-truth.json").read_text(encoding="utf-8"))
    true = {key: value["articleBody"] for key, value in truth.items()}
    pages = {
        key: gzip.decompress((folder / "html" / f"{key}.html.gz").read_bytes()).decode("utf-8", "replace")
        for key in true
    }
    extractors = installed()
    found: dict[str, dict[str, str]] = {name: {} for name in extractors}
    best = dict.fromkeys(extractors, float("inf"))
    for _ in range(ROUNDS):
        for name, extract in extractors.items():
            start = time.perf_counter()
            found[name] = {key: extract(page) for key, page in pages.items()}
            best[name] = min(best[name], time.perf_counter() - start)
    print(f"{len(pages)} pages\n{'':<28}{'F1':>8}{'precision':>11}{'recall':>8}{'ms a page':>11}")
    for name, texts in found.items():
        f1, precision, recall = score(true, texts)
        print(f"{name:<28}{f1:>8.3f}{precision:>11.3f}{recall:>8.3f}{best[name] / len(pages) * 1000:>11.1f}")


if __name__ == "__main__":
    main()
