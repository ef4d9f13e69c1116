"""Subtitles become paragraphs that say when and by whom."""

from pathlib import Path

import pytest

from contracts import ParseError, ParseFailure
from ingestion.parsing.markup.subtitles_parser import SubtitlesParser


async def said(tmp_path: Path, text: str) -> list[str]:
    path = tmp_path / "talk.vtt"
    path.write_text(text, encoding="utf-8")
    return [element.text for element in (await SubtitlesParser().parse(path)).elements]


async def test_vtt_speakers_notes_and_marks(tmp_path: Path) -> None:
    text = """WEBVTT

NOTE not spoken

STYLE
::cue { color: red }

1
00:01.000 --> 00:03.000 align:start
<v.loud Anna>Good <i>morning</i>
everyone &amp; welcome.

00:03.500 --> 00:05.000
<v Bo>Hello.
"""
    assert await said(tmp_path, text) == ["[00:00:01] Anna: Good morning everyone & welcome.", "[00:00:03] Bo: Hello."]


async def test_srt_cues_are_joined_until_a_pause(tmp_path: Path) -> None:
    text = (
        "1\r\n01:00:00,000 --> 01:00:02,000\r\nThe hut opens\r\n\r\n"
        "2\r\n01:00:02,100 --> 01:00:04,000\r\nin May.\r\n\r\n"
        "3\r\n01:00:30,000 --> 01:00:32,000\r\nNext.\r\n"
    )
    assert await said(tmp_path, text) == ["[01:00:00] The hut opens in May.", "[01:00:30] Next."]


async def test_a_line_that_scrolls_is_said_once(tmp_path: Path) -> None:
    text = "WEBVTT\n\n00:01.000 --> 00:02.000\nOne two\n\n00:02.000 --> 00:03.000\nOne two\nthree\n"
    assert await said(tmp_path, text) == ["[00:00:01] One two three"]


async def test_long_speech_is_cut_at_a_sentence(tmp_path: Path) -> None:
    cues = "".join(f"00:{i:02d}.000 --> 00:{i + 1:02d}.000\nSentence number {i} is here.\n\n" for i in range(59))
    found = await said(tmp_path, "WEBVTT\n\n" + cues)
    assert len(found) == 3
    assert all(text.endswith(".") and len(text) < 700 for text in found)


async def test_without_speech_it_is_empty(tmp_path: Path) -> None:
    with pytest.raises(ParseError) as caught:
        await said(tmp_path, "WEBVTT\n\nNOTE nothing\n")
    assert caught.value.reason is ParseFailure.EMPTY
