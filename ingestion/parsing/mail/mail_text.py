"""Lays a mail message out as elements: its subject, its headers, its body."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from contracts import Element, ElementKind
from ingestion.parsing.markup.lxml_html_blocks import html_elements

_SHOWN = ("From", "To", "Cc", "Date")
_FEWER = 0.5  # of the plain body's words; an HTML body with less is only a frame around it


@dataclass(frozen=True, slots=True)
class Mail:
    """A message: `headers` by their usual names, and its bodies, any of which may be empty."""

    subject: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    plain: str = ""
    html: str = ""


def mail_elements(mail: Mail, attached: Sequence[str], name: str) -> tuple[Element, ...]:
    """Return the message as elements: subject, headers with the names of what is attached, body with all it quotes."""
    shown = [f"{key}: {mail.headers[key]}" for key in _SHOWN if mail.headers.get(key)]
    if attached:
        shown.append("Attachments: " + ", ".join(attached))
    top = [Element(mail.subject, ElementKind.TITLE)] if mail.subject else []
    if shown:
        top.append(Element("\n".join(shown)))
    return (*top, *_body(mail, name))


def mail_metadata(mail: Mail) -> dict[str, str]:
    """Return the headers by their lower-case names, and the subject."""
    return {key.lower(): value for key, value in (*mail.headers.items(), ("subject", mail.subject)) if value}


def paragraphs(text: str) -> tuple[Element, ...]:
    """Return what blank lines part in a plain text."""
    lines = (line.rstrip() for line in text.split("\n"))
    parts = (part.strip("\n") for part in re.split(r"\n{2,}", "\n".join(lines)))
    return tuple(Element(part.strip()) for part in parts if part.strip())


def _body(mail: Mail, name: str) -> tuple[Element, ...]:
    plain = paragraphs(mail.plain)
    if not mail.html.strip():
        return plain
    rich = html_elements(mail.html, name)
    seen = sum(len(element.text.split()) for element in rich if not element.hidden)
    return rich if seen >= _FEWER * len(mail.plain.split()) and seen else plain or rich
