"""Reads what was filled into the fields of a PDF form, and what was written onto the page as a note."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ctypes import POINTER, byref, c_ushort, cast
from dataclasses import replace
from typing import Any

from contracts import ElementKind
from ingestion.parsing.pdf.pdf_geometry import Frame, Rect, Word
from ingestion.parsing.pdf.pdf_lines import Line, plain

_MAX_ANNOTATIONS = 2_000  # looked at on a page
_UNSEEN = 2 | 32  # the flags Hidden and NoView
_PASSWORD = 1 << 13  # the flag of a text field that shows stars


def annotation_lines(page: Any, form: Any, frame: Frame, start: int) -> list[Line]:
    """Return the values of fields, and notes, each as a line; their spans count on from `start`."""
    import pypdfium2.raw as raw

    lines: list[Line] = []
    for i in range(min(raw.FPDFPage_GetAnnotCount(page), _MAX_ANNOTATIONS)):
        annotation = raw.FPDFPage_GetAnnot(page, i)
        if not annotation:
            continue
        try:
            text, kind = _said(raw, annotation, form)
            if text.strip():
                at = start + len(lines)
                rect = _place(raw, annotation, frame)
                hidden = bool(raw.FPDFAnnot_GetFlags(annotation) & _UNSEEN)
                size = min(rect.y1 - rect.y0, 12.0)
                lines.append(Line(text.strip(), frame.box(rect), size, hidden=hidden, span=(at, at + 1), kind=kind))
        finally:
            raw.FPDFPage_CloseAnnot(annotation)
    return lines


def words_of_fields(lines: Sequence[Line], frame: Frame) -> Iterator[Word]:
    """Yield the values of fields as words, so that those in the cells of a table become part of it."""
    for line in lines:
        if line.kind is None and not line.hidden:
            box = line.box
            w, h = frame.width, frame.height
            yield Word(line.text, box.x0 * w, box.y0 * h, box.x1 * w, box.y1 * h, line.span[0], line.size)


def inserted(lines: Sequence[Line], fields: Sequence[Line]) -> list[Line]:
    """Return the lines with each field's value behind its label: what stands left of it, or else above it."""
    ordered = list(lines)
    for field in fields:
        if field.kind is not None or field.hidden:
            ordered.append(field)
            continue
        middle = (field.box.y0 + field.box.y1) / 2
        beside = [
            i for i, line in enumerate(ordered) if line.box.y0 <= middle <= line.box.y1 and line.box.x0 <= field.box.x0
        ]
        above = [i for i, line in enumerate(ordered) if line.box.y1 <= middle]
        near = max(beside, key=lambda i: ordered[i].box.x0, default=None)
        if near is None:
            near = max(above, key=lambda i: ordered[i].box.y1, default=-1)
        size = ordered[near].size if near >= 0 else field.size  # the box of a field says nothing of its letters
        ordered.insert(near + 1, replace(field, size=size))
    return ordered


def _said(raw: Any, annotation: Any, form: Any) -> tuple[str, ElementKind | None]:
    """Return the text, and the kind of element that it is by itself (None: part of the page's lines)."""
    kind = raw.FPDFAnnot_GetSubtype(annotation)
    if kind == raw.FPDF_ANNOT_WIDGET:
        return (_value(raw, annotation, form) if form else ""), None
    if kind in (raw.FPDF_ANNOT_LINK, raw.FPDF_ANNOT_POPUP):
        return "", None
    contents = _string(lambda buffer, size: raw.FPDFAnnot_GetStringValue(annotation, b"Contents", buffer, size))
    return contents, None if kind == raw.FPDF_ANNOT_FREETEXT else ElementKind.TEXT


def _value(raw: Any, annotation: Any, form: Any) -> str:
    kind = raw.FPDFAnnot_GetFormFieldType(form, annotation)
    if kind in (raw.FPDF_FORMFIELD_CHECKBOX, raw.FPDF_FORMFIELD_RADIOBUTTON):
        return "[x]" if raw.FPDFAnnot_IsChecked(form, annotation) else "[ ]"
    if kind not in (raw.FPDF_FORMFIELD_TEXTFIELD, raw.FPDF_FORMFIELD_COMBOBOX, raw.FPDF_FORMFIELD_LISTBOX):
        return ""
    if labels := _chosen(raw, annotation, form, kind):
        return ", ".join(labels)
    if kind == raw.FPDF_FORMFIELD_TEXTFIELD and raw.FPDFAnnot_GetFormFieldFlags(form, annotation) & _PASSWORD:
        return ""
    return _string(lambda buffer, size: raw.FPDFAnnot_GetFormFieldValue(form, annotation, buffer, size))


def _chosen(raw: Any, annotation: Any, form: Any, kind: int) -> list[str]:
    """Return what a list shows as chosen, which may differ from the value that is stored for it."""
    if kind == raw.FPDF_FORMFIELD_TEXTFIELD:
        return []
    count = min(raw.FPDFAnnot_GetOptionCount(form, annotation), _MAX_ANNOTATIONS)
    return [
        _string(lambda buffer, size, i=i: raw.FPDFAnnot_GetOptionLabel(form, annotation, i, buffer, size))
        for i in range(count)
        if raw.FPDFAnnot_IsOptionSelected(form, annotation, i)
    ]


def _string(read: Any) -> str:
    """Return the string that a function of pdfium writes as UTF-16 into a buffer of the size it asks for."""
    size = read(None, 0)
    if size <= 2:
        return ""
    buffer = (c_ushort * (size // 2))()
    read(cast(buffer, POINTER(c_ushort)), size)
    return plain(bytes(buffer).decode("utf-16-le", errors="replace").rstrip("\0").replace("\r", "\n"))


def _place(raw: Any, annotation: Any, frame: Frame) -> Rect:
    rect = raw.FS_RECTF()
    raw.FPDFAnnot_GetRect(annotation, byref(rect))
    return frame.rect(rect.left, rect.bottom, rect.right, rect.top)
