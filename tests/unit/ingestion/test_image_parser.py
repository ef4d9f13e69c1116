"""Images of every format become text with pages and boxes, or a named reason."""

import io
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont, PngImagePlugin

from contracts import ElementKind, ParsedFile, ParseError, ParseFailure
from ingestion.parsing.images.ocr_lines import OcrLine
from ingestion.parsing.images.pillow_image_parser import PillowImageParser
from ingestion.parsing.images.rapidocr_recogniser import RapidOcrRecogniser

TEXT = "Opening hours 9 to 17"


def sign(text: str = TEXT, mode: str = "RGB", fill: str = "black", paper: str = "white") -> Image.Image:
    image = Image.new("RGB", (420, 100), paper)
    ImageDraw.Draw(image).text((20, 30), text, font=ImageFont.load_default(size=32), fill=fill)
    return image.convert(mode)


def size_and_corner(image: Image.Image) -> list[OcrLine]:
    """A stand-in for OCR that tells the size of the image and the colour of its top left corner."""
    corner = "light" if image.getpixel((0, 0)) >= (128, 128, 128) else "dark"
    return [OcrLine(f"{image.width}x{image.height} {image.mode} {corner}", 0.1, 0.1, 0.9, 0.2)]


async def parsed(path: Path, name: str | None = None, max_pixels: int = 90_000_000) -> ParsedFile:
    return await PillowImageParser(size_and_corner, max_pixels).parse(path, name)


async def failure(path: Path, max_pixels: int = 90_000_000) -> ParseError:
    with pytest.raises(ParseError) as caught:
        await parsed(path, max_pixels=max_pixels)
    assert repr(path.name) in str(caught.value)
    return caught.value


@pytest.mark.parametrize(
    ("format", "media_type"),
    [("PNG", "png"), ("JPEG", "jpeg"), ("TIFF", "tiff"), ("WEBP", "webp"), ("GIF", "gif"), ("BMP", "bmp")],
)
async def test_every_format_is_read_whatever_the_file_is_called(tmp_path: Path, format: str, media_type: str) -> None:
    path = tmp_path / "0a1b2c"
    sign().save(path, format)
    result = await PillowImageParser(RapidOcrRecogniser()).parse(path, "sign.dat")
    assert [(e.text, e.kind, e.page) for e in result.elements] == [(TEXT, ElementKind.IMAGE, 1)]
    assert (result.media_type, result.title) == (f"image/{media_type}", "sign")


async def test_heic_is_read() -> None:
    path = Path(__file__).with_name("opening_hours.heic")
    result = await PillowImageParser(RapidOcrRecogniser()).parse(path)
    assert [e.text for e in result.elements] == [TEXT]
    assert result.media_type == "image/heic"


async def test_frames_of_a_tiff_are_pages(tmp_path: Path) -> None:
    frames = [Image.new("L", (200 + i, 100), 255) for i in range(3)]
    frames[0].save(tmp_path / "fax.tif", save_all=True, append_images=frames[1:])
    result = await parsed(tmp_path / "fax.tif")
    assert [(e.page, e.text, e.boxes[0].page) for e in result.elements] == [
        (i + 1, f"{200 + i}x100 RGB light", i + 1) for i in range(3)
    ]
    assert result.metadata == {"pages": "3"}


async def test_of_an_animation_the_first_frame_is_read(tmp_path: Path) -> None:
    frames = [Image.new("L", (200, 100), shade) for shade in (250, 5)]
    frames[0].save(tmp_path / "spinner.gif", save_all=True, append_images=frames[1:])
    assert [e.text for e in (await parsed(tmp_path / "spinner.gif")).elements] == ["200x100 RGB light"]


