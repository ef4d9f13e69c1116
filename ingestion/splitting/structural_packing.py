"""Packs the pieces of a document into groups of up to a number of tokens, along headings, lists and pages."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from contracts import ElementKind
from ingestion.splitting.chunk_pieces import Piece
from ingestion.splitting.piece_cutter import PieceCutter
from ingestion.splitting.token_meter import TokenMeter

_INTRODUCED = frozenset({ElementKind.LIST, ElementKind.TABLE, ElementKind.CODE})
_COLONS = (":", "\uff1a")
_LEAST = 8  # tokens: where headings leave fewer, they stay behind


class StructuralPacking:
    """Puts what stands under one heading together. Sections of less than a quarter of a group share one; a heading
    stays with what follows it, and so does the line that introduces a list.

    Pieces and sizes are measured by `meter`; `room_for` returns how many tokens a group with this piece may have.
    """

    def __init__(self, meter: TokenMeter, cutter: PieceCutter, room_for: Callable[[Piece], int]) -> None:
        self._meter = meter
        self._cutter = cutter
        self._room_for = room_for

    def pack(self, text: str, pieces: Sequence[Piece]) -> list[list[Piece]]:
        """Return the pieces of the text in groups, in reading order; long ones are cut."""
        groups: list[list[Piece]] = []
        current: list[Piece] = []
        used = room = 0
        for piece in pieces:
            limit = self._room_for(piece)
            wanted = used + self._meter.separator + piece.tokens
            if current and wanted <= min(room, limit) and _goes_with(current, piece, used, limit):
                current.append(piece)
                used, room = wanted, min(room, limit)
                continue
            kept, (*done, current) = self._opened(text, current, piece, limit)
            groups += [*([kept] if kept else []), *done]
            used, room = self._meter.together(current), min(map(self._room_for, current))
        return [*groups, current] if current else groups

    def _opened(
        self, text: str, current: Sequence[Piece], piece: Piece, room: int
    ) -> tuple[list[Piece], list[list[Piece]]]:
        """Return what stays of the current group, and the groups that begin with the piece and its lead."""
        at = _lead(text, current, piece)
        lead = current[at:]
        left = min((room, *map(self._room_for, lead))) - self._meter.together(lead) - self._meter.separator
        if not lead or left < min(piece.prefix_tokens + piece.tokens, max(room // 2, _LEAST)):
            at, lead, left = len(current), (), room
        first, *rest = self._cutter.cut(text, piece, left)
        return list(current[:at]), [[*lead, first], *([part] for part in rest)]


def _goes_with(current: Sequence[Piece], piece: Piece, used: int, room: int) -> bool:
    last = current[-1]
    if not piece.beside(last) or last.kind is ElementKind.TABLE:
        return False
    opens = piece.kind in (ElementKind.TITLE, ElementKind.TABLE)
    return not opens or used < room // 4 or all(other.kind is ElementKind.TITLE for other in current)


def _lead(text: str, current: Sequence[Piece], piece: Piece) -> int:
    """Return where, in what comes before the piece, that begins which belongs to it: headings, and the introduction of
    a list, a table or code."""
    at = len(current)
    if not at or not piece.beside(current[-1]):
        return at
    last = current[-1]
    if piece.kind in _INTRODUCED and last.kind is ElementKind.TEXT and text.endswith(_COLONS, last.start, last.end):
        at -= 1
    while at and current[at - 1].kind is ElementKind.TITLE:
        at -= 1
    return at
