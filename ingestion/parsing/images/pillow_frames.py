"""Opens images with Pillow: every page as a person sees it, upright and on white, and what the file tells."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from contracts import ParseError, ParseFailure
from ingestion.parsing.images.pi_heif_images import accept_heic

if TYPE_CHECKING:
    from PIL.Image import Image

_PAGED = ("TIFF", "HEIF")  # where further frames are pages, and not an animation, a preview or a map of depths
_FORMATS = ("PNG", "JPEG", "TIFF", "WEBP", "GIF", "BMP", "DIB", "HEIF")
_MAX_PAGES = 2_000
_EXIF_IFD, _TAKEN = 0x8769, 0x9003
_TAGS = {"description": 0x010E, "author": 0x013B, "date": 0x0132}
_BY_CAMERA = re.compile(r"(?i)digital camera|^(sony )?dsc|^dcim|^image$|^\W*$")  # written by devices, says nothing


@contextmanager
def opened(path: Path, called: str) -> Iterator[Image]:
    """Open the image, of whatever format. Raises ParseError: TOO_LARGE; and whatever Pillow raises."""
    from PIL import Image

    accept_heic()
    try:
        with Image.open(path, formats=_FORMATS) as image:
            yield image
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as exc:
        raise _too_large(called, str(exc)) from exc


def pages(image: Image, called: str, max_pixels: int) -> Iterator[Image]:
    """Yield the pages of the image one after another, each in RGB. Raises ParseError: TOO_LARGE."""
    from PIL import ImageOps

    count = getattr(image, "n_frames", 1) if image.format in _PAGED else 1
    if count > _MAX_PAGES:
        raise _too_large(called, f"it has {count} pages; {_MAX_PAGES} are read at most")
    for number in range(count):
        image.seek(number)
        if image.width * image.height > max_pixels:
            raise _too_large(called, f"it is {image.width} by {image.height} pixels; {max_pixels} are read at most")
        yield _on_paper(ImageOps.exif_transpose(image))


def description(image: Image) -> dict[str, str]:
    """Return what the file says about itself: title, description, author and date, where it does."""
    exif = image.getexif()
    found = {name: _text(exif.get(tag)) for name, tag in _TAGS.items()}
    found["date"] = _date(_text(exif.get_ifd(_EXIF_IFD).get(_TAKEN)) or found["date"])
    for name in ("Title", "Author", "Description"):  # the text chunks of PNG
        found[name.lower()] = found.get(name.lower()) or _text(image.info.get(name))
    if _BY_CAMERA.search(found["description"]):
        found["description"] = ""
    return {name: text for name, text in found.items() if text}


def _on_paper(image: Image) -> Image:
    """Return the image in RGB, what is transparent filled with white, or with black behind light letters."""
    from PIL import Image, ImageStat

    if image.mode.startswith(("I", "F")):  # more than 8 bits, of which any number may be in use
        most = image.getextrema()[1]
        scale = 255 / most if isinstance(most, int | float) and most > 0 else 1.0
        return image.convert("F").point(lambda value: value * scale + 0).convert("L").convert("RGB")
    if not image.has_transparency_data:
        return image.convert("RGB")
    rgba = image.convert("RGBA")
    alpha = rgba.getchannel("A")
    light = ImageStat.Stat(rgba.convert("L"), alpha.point(lambda value: 255 * (value > 127))).mean[0] > 200
    paper = Image.new("RGBA", rgba.size, "black" if light else "white")
    return Image.alpha_composite(paper, rgba).convert("RGB")


def _text(value: object) -> str:
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
    return " ".join(text.replace("\x00", " ").split()) if isinstance(text, str) else ""


def _date(text: str) -> str:
    try:
        return datetime.strptime(text[:19], "%Y:%m:%d %H:%M:%S").isoformat()
    except ValueError:
        return ""


def _too_large(called: str, why: str) -> ParseError:
    return ParseError(ParseFailure.TOO_LARGE, f"{called!r} is too large: {why}. Scale it down or cut it up.")