async def test_the_camera_says_which_way_is_up_when_and_what(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees
    exif[0x010E] = "Harbour of Bergen at dusk"
    exif[0x013B] = "Kari Nordmann"
    exif.get_ifd(0x8769)[0x9003] = datetime(2024, 5, 17, 21, 30).strftime("%Y:%m:%d %H:%M:%S")
    Image.new("RGB", (300, 100), "white").save(tmp_path / "DSC01.jpg", exif=exif)
    result = await parsed(tmp_path / "DSC01.jpg")
    assert [e.text for e in result.elements] == ["Harbour of Bergen at dusk", "100x300 RGB light"]
    assert result.metadata == {
        "description": "Harbour of Bergen at dusk",
        "author": "Kari Nordmann",
        "date": "2024-05-17T21:30:00",
    }


async def test_what_a_camera_writes_into_every_picture_is_no_description(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010E] = "OLYMPUS DIGITAL CAMERA         "
    exif[0x0132] = "0000:00:00 00:00:00"
    Image.new("RGB", (300, 100)).save(tmp_path / "a.jpg", exif=exif)
    assert (await parsed(tmp_path / "a.jpg")).metadata == {}


async def test_the_title_in_a_png_is_the_title(tmp_path: Path) -> None:
    told = PngImagePlugin.PngInfo()
    told.add_text("Title", "Site plan")
    Image.new("RGB", (300, 100)).save(tmp_path / "a.png", pnginfo=told)
    assert (await parsed(tmp_path / "a.png")).title == "Site plan"


@pytest.mark.parametrize(("letters", "paper"), [("black", "light"), ("white", "dark")])
async def test_letters_on_nothing_stand_out_from_the_paper(tmp_path: Path, letters: str, paper: str) -> None:
    image = Image.new("RGBA", (400, 100), (0, 0, 0, 0))
    ImageDraw.Draw(image).text((20, 30), TEXT, font=ImageFont.load_default(size=32), fill=letters)
    image.save(tmp_path / "logo.png")
    (element,) = (await parsed(tmp_path / "logo.png")).elements
    assert element.text.endswith(paper)


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "CMYK", "I;16", "I", "F"])
async def test_every_mode_keeps_light_light(tmp_path: Path, mode: str) -> None:
    light = {"I;16": 60_000, "I": 60_000, "F": 0.97}.get(mode)
    image = Image.new(mode, (200, 100), light) if light else sign(mode=mode)
    image.save(tmp_path / "a.tif")
    (element,) = (await parsed(tmp_path / "a.tif")).elements
    assert element.text.endswith("RGB light")


async def test_a_picture_without_text_is_empty_and_says_so(tmp_path: Path) -> None:
    Image.new("RGB", (300, 200), "green").save(tmp_path / "lawn.png")
    with pytest.raises(ParseError, match=r"'lawn.png' is empty: OCR found no text") as caught:
        await PillowImageParser(lambda image: []).parse(tmp_path / "lawn.png")
    assert caught.value.reason is ParseFailure.EMPTY


def _halved(content: bytes) -> bytes:
    return content[: len(content) // 2]


@pytest.mark.parametrize("format", ["PNG", "JPEG", "TIFF", "WEBP", "GIF", "BMP"])
@pytest.mark.parametrize("spoil", [_halved, lambda content: content[:8] + b"\x00" * 2_000], ids=["cut", "overwritten"])
async def test_damaged_files_are_corrupt(tmp_path: Path, format: str, spoil: Callable[[bytes], bytes]) -> None:
    stream = io.BytesIO()
    Image.effect_noise((300, 300), 90).convert("RGB").save(stream, format)
    (tmp_path / "a.img").write_bytes(spoil(stream.getvalue()))
    assert (await failure(tmp_path / "a.img")).reason is ParseFailure.CORRUPT


async def test_a_damaged_heic_is_corrupt(tmp_path: Path) -> None:
    (tmp_path / "a.heic").write_bytes(_halved(Path(__file__).with_name("opening_hours.heic").read_bytes()))
    assert (await failure(tmp_path / "a.heic")).reason is ParseFailure.CORRUPT


async def test_a_decompression_bomb_is_too_large_and_is_never_unpacked(tmp_path: Path) -> None:
    Image.new("1", (30_000, 30_000)).save(tmp_path / "bomb.png")
    assert (await failure(tmp_path / "bomb.png")).reason is ParseFailure.TOO_LARGE


async def test_every_page_counts_against_the_limit(tmp_path: Path) -> None:
    small, large = Image.new("L", (10, 10)), Image.new("L", (2_000, 2_000))
    small.save(tmp_path / "a.tif", save_all=True, append_images=[large])
    assert (await failure(tmp_path / "a.tif", max_pixels=1_000_000)).reason is ParseFailure.TOO_LARGE


async def test_a_missing_file_is_unreadable(tmp_path: Path) -> None:
    assert (await failure(tmp_path / "a.png")).reason is ParseFailure.UNREADABLE
