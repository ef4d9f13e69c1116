"""Reads the pages of a PDF: the text layer, tables, what forms hold, and by OCR what is an image."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ingestion.parsing.pdf.pdf_geometry import Word
from ingestion.parsing.pdf.pdf_lines import Line
from ingestion.parsing.pdf.pdf_table_lines import may_hold_tables, with_tables
from ingestion.parsing.pdf.pdfium_forms import annotation_lines, inserted, words_of_fields
from ingestion.parsing.pdf.pdfium_frames import frame_of, turn_of
from ingestion.parsing.pdf.pdfium_lines import LineReader
from ingestion.parsing.pdf.pdfium_scans import Ocr, is_image, read_image
from ingestion.parsing.pdf.pdfium_shapes import shapes_of
from ingestion.parsing.pdf.pdfium_visibility import Visibility
from ingestion.parsing.pdf.pdfium_words import text_of, words_of


@dataclass(slots=True)
class Pages:
    """The lines of each page, and the numbers of pages that are damaged, or images that nothing could read. Where the
    text of a page is turned, by `turns` quarters clockwise, its lines are where they would be if it were upright."""

    lines: list[list[Line]] = field(default_factory=list)
    turns: dict[int, int] = field(default_factory=dict)
    damaged: list[int] = field(default_factory=list)
    images: list[int] = field(default_factory=list)


def read_pages(document: Any, ocr: Ocr | None) -> Pages:
    """Return all pages. One that is damaged is noted, and does not keep the others from being read."""
    import pypdfium2 as pdfium

    pages = Pages()
    if document.get_formtype():
        document.init_forms()
    for index in range(len(document)):
        lines: list[Line] = []
        try:
            page = document[index]
            try:
                lines = _read_page(page, index + 1, document.formenv, ocr, pages)
            finally:
                page.close()
        except (pdfium.PdfiumError, ZeroDivisionError):  # a page may be damaged, or have no size
            pages.damaged.append(index + 1)
        pages.lines.append(lines)
    return pages


def _read_page(page: Any, number: int, form: Any, ocr: Ocr | None, pages: Pages) -> list[Line]:
    textpage = page.get_textpage()
    try:
        text = text_of(textpage)
        frame = frame_of(page, number)
        if turn := turn_of(textpage, text, frame):
            pages.turns[number] = turn
            frame = frame.turned(turn)
        shapes = shapes_of(page, frame)
        words = words_of(textpage, text, frame)
        reader = LineReader(textpage, frame, Visibility(page, shapes, frame, turn))
        lines = reader.read(text, words)
        fields = annotation_lines(page, form, frame, len(text) + 1)
        if may_hold_tables([*lines, *fields], reader.gapped, shapes.rulings):
            shown = [*_seen(words, lines), *words_of_fields(fields, frame)]
            lines = with_tables(inserted(lines, fields), shown, shapes.rulings, frame)
        else:
            lines = inserted(lines, fields)
    finally:
        textpage.close()
    if not is_image(lines, shapes, frame):
        return lines
    if ocr is not None:
        lines, pages.turns[number] = read_image(page, frame_of(page, number), turn, lines, ocr)
        return lines
    pages.images.append(number)
    return lines


def _seen(words: list[Word], lines: list[Line]) -> list[Word]:
    """Return the words that are part of no hidden line."""
    hidden = {at for line in lines if line.hidden for at in range(*line.span)}
    return [word for word in words if word.at not in hidden]
