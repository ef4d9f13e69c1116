"""Lists what the parts of an Office package say, paragraph by paragraph, and what their pictures are said to show."""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from ingestion.parsing.media_types import DOCX, PPTX, XLSX

_UNSEEN = frozenset(
    {"Fallback", "del", "moveFrom", "fld", "pPr", "rPr", "oMath"}
)  # deleted, said elsewhere, or written in another way
_FILE_NAME = re.compile(r"\S*[\w)]\.\w{3,4}|[A-Za-z]:\\.*")  # what Office puts where nobody described a picture
_TINY = 4  # half points
_MOST_BYTES = 64 << 20  # of one part


@dataclass(frozen=True, slots=True)
class Paragraph:
    """The runs of a paragraph, or the description of a picture; `page` counts slides, or the breaks Word noted."""

    runs: tuple[str, ...]
    page: int | None
    picture: bool = False
    faint: bool = False  # written so that nobody sees it: in white or in tiny letters, on the bare page


def package_paragraphs(data: bytes, kind: str) -> list[Paragraph]:
    """Return the paragraphs of the document, the slides or the drawings on sheets, in their order."""
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        return list({DOCX: _document, PPTX: _slides, XLSX: _drawings}[kind](package))


def _document(package: zipfile.ZipFile) -> Iterator[Paragraph]:
    root = read_part(package, "word/document.xml")
    if root is None:
        return
    # Word notes where its pages broke when it last drew them; without such notes no page is known.
    noted = next(root.iter("{*}lastRenderedPageBreak"), None) is not None
    page = 1 if noted else None
    for node, unseen in _walk(root):
        name = _name(node)
        if page and name == "lastRenderedPageBreak":
            page += 1
        elif name == "p" and not unseen:
            for said in _said(node, page + 1 if page and _breaks_first(node) else page):
                yield replace(said, faint=_faint(node))
        elif name == "docPr" and not unseen:
            yield from _described(node, page)
    for part in package.namelist():
        if part.startswith("word/diagrams/data"):
            yield from _paragraphs(package, part, None)


def _breaks_first(paragraph: Any) -> bool:
    names = (_name(node) for node, _ in _walk(paragraph, inside=True))
    return next((name for name in names if name in ("t", "lastRenderedPageBreak")), "") == "lastRenderedPageBreak"


def _faint(paragraph: Any) -> bool:
    """Return whether each run is white or tiny. Cells and boxes may have a colour of their own, and so may a style."""
    framed = next(paragraph.iterancestors("{*}tc", "{*}txbxContent"), None) is not None
    if framed or next(paragraph.iter("{*}shd", "{*}highlight"), None) is not None:
        return False
    runs = [run for run in paragraph.iter("{*}r") if run.find("{*}t") is not None]
    return bool(runs) and all(_value(run, "color").upper() == "FFFFFF" or _tiny(_value(run, "sz")) for run in runs)


def _tiny(half_points: str) -> bool:
    return half_points.isdecimal() and int(half_points) <= _TINY


def _value(run: Any, name: str) -> str:
    """Return what the run's properties say of it."""
    found = run.find(f"{{*}}rPr/{{*}}{name}")
    return "" if found is None else str(next((v for k, v in found.attrib.items() if k.endswith("}val")), ""))


def _slides(package: zipfile.ZipFile) -> Iterator[Paragraph]:
    presentation = read_part(package, "ppt/presentation.xml")
    places = related_parts(package, "ppt/presentation.xml")
    said: set[str] = set()  # layouts and masters that were read: what stands there stands on every slide
    listed = presentation.iterfind(".//{*}sldIdLst/{*}sldId") if presentation is not None else ()
    for page, slide in enumerate(listed, start=1):
        identifier = next((value for name, value in slide.attrib.items() if name.endswith("}id")), "")
        place = places.get(identifier, "")
        related = related_parts(package, place).values()
        for part in (place, *(part for part in related if "/diagrams/data" in part)):
            yield from _paragraphs(package, part, page)
        for layout in (part for part in related if "/slideLayouts/" in part):
            masters = (part for part in related_parts(package, layout).values() if "/slideMasters/" in part)
            for part in {layout, *masters} - said:
                said.add(part)
                yield from _paragraphs(package, part, page, template=True)


def _drawings(package: zipfile.ZipFile) -> Iterator[Paragraph]:
    for part in package.namelist():
        if part.startswith(("xl/drawings/drawing", "xl/diagrams/data")):
            yield from _paragraphs(package, part, None)


def _paragraphs(
    package: zipfile.ZipFile, part: str, page: int | None, *, template: bool = False
) -> Iterator[Paragraph]:
    """Yield what the part says; of a `template` what is no mere prompt to be filled in."""
    root = read_part(package, part)
    for node, unseen in _walk(root) if root is not None else ():
        if template and _name(node) in ("p", "cNvPr") and _is_prompt(node):
            continue
        if _name(node) == "p" and not unseen:
            yield from _said(node, page)
        elif _name(node) == "cNvPr" and not unseen:
            yield from _described(node, page)


def _is_prompt(node: Any) -> bool:
    shape = next(node.iterancestors("{*}sp", "{*}pic", "{*}graphicFrame"), None)
    return shape is not None and shape.find("{*}nvSpPr/{*}nvPr/{*}ph") is not None


def _said(paragraph: Any, page: int | None) -> Iterator[Paragraph]:
    runs = tuple(
        node.text for node, unseen in _walk(paragraph, inside=True) if _name(node) == "t" and node.text and not unseen
    )
    if runs:
        yield Paragraph(runs, page)


def _described(node: Any, page: int | None) -> Iterator[Paragraph]:
    text = " ".join((node.get("descr") or "").split())
    if text and not _FILE_NAME.fullmatch(text):
        yield Paragraph((text,), page, picture=True)


def _walk(root: Any, inside: bool = False) -> Iterator[tuple[Any, bool]]:
    """Yield each element in document order, and whether a reader does not see it. `inside` leaves out paragraphs that
    lie in a text box of this one, which speak for themselves."""
    stack = [(root, False)]
    while stack:
        node, unseen = stack.pop()
        name = _name(node)
        unseen = unseen or name in _UNSEEN
        yield node, unseen
        if not (inside and name == "txbxContent"):
            stack.extend((child, unseen) for child in reversed(node))


def read_part(package: zipfile.ZipFile, part: str) -> Any:
    """Return the root element of the part; None when it is not there, empty, or too large to be looked into."""
    from lxml import etree

    try:
        entry = package.getinfo(part)
    except KeyError:
        return None
    if entry.file_size > _MOST_BYTES:
        return None
    return etree.fromstring(package.read(entry), etree.XMLParser(resolve_entities=False, no_network=True, recover=True))


def related_parts(package: zipfile.ZipFile, part: str) -> dict[str, str]:
    """Return the parts that this part refers to, by the names it has for them."""
    folder, name = posixpath.split(part)
    root = read_part(package, f"{folder}/_rels/{name}.rels")
    return {
        relation.get("Id", ""): posixpath.normpath(posixpath.join("/", folder, relation.get("Target", "")))[1:]
        for relation in (root if root is not None else ())
        if isinstance(relation.tag, str) and relation.get("TargetMode") != "External"
    }


def _name(node: Any) -> str:
    return node.tag.rpartition("}")[2] if isinstance(node.tag, str) else ""
