"""Makes paragraphs, lists and headings of the lines of a PDF."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from contracts import Element, ElementKind
from ingestion.parsing.pdf.pdf_lines import Line, join_lines
from ingestion.parsing.pdf.pdf_reading_order import reading_order, without_running_heads

_LIST_START = re.compile(r"(?:[•●▪■◦‣∙·–\uf0b7\uf0a7]\s*|[-*]\s+|\(?(?:\d{1,2}|[a-zA-Z])[.)]\s+)\S")
_DIGIT = re.compile(r"\d")
_ENDS_SENTENCE = (".", "!", "?", ":", "。", '."', ".”", ".)")
_NO_HEADING_END = (".", ",", ";", ":")
_LARGER = 1.15  # times the body's letter height that makes a heading
_LOOSER = 1.4  # times the usual distance of lines that parts paragraphs
_MAX_HEADING_WORDS = 20
_MAX_BOLD_WORDS = 14  # in a heading that is no larger than the text


@dataclass(frozen=True, slots=True)
class _Style:
    """What is usual in the document: the letter height in points, and whether bold stands out."""

    size: float
    bold_stands_out: bool


def elements_of(pages: Sequence[Sequence[Line]]) -> tuple[Element, ...]:
    """Return the elements of a document in reading order; `pages[i]` holds the lines of page i + 1."""
    kept = without_running_heads(pages)
    style = _usual_style(kept)
    groups: list[list[Line]] = []
    for lines in kept:
        groups += _paragraphs(reading_order([line for line in lines if not line.hidden]), style)
        hidden = [line for line in lines if line.hidden]
        groups += [hidden] if hidden else []
    headings = [_is_heading(group, style) for group in groups]
    sizes = sorted({round(group[0].size) for group in itertools.compress(groups, headings)}, reverse=True)
    return tuple(_element(group, heads, sizes) for group, heads in zip(groups, headings, strict=True))


def _usual_style(pages: Sequence[Sequence[Line]]) -> _Style:
    sizes: Counter[float] = Counter()
    bold = 0
    for line in (line for lines in pages for line in lines if line.kind is None and not line.hidden):
        sizes[round(line.size, 1)] += len(line.text)
        bold += len(line.text) * line.bold
    total = sum(sizes.values())
    return _Style(size=sizes.most_common(1)[0][0] if sizes else 0.0, bold_stands_out=bold < 0.4 * total)


def _paragraphs(lines: Sequence[Line], style: _Style) -> list[list[Line]]:
    steps = [b.box.y1 - a.box.y1 for a, b in itertools.pairwise(lines) if 0.004 < b.box.y1 - a.box.y1 < 0.06]
    pitch = median(steps) if steps else 0.02
    groups: list[list[Line]] = []
    for line in lines:
        if groups and not _starts_paragraph(groups[-1], line, pitch, style):
            groups[-1].append(line)
        else:
            groups.append([line])
    return groups


def _starts_paragraph(group: Sequence[Line], line: Line, pitch: float, style: _Style) -> bool:
    before = group[-1]
    if line.kind is not None or before.kind is not None:
        return True
    step = line.box.y1 - before.box.y1
    looser = _LOOSER * pitch * max(1.0, line.size / (style.size or 1.0))
    if step > looser or step < -0.4 * pitch:
        return True
    if abs(step) <= 0.4 * pitch and line.box.x0 >= before.box.x0:
        return False  # the same row
    if abs(line.size - before.size) > 0.12 * before.size or (style.bold_stands_out and line.bold != before.bold):
        return True
    if _LIST_START.match(line.text):
        return True
    if not before.text.endswith(_ENDS_SENTENCE):
        return False
    is_list = _LIST_START.match(group[0].text) is not None
    ended_early = before.box.x1 < max(other.box.x1 for other in (*group, line)) - 0.1
    indented = line.box.x0 > before.box.x0 + 0.015
    outdented = is_list and line.box.x0 < before.box.x0 - 0.01
    return ended_early or outdented or (indented and not is_list)


def _is_heading(group: Sequence[Line], style: _Style) -> bool:
    if group[0].hidden or group[0].kind is not None:
        return False
    if len(group) > 4 or group[-1].text.endswith(_NO_HEADING_END):
        return False
    larger = min(line.size for line in group) >= _LARGER * style.size
    bold = style.bold_stands_out and group[0].size >= 0.95 * style.size and all(line.bold for line in group)
    if not larger and not bold:
        return False
    text = join_lines(list(group))
    words = len(text.split())
    letters = sum(map(str.isalpha, text))
    if letters < max(3, 0.5 * len(text.replace(" ", ""))):
        return False
    return words <= (_MAX_HEADING_WORDS if larger else _MAX_BOLD_WORDS)


def _element(group: list[Line], is_heading: bool, sizes: Sequence[int]) -> Element:
    first = group[0]
    page = first.box.page
    if first.kind is not None and not first.hidden:
        return Element(first.text, first.kind, page, first.parts or (first.box,))
    boxes = tuple(line.box for line in group if line.box.x0 < line.box.x1 and line.box.y0 < line.box.y1)
    if first.hidden:
        return Element(join_lines(group), ElementKind.TEXT, page, boxes, hidden=True)
    if is_heading:
        level = min(sizes.index(round(group[0].size)) + 1, 6)
        return Element(join_lines(group), ElementKind.TITLE, page, boxes, level)
    kind = ElementKind.LIST if _LIST_START.match(group[0].text) else ElementKind.TEXT
    return Element(join_lines(group, "\n" if _is_tabular(group) else " "), kind, page, boxes)


def _is_tabular(group: Sequence[Line]) -> bool:
    """Tell rows of figures, which keep their line ends, from running text."""
    if len({round(line.box.y1, 2) for line in group}) < 2:
        return False
    words = " ".join([line.text for line in group]).split()
    return sum(map(bool, map(_DIGIT.search, words))) > 0.3 * len(words)
