"""Reads mbox files, the mailboxes of Unix and of exports: each message becomes a file of its own."""

from __future__ import annotations

import asyncio
import email
import email.policy
import functools
import mailbox
import re
from pathlib import Path, PurePath

from contracts import Element, ElementKind, ParsedFile, ParseError, ParseFailure
from ingestion.parsing.archives.member_files import MAX_MEMBERS, MemberFiles
from ingestion.parsing.media_types import MBOX
from ingestion.parsing.parse_errors import reading

_QUOTED_FROM = re.compile(rb"^>(>*From )", re.MULTILINE)  # how mbox keeps such lines from looking like a new message
_HEAD = 1 << 16  # bytes of a message in which its subject is looked for


class MailboxMboxParser:
    """Reads mbox files."""

    async def parse(self, path: Path, name: str | None = None, *, scratch: Path | None = None) -> ParsedFile:
        """Return the messages as members, or without `scratch` a list of their subjects.

        Raises ParseError: CORRUPT, UNREADABLE.
        """
        return await asyncio.to_thread(self._read, path, name or path.name, scratch)

    def _read(self, path: Path, called: str, scratch: Path | None) -> ParsedFile:
        with reading(called):
            files = MemberFiles(scratch)
            subjects = []
            path.stat()  # of a missing file mailbox speaks in its own way
            box = mailbox.mbox(path, create=False)
            try:
                for number, key in enumerate(box.iterkeys(), 1):
                    message = _QUOTED_FROM.sub(rb"\1", box.get_bytes(key))
                    subject = _subject(message) or "message"
                    if number <= MAX_MEMBERS:
                        subjects.append(subject)
                    files.add(f"{number:05d} {subject.replace('/', '_')}.eml", functools.partial(bytes, message))
            finally:
                box.close()
            if not subjects:
                raise ParseError(ParseFailure.CORRUPT, f"{called!r} is damaged: no message begins in it.")
        listed = tuple(Element(f"- {subject}", ElementKind.LIST) for subject in subjects)
        title = PurePath(called).stem
        return ParsedFile(title, MBOX, () if scratch else listed, members=files.members)


def _subject(message: bytes) -> str:
    head = email.message_from_bytes(message[:_HEAD].split(b"\n\n", 1)[0], policy=email.policy.default)
    try:
        return " ".join(str(head["Subject"] or "").encode("utf-8", "replace").decode().split())
    except Exception:  # the standard library stumbles over some malformed headers
        return ""
