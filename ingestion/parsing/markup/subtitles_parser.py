"""Reads subtitles: cues joined into paragraphs, each with the time at which it begins and who speaks."""

from __future__ import annotations

import asyncio
import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath

from contracts import Element, ParsedFile
from ingestion.parsing.media_types import VTT
from ingestion.parsing.parse_errors import empty, reading
from ingestion.parsing.text_decoding import decode_text

_TIMES = re.compile(r"^\s*((?:\d+:)?\d{1,2}:\d{2})[.,]\d{1,3}\s*-->\s*((?:\d+:)?\d{1,2}:\d{2})[.,]\d{1,3}")
_VOICE = re.compile(r"<v(?:\.[^\s>]*)?\s+([^>]+)>")
_MARKS = re.compile(r"</?[a-zA-Z0-9][^>]*>|\{\\[^}]*\}")
_PAUSE = 4  # seconds of silence that end a paragraph
_FULL = 600  # characters after which the next sentence begins a new one
_SENTENCE_END = re.compile(r"[.!?…。？！][\"'”’)]*\Z")


@dataclass(frozen=True, slots=True)
class _Cue:
    start: int  # seconds
    end: int
    speaker: str
    text: str


class SubtitlesParser:
    """Reads vtt and srt files."""

    def __init__(self, media_type: str = VTT) -> None:
        self._media_type = media_type

    async def parse(self, path: Path, name: str | None = None, *, scratch: Path | None = None) -> ParsedFile:
        """Return what is said, as in "[00:01:02] Anna: Good morning." Raises ParseError: EMPTY, UNREADABLE."""
        return await asyncio.to_thread(self._read, path, name or path.name)

    def _read(self, path: Path, called: str) -> ParsedFile:
        with reading(called):
            elements = tuple(map(_element, _paragraphs(_cues(decode_text(path.read_bytes())))))
            if not elements:
                raise empty(called, "nothing is said in it")
        return ParsedFile(PurePath(called).stem, self._media_type, elements)


def _cues(text: str) -> Iterator[_Cue]:
    for block in re.split(r"\n[ \t]*\n", text):
        lines = block.strip("\n").split("\n")
        at = next((i for i, line in enumerate(lines[:3]) if "-->" in line), None)
        times = _TIMES.match(lines[at]) if at is not None else None
        if at is None or times is None:
            continue
        start, end, speaker = _seconds(times[1]), _seconds(times[2]), ""
        for line in lines[at + 1 :]:
            voice = _VOICE.search(line)
            speaker = voice[1].strip() if voice else speaker
            if said := " ".join(html.unescape(_MARKS.sub("", line)).split()):
                yield _Cue(start, end, speaker, said)


def _paragraphs(cues: Iterator[_Cue]) -> Iterator[_Cue]:
    """Join what one speaker says without a pause; scrolling subtitles repeat a line, which is said once."""
    current: _Cue | None = None
    last = ""
    for cue in cues:
        if cue.text == last and current and cue.speaker == current.speaker:
            current = _Cue(current.start, cue.end, current.speaker, current.text)
            continue
        last = cue.text
        if current and _goes_on(current, cue):
            current = _Cue(current.start, cue.end, current.speaker, f"{current.text} {cue.text}")
            continue
        if current:
            yield current
        current = cue
    if current:
        yield current


def _goes_on(current: _Cue, cue: _Cue) -> bool:
    if cue.speaker != current.speaker or cue.start - current.end >= _PAUSE:
        return False
    return len(current.text) < _FULL or (len(current.text) < 2 * _FULL and not _SENTENCE_END.search(current.text))


def _element(cue: _Cue) -> Element:
    hours, minutes, seconds = cue.start // 3600, cue.start // 60 % 60, cue.start % 60
    said = f"{cue.speaker}: {cue.text}" if cue.speaker else cue.text
    return Element(f"[{hours:02d}:{minutes:02d}:{seconds:02d}] {said}")


def _seconds(time: str) -> int:
    total = 0
    for part in time.split(":"):
        total = 60 * total + int(part)
    return total
