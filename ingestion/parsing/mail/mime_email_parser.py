"""Reads eml files: headers, the best body, and the files attached."""

from __future__ import annotations

import asyncio
import email
import email.policy
import mimetypes
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path, PurePath
from typing import cast

from contracts import ParsedFile, ParseError, ParseFailure
from ingestion.parsing.archives.member_files import MemberFiles
from ingestion.parsing.mail.mail_text import Mail, mail_elements, mail_metadata
from ingestion.parsing.media_types import EMAIL
from ingestion.parsing.parse_errors import empty, reading
from ingestion.parsing.text_decoding import decode_text

_HEADERS = ("From", "To", "Cc", "Date")
_BODIES = ("text/plain", "text/html")
_SEALED = ("multipart/encrypted", "application/pkcs7-mime", "application/x-pkcs7-mime")


class MimeEmailParser:
    """Reads eml files. Attachments, and messages attached to the message, become members."""

    async def parse(self, path: Path, name: str | None = None, *, scratch: Path | None = None) -> ParsedFile:
        """Return the message. Raises ParseError: ENCRYPTED, CORRUPT, EMPTY, UNREADABLE."""
        return await asyncio.to_thread(self._read, path, name or path.name, scratch)

    def _read(self, path: Path, called: str, scratch: Path | None) -> ParsedFile:
        with reading(called):
            message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
            files = MemberFiles(scratch)
            bodies: dict[str, list[str]] = {kind: [] for kind in _BODIES}
            attached: list[str] = []
            for part in _leaves(message):
                if _is_body(part):
                    bodies[part.get_content_type()].append(_text(part))
                else:
                    attached.append(files.add(_file_name(part, len(attached) + 1), _Content(part)))
            mail = Mail(
                " ".join(_header(message, "Subject").split()),
                {key: value for key in _HEADERS if (value := _header(message, key))},
                "\n\n".join(bodies["text/plain"]),
                "\n".join(bodies["text/html"]),
            )
            elements = mail_elements(mail, attached, called)
            if not any((mail.subject, mail.headers, attached)) and not elements:
                raise empty(called, "it has neither headers nor a body")
            if message.get_content_type() in _SEALED and not (mail.plain or mail.html or _signed(message)):
                raise ParseError(ParseFailure.ENCRYPTED, f"{called!r} is encrypted. Save it decrypted and try again.")
        title = mail.subject or PurePath(called).stem
        return ParsedFile(title, EMAIL, elements, metadata=mail_metadata(mail), members=files.members)


class _Content:
    """The bytes of a part, taken when they are called for."""

    def __init__(self, part: EmailMessage) -> None:
        self._part = part

    def __call__(self) -> bytes:
        if self._part.get_content_type() == "message/rfc822":
            inner = self._part.get_payload()
            return cast(EmailMessage, inner[0] if isinstance(inner, list) else inner).as_bytes()
        return cast(bytes, self._part.get_payload(decode=True) or b"")


def _leaves(message: EmailMessage) -> Iterator[EmailMessage]:
    """Yield the parts that hold something, without looking into messages that are attached."""
    waiting = [message]
    while waiting:
        part = waiting.pop()
        if part.is_multipart() and part.get_content_maintype() == "multipart":
            waiting += reversed(cast(list[EmailMessage], part.get_payload()))
        else:
            yield part


def _is_body(part: EmailMessage) -> bool:
    return part.get_content_type() in _BODIES and not part.is_attachment() and not part.get_filename()


def _text(part: EmailMessage) -> str:
    data = cast(bytes, part.get_payload(decode=True) or b"")
    markup = part.get_content_type() == "text/html"
    return decode_text(data, markup=markup, stated=str(part.get_content_charset() or ""))


def _file_name(part: EmailMessage, number: int) -> str:
    if named := part.get_filename():
        return _readable(named)
    if part.get_content_type() == "message/rfc822":
        inner = part.get_payload()
        subject = _header(cast(EmailMessage, inner[0]), "Subject") if isinstance(inner, list) and inner else ""
        return f"{' '.join(subject.replace('/', '_').split()) or f'message {number}'}.eml"
    return f"attachment {number}{mimetypes.guess_extension(part.get_content_type()) or ''}"


def _signed(message: EmailMessage) -> bool:
    return message.get_param("smime-type") == "signed-data"


def _header(message: EmailMessage, name: str) -> str:
    try:
        value = str(message[name] or "")
    except Exception:  # the standard library stumbles over some malformed headers
        value = next((raw for key, raw in message.raw_items() if key.lower() == name.lower()), "")
    return _readable(value).strip()


def _readable(value: str) -> str:
    """Return a header whose bytes were not encoded as they should be as the text that they probably are."""
    if value.isascii() or not any("\udc80" <= letter <= "\udcff" for letter in value):
        return value
    return decode_text(value.encode("utf-8", errors="surrogateescape"))
