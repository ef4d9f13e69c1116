"""Compares OCR engines: pages of PDFs that have a text layer are rendered like bad scans, and read again.

    python -m tests.benchmarks.bench_ocr --data FOLDER [--pages 12] [--dpi 150] [--engines ours,tesseract]

Prints for each engine the F1 of the words (a bag of words: the text layer has its own order of reading), the error rate
of characters (median, as the order differs on some pages), and seconds per page. All engines read the same
page one after another, so that a busy machine slows all of them.
"""

from __future__ import annotations

import argparse
import importlib.util
import io
import os
import re
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean, median

import numpy as np
import pypdfium2
from PIL import Image, ImageFilter
from rapidfuzz.distance import Levenshtein

from ingestion.parsing.images.ocr_layout import page_elements
from ingestion.parsing.images.rapidocr_recogniser import RapidOcrRecogniser

Engine = Callable[[Image.Image], str]
_MIN_LETTERS = 600


@dataclass
class Score:
    """What an engine did on each page."""

    f1: list[float] = field(default_factory=list)
    errors: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    def add(self, read: str, gold: str, seconds: float) -> None:
        self.f1.append(word_f1(read, gold))
        distance = Levenshtein.distance(" ".join(read.split()), " ".join(gold.split()))
        self.errors.append(distance / len(" ".join(gold.split())))
        self.seconds.append(seconds)


def word_f1(read: str, gold: str) -> float:
    """Return the F1 of the words of `read`, in any order."""
    a, b = (Counter(re.findall(r"\w+", text.lower())) for text in (read, gold))
    return 2 * (a & b).total() / max(1, a.total() + b.total())


def scanned_pages(folder: Path, count: int, dpi: int) -> Iterator[tuple[str, Image.Image, str]]:
    """Yield name, image and text of one page of each PDF below the folder, at most `count` of them."""
    rng = np.random.default_rng(0)
    for path in sorted(folder.rglob("*.pdf")):
        try:
            document = pypdfium2.PdfDocument(path)
        except pypdfium2.PdfiumError:
            continue
        page = document[min(1, len(document) - 1)]
        text = page.get_textpage().get_text_range().replace("\ufffe", "").replace("\x02", "")
        if sum(character.isascii() and character.isalpha() for character in text) < max(_MIN_LETTERS, 0.6 * len(text)):
            continue
        yield path.name, _like_a_scan(page.render(scale=dpi / 72).to_pil(), rng), text
        count -= 1
        if not count:
            return


def _like_a_scan(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    askew = image.convert("L").filter(ImageFilter.GaussianBlur(0.6)).rotate(0.3, fillcolor=255)
    noisy = np.asarray(askew, dtype=float) + rng.normal(0, 12, (image.height, image.width))
    stream = io.BytesIO()
    Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(stream, "JPEG", quality=70)
    return Image.open(stream).convert("RGB")


def ours() -> Engine:
    recognise = RapidOcrRecogniser()
    return lambda image: "\n".join(element.text for element in page_elements([recognise(image)]))


def tesseract() -> Engine:
    if not shutil.which("tesseract"):
        raise ImportError("tesseract is not installed")

    def read(image: Image.Image) -> str:
        stream = io.BytesIO()
        image.save(stream, "PNG")
        command = ["tesseract", "-", "-", "--dpi", "150"]
        environment = {**os.environ, "OMP_THREAD_LIMIT": "1"}
        return subprocess.run(
            command, input=stream.getvalue(), capture_output=True, check=True, env=environment
        ).stdout.decode()

    return read


def rapidocr_onnxruntime() -> Engine:
    """RapidOCR as its documentation shows it, with one thread."""
    if importlib.util.find_spec("onnxruntime") is None:
        raise ImportError("onnxruntime is not installed")
    from rapidocr import RapidOCR

    threads = {f"EngineConfig.onnxruntime.{kind}_op_num_threads": 1 for kind in ("intra", "inter")}
    engine = RapidOCR(params={"Global.log_level": "critical", **threads})
    return lambda image: "\n".join(engine(np.asarray(image)[:, :, ::-1]).txts or ())


def unstructured_ocr_only() -> Engine:
    from unstructured.partition.image import partition_image

    def read(image: Image.Image) -> str:
        stream = io.BytesIO()
        image.save(stream, "PNG")
        stream.seek(0)
        return "\n".join(element.text for element in partition_image(file=stream, strategy="ocr_only"))

    return read


ENGINES = {
    "ours": ours,
    "tesseract": tesseract,
    "rapidocr-onnxruntime": rapidocr_onnxruntime,
    "unstructured-ocr_only": unstructured_ocr_only,
}


def loaded(names: list[str]) -> dict[str, Engine]:
    """Return the engines that work here, after a first page that does not count."""
    engines = {}
    for name in names:
        try:
            engines[name] = ENGINES[name]()
            engines[name](Image.new("RGB", (800, 600), "white"))
        except Exception as exc:  # whatever a peer raises: it is left out, and that is said
            engines.pop(name, None)
            print(f"{name} is left out: {type(exc).__name__}: {str(exc).splitlines()[0] if str(exc) else ''}")
    return engines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with PDFs that have a text layer")
    parser.add_argument("--pages", type=int, default=12)
    parser.add_argument("--dpi", type=int, default=150)
    parser.add_argument("--engines", default=",".join(ENGINES))
    arguments = parser.parse_args()
    engines = loaded(arguments.engines.split(","))
    scores = {name: Score() for name in engines}
    for page, image, gold in scanned_pages(arguments.data, arguments.pages, arguments.dpi):
        for name, engine in engines.items():
            start = time.perf_counter()
            read = engine(image)
            scores[name].add(read, gold, time.perf_counter() - start)
        print(
            page, *(f"{name} {score.f1[-1]:.3f}/{score.errors[-1]:.3f}" for name, score in scores.items()), flush=True
        )
    for name, score in scores.items():
        print(
            f"{name:24} words F1 {mean(score.f1):.4f}  character errors {median(score.errors):.4f} (median)"
            f"  {mean(score.seconds):.2f} s/page ({len(score.f1)} pages, {arguments.dpi} dpi)"
        )


if __name__ == "__main__":
    main()
