"""Reads text in images with RapidOCR: PP-OCRv6 models that come in its package, run by OpenVINO, without a network."""

from __future__ import annotations

import functools
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ingestion.parsing.images.ocr_bands import bands
from ingestion.parsing.images.ocr_lines import OcrLine, with_even_heights
from ingestion.parsing.images.ocr_reading_order import in_reading_order

if TYPE_CHECKING:
    from PIL.Image import Image

_SURE = 0.85  # mean score of a page that stands upright; upside down it is near 0.6
_CREDIBLE = 0.8  # score of the best line below which all are guesses, as in a script that the models do not know
_SMALL = 736  # pixels; the models were trained on images with no shorter side
_MOST = 1.5  # times that small images are enlarged; in larger letters each word is taken for a line
_RULE = 3.0  # times as wide as high is a rule, or a line in an unknown script, where nothing but signs is read
_TALL = 1.5  # times as high as wide is a line that runs up or down the page


class RapidOcrRecogniser:
    """Reads English, Chinese, Japanese and some 45 languages in Latin letters; the models are loaded once a process.

    Cyrillic, Arabic, Hebrew, Korean, Thai and the scripts of India are not known; Greek is read poorly.

    >>> RapidOcrRecogniser()(Image.open("scan.png"))
    [OcrLine(text='Invoice 4711', ...), ...]
    """

    _lock = threading.Lock()  # one request at a time: the models of the process are shared

    def __init__(self, threads: int = 1) -> None:
        self._threads = threads

    def __call__(self, image: Image) -> list[OcrLine]:
        """Return the lines in reading order, none where there is no text that can be read. A page that lies on its
        side or upside down is turned upright."""
        rgb = _enlarged(image.convert("RGB"))
        with self._lock:
            lines = _best_turned(_engine(self._threads), rgb)
        if not any(line.score >= _CREDIBLE for line in lines):
            return []
        return with_even_heights(in_reading_order(lines))


@functools.lru_cache(maxsize=1)
def _engine(threads: int) -> Any:
    import cv2
    import openvino
    from rapidocr import EngineType, RapidOCR

    cv2.setNumThreads(threads)
    # The classifier that turns single lines upside down is left out: it is often wrong, above all in bfloat16.
    engine = RapidOCR(
        params={
            "Global.log_level": "critical",
            "Global.use_cls": False,
            "Det.engine_type": EngineType.OPENVINO,
            "Rec.engine_type": EngineType.OPENVINO,
            "Det.limit_side_len": 32,  # or else it enlarges, whatever the size of the letters
            "Rec.rec_batch_num": 1,  # lines do not change one another's reading, and less memory is needed
        }
    )
    # By default OpenVINO keeps what it compiled for every shape it has seen, and hardly two lines are equally long.
    options = {"INFERENCE_NUM_THREADS": threads, "CPU_RUNTIME_CACHE_CAPACITY": 0}
    for step in (engine._load_det_model(), engine._load_rec_model()):
        compiled = openvino.Core().compile_model(step.session.model, "CPU", options)
        step.session.session = compiled.create_infer_request()
    return engine


def _enlarged(image: Image) -> Image:
    factor = min(_MOST, _SMALL / min(image.size))
    return image if factor <= 1 else image.resize((round(image.width * factor), round(image.height * factor)))


def _best_turned(engine: Any, image: Image) -> Sequence[OcrLine]:
    """Return what is read in the image as it is or, where that looks wrong, turned so that most is read."""
    lines, upright = _read(engine, image, 0)
    if not upright:
        return max(*(_read(engine, image, turned)[0] for turned in (1, 3)), key=_trust)
    if lines and _trust(lines) < _SURE * sum(len(line.text) for line in lines):
        return max(lines, _read(engine, image, 2)[0], key=_trust)
    return lines


def _trust(lines: Sequence[OcrLine]) -> float:
    return sum(line.score * len(line.text) for line in lines)


def _read(engine: Any, image: Image, turned: int) -> tuple[list[OcrLine], bool]:
    """Return the lines of the image after `turned` quarter turns clockwise, and whether most run from left to right."""
    import numpy as np

    pixels = np.rot90(np.asarray(image)[:, :, ::-1], -turned)
    height, width = pixels.shape[:2]
    lines: list[OcrLine] = []
    letters = tall = 0
    for top, band in bands(pixels):
        found = engine(np.ascontiguousarray(band))
        if found.txts is None:
            continue
        for text, corners, score in zip(found.txts, np.asarray(found.boxes, dtype=float), found.scores, strict=True):
            (x0, y0), (x1, y1) = corners.min(axis=0).tolist(), corners.max(axis=0).tolist()
            if x1 - x0 > _RULE * (y1 - y0) and not any(character.isalnum() for character in text):
                continue
            box = (x0 / width, (top + y0) / height, x1 / width, (top + y1) / height)
            lines.append(OcrLine(text.strip(), *box, score=float(score), turned=turned))
            letters += len(text)
            tall += len(text) * (y1 - y0 > _TALL * (x1 - x0))
    return lines, 2 * tall <= letters
