"""Draws PDFs for tests, and reads them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pypdf
from pypdf.generic import (
    ArrayObject,
    DecodedStreamObject,
    DictionaryObject,
    FloatObject,
    NameObject,
    NumberObject,
    TextStringObject,
)

from contracts import Element, ParsedFile
from ingestion.parsing.pdf.pdfium_parser import PdfiumParser

PROSE = "The committee met twice in spring and agreed on every point that had been put before it by the members"
IMAGE = "q 612 0 0 792 0 0 cm /I Do Q"


def text(x: float, y: float, said: str, *, size: float = 10, before: str = "0 g") -> str:
    return f"q {before} BT /F {size} Tf {x} {y} Td ({said}) Tj ET Q"


def name(value: str) -> NameObject:
    return NameObject(f"/{value}")


def document(*contents: str, rotate: int = 0) -> pypdf.PdfWriter:
    """Make a PDF of 612 × 792 points a page that draws the contents; /F is Helvetica, /I an image."""
    writer = pypdf.PdfWriter()
    font = DictionaryObject(
        {name("Type"): name("Font"), name("Subtype"): name("Type1"), name("BaseFont"): name("Helvetica")}
    )
    pixel = DecodedStreamObject()
    pixel.set_data(b"\x80\x80\x80")
    facts = {
        "Subtype": name("Image"),
        "Width": NumberObject(1),
        "Height": NumberObject(1),
        "BitsPerComponent": NumberObject(8),
    }
    pixel.update({name(key): value for key, value in facts.items()} | {name("ColorSpace"): name("DeviceRGB")})
    fonts, images = DictionaryObject({name("F"): writer._add_object(font)}), writer._add_object(pixel)
    for content in contents:
        page = writer.add_blank_page(612, 792)
        stream = DecodedStreamObject()
        stream.set_data(content.encode("latin-1"))
        page[name("Contents")] = writer._add_object(stream)
        page[name("Resources")] = DictionaryObject(
            {name("Font"): fonts, name("XObject"): DictionaryObject({name("I"): images})}
        )
        page.rotate(rotate)
    return writer


def field(kind: str, value: Any, x: float, y: float, **more: Any) -> DictionaryObject:
    rect = ArrayObject(map(FloatObject, (x, y, x + 100, y + 12)))
    facts = {
        "Type": name("Annot"),
        "Subtype": name("Widget"),
        "FT": name(kind),
        "V": value,
        "Rect": rect,
        "F": NumberObject(4),
    }
    facts["T"] = TextStringObject(f"field {x} {y}")
    return DictionaryObject({name(key): found for key, found in (facts | more).items()})


def form(content: str, *fields: DictionaryObject) -> pypdf.PdfWriter:
    writer = document(content)
    added = ArrayObject(writer._add_object(one) for one in fields)
    writer.pages[0][name("Annots")] = added
    writer._root_object[name("AcroForm")] = DictionaryObject({name("Fields"): added})
    return writer


async def parse(tmp_path: Path, writer: pypdf.PdfWriter, parser: PdfiumParser | None = None, **more: Any) -> ParsedFile:
    path = tmp_path / "file.pdf"
    writer.write(path)
    return await (parser or PdfiumParser()).parse(path, **more)


async def elements(tmp_path: Path, *contents: str, rotate: int = 0) -> tuple[Element, ...]:
    return (await parse(tmp_path, document(*contents, rotate=rotate))).elements


def rows(cells: Sequence[Sequence[str]], xs: Sequence[float], top: float = 600, step: float = 16) -> list[str]:
    return [
        text(x, top - i * step, cell) for i, row in enumerate(cells) for x, cell in zip(xs, row, strict=True) if cell
    ]
