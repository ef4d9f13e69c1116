"""A mailbox is the files of its messages."""

from pathlib import Path

import pytest

from contracts import ParseError, ParseFailure
from ingestion.parsing.mail.mailbox_mbox_parser import MailboxMboxParser

BOX = b"""From ann@example.org Mon Jan  1 10:00:00 2024
Subject: First / one
From: ann@example.org

Text.
>From here on it is quoted.

From bob@example.org Mon Jan  1 11:00:00 2024
Subject: =?utf-8?q?Gr=C3=B6=C3=9Fe?=

More.
"""


async def test_each_message_is_a_member(tmp_path: Path) -> None:
    (tmp_path / "box").write_bytes(BOX)
    parsed = await MailboxMboxParser().parse(tmp_path / "box", "mails.mbox", scratch=tmp_path / "scratch")
    assert parsed.elements == ()
    assert [member.name for member in parsed.members] == ["00001 First _ one.eml", "00002 Größe.eml"]
    assert parsed.members[0].path is not None
    assert parsed.members[0].path.read_bytes().endswith(b"Text.\nFrom here on it is quoted.\n")


async def test_without_a_place_for_them_the_subjects_are_listed(tmp_path: Path) -> None:
    (tmp_path / "box").write_bytes(BOX)
    parsed = await MailboxMboxParser().parse(tmp_path / "box", "mails.mbox")
    assert [element.text for element in parsed.elements] == ["- First / one", "- Größe"]
    assert parsed.members == ()


async def test_what_is_no_mailbox_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "box").write_bytes(b"just text\n")
    with pytest.raises(ParseError, match="no message") as caught:
        await MailboxMboxParser().parse(tmp_path / "box")
    assert caught.value.reason is ParseFailure.CORRUPT
    with pytest.raises(ParseError) as caught:
        await MailboxMboxParser().parse(tmp_path / "gone")
    assert caught.value.reason is ParseFailure.UNREADABLE
