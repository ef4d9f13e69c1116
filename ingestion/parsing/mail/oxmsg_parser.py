"""Reads msg files, the messages that Outlook saves, through python-oxmsg."""

from __future__ import annotations

import asyncio
import email
import email.policy
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import Path, PurePath
from typing import Any

from contracts import ParsedFile
from ingestion.parsing.archives.member_files import MemberFiles
from ingestion.parsing.mail.mail_text import Mail, mail_elements, mail_metadata
from ingestion.parsing.media_types import MSG
from ingestion.parsing.parse_errors import empty, reading
from ingestion.parsing.text_decoding import decode_text

# Property tags of [MS-OXPROPS], and where the properties of a message inside another one begin ([MS-OXMSG] 2.4.1.2).
_SUBJECT, _BODY, _HTML, _RTF, _SENT, _HEADERS = 0x0037, 0x1000, 0x1013, 0x1009, 0x0039, 0x007D
_SENDER_NAME, _SENDER_ADDRESS, _SENDER_SMTP = 0x0C1A, 0x0C1F, 0x5D01
_NAME, _ADDRESS, _SMTP, _RECIPIENT_KIND = 0x3001, 0x3003, 0x39FE, 0x0C15
_DATA, _FILE_NAME, _LONG_FILE_NAME = 0x3701, 0x3704, 0x3707
_TO, _CC = 1, 2
_EMBEDDED = "__substg1.0_3701000D"
_EMBEDDED_START = 24


class OxmsgParser:
    """Reads msg files. Attachments become members; an attached message becomes one in the form of e-mail."""

    async def parse(self, path: Path, name: str | None = None, *, scratch: Path | None = None) -> ParsedFile:
        """Return the message. Raises ParseError: CORRUPT, EMPTY, UNREADABLE."""
        return await asyncio.to_thread(self._read, path, name or path.name, scratch)

    def _read(self, path: Path, called: str, scratch: Path | None) -> ParsedFile:
        from oxmsg import Message

        with reading(called):
            message = Message.load(path.read_bytes())
            storage = message._storage  # an attached message is a storage, for which there is no public way in
            mail = _mail(message.properties, storage)
            files = MemberFiles(scratch)
            attached = [files.add(name, content) for name, content in attached_files(storage)]
            rich = message.properties.binary_prop_value(_RTF)
            if rich and not mail.plain.strip() and not mail.html.strip():
                attached.append(files.add("body.rtf", lambda: _decompressed(rich)))
            elements = mail_elements(mail, attached, called)
            if not elements:
                raise empty(called, "it has neither headers nor a body")
        title = mail.subject or PurePath(called).stem
        return ParsedFile(title, MSG, elements, metadata=mail_metadata(mail), members=files.members)


def _mail(properties: Any, storage: Any) -> Mail:
    headers = {"From": _sender(properties)}
    for title, kind in (("To", _TO), ("Cc", _CC)):
        headers[title] = ", ".join(_recipients(storage, kind))
    sent = properties.date_prop_value(_SENT)
    headers["Date"] = sent.isoformat(sep=" ", timespec="seconds") if sent else ""
    return Mail(
        subject=" ".join(_string(properties, _SUBJECT).split()),
        headers={title: value for title, value in headers.items() if value},
        plain=_string(properties, _BODY).replace("\r\n", "\n"),
        html=_html(properties),
    )


def _sender(properties: Any) -> str:
    name = _string(properties, _SENDER_NAME)
    addresses = (_string(properties, tag) for tag in (_SENDER_SMTP, _SENDER_ADDRESS))
    address = next((each for each in addresses if "@" in each), "")
    if not address:  # of people inside an organisation only a directory entry is noted down
        head = email.message_from_string(_string(properties, _HEADERS), policy=email.policy.default)
        return str(head["From"] or "") or name
    return _addressed(name, address)


def _recipients(storage: Any, kind: int) -> Iterator[str]:
    from oxmsg.recipient import Recipient

    for each in storage.iter_recipient_storages():
        properties = Recipient(each).properties
        if (properties.int_prop_value(_RECIPIENT_KIND) or _TO) == kind:
            addresses = (_string(properties, tag) for tag in (_SMTP, _ADDRESS))
            shown = _addressed(_string(properties, _NAME), next((each for each in addresses if "@" in each), ""))
            if shown:
                yield shown


def _addressed(name: str, address: str) -> str:
    if not address or name.strip("'") == address:
        return address or name
    return f"{name} <{address}>" if name else address


def attached_files(storage: Any) -> Iterator[tuple[str, Callable[[], bytes]]]:
    from oxmsg.attachment import Attachment
    from oxmsg.properties import Properties

    for number, each in enumerate(storage.iter_attachment_storages(), 1):
        properties = Attachment(each).properties
        inner = next((sub for sub in each.storages if sub.name == _EMBEDDED), None)
        if inner is not None:
            within = Properties(inner, properties_header_offset=_EMBEDDED_START)
            named = _string(within, _SUBJECT) or _string(properties, _NAME) or f"message {number}"
            yield f"{named.replace('/', '_')}.eml", _Embedded(within, inner)
        else:
            named = _string(properties, _LONG_FILE_NAME) or _string(properties, _FILE_NAME)
            yield named or f"attachment {number}", _Data(properties)


class _Data:
    """The bytes of an attached file, read when they are called for."""

    def __init__(self, properties: Any) -> None:
        self._properties = properties

    def __call__(self) -> bytes:
        data: bytes | None = self._properties.binary_prop_value(_DATA)
        if data is None:
            raise ValueError("it lies elsewhere: the message only refers to it")
        return data


class _Embedded:
    """A message attached to a message, written as an eml file."""

    def __init__(self, properties: Any, storage: Any) -> None:
        self._properties = properties
        self._storage = storage

    def __call__(self) -> bytes:
        mail = _mail(self._properties, self._storage)
        message = EmailMessage(policy=email.policy.SMTPUTF8)
        for title, value in (("Subject", mail.subject), *mail.headers.items()):
            message.add_header(title, " ".join(value.split()))
        message.set_content(mail.plain)
        if mail.html.strip():
            message.add_alternative(mail.html, subtype="html")
        for name, content in attached_files(self._storage):
            message.add_attachment(content(), maintype="application", subtype="octet-stream", filename=name)
        return message.as_bytes()


def _string(properties: Any, tag: int) -> str:
    value: str | None = properties.str_prop_value(tag)
    return (value or "").replace("\x00", "").strip()


def _html(properties: Any) -> str:
    data: bytes | None = properties.binary_prop_value(_HTML)
    if data:
        return decode_text(data, markup=True, stated=properties.body_encoding)
    return _string(properties, _HTML)


def _decompressed(rich: bytes) -> bytes:
    import compressed_rtf

    data: bytes = compressed_rtf.decompress(rich)
    return data
