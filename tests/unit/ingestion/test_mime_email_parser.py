"""A mail keeps its headers, its best body with all it quotes, and what is attached to it."""

from email.message import EmailMessage
from pathlib import Path

import pytest

from contracts import ElementKind, ParsedFile, ParseError, ParseFailure
from ingestion.parsing.mail.mime_email_parser import MimeEmailParser


def mail(**headers: str) -> EmailMessage:
    message = EmailMessage()
    for name, value in (
        {"Subject": "Delivery", "From": "Ann <ann@example.org>", "To": "bob@example.org"} | headers
    ).items():
        message[name] = value
    return message


async def parse(tmp_path: Path, message: EmailMessage | bytes, scratch: Path | None = None) -> ParsedFile:
    path = tmp_path / "5f2a9c"
    path.write_bytes(message.as_bytes() if isinstance(message, EmailMessage) else message)
    return await MimeEmailParser().parse(path, "mail.eml", scratch=scratch)


async def test_headers_body_and_the_names_of_attachments(tmp_path: Path) -> None:
    message = mail(Subject="Größere Lieferung", Date="Mon, 01 Jan 2024 10:00:00 +0000")
    message.set_content("The delivery comes on Friday.\n\n> When does it come?\n\nBest Regards\n")
    message.add_attachment(b"%PDF-", maintype="application", subtype="pdf", filename="order.pdf")
    parsed = await parse(tmp_path, message)
    assert parsed.title == "Größere Lieferung"
    assert parsed.elements[0].kind is ElementKind.TITLE
    assert [element.text for element in parsed.elements] == [
        "Größere Lieferung",
        "From: Ann <ann@example.org>\nTo: bob@example.org\nDate: Mon, 01 Jan 2024 10:00:00 +0000\n"
        "Attachments: order.pdf",
        "The delivery comes on Friday.",
        "> When does it come?",
        "Best Regards",
    ]
    assert parsed.metadata == {
        "from": "Ann <ann@example.org>",
        "to": "bob@example.org",
        "date": "Mon, 01 Jan 2024 10:00:00 +0000",
        "subject": "Größere Lieferung",
    }
    assert parsed.members == ()


async def test_an_html_body_keeps_its_structure_unless_it_says_less(tmp_path: Path) -> None:
    message = mail()
    message.set_content("Item Price Lamp 10")
    message.add_alternative(
        "<table><tr><th>Item</th><th>Price</th></tr><tr><td>Lamp</td><td>10</td></tr></table>", "html"
    )
    assert (await parse(tmp_path, message)).elements[-1].kind is ElementKind.TABLE
    message = mail()
    message.set_content("All of the text of this message is in here and nowhere else.")
    message.add_alternative("<p>Open in browser</p>", "html")
    assert (await parse(tmp_path, message)).elements[-1].text.startswith("All of the text")


async def test_attachments_become_files_with_harmless_names(tmp_path: Path) -> None:
    message = mail()
    message.set_content("See below.")
    for name in ("../../etc/passwd", "C:\\temp\\a.txt", "a.txt", "..", "x" * 300 + ".pdf"):
        message.add_attachment(name.encode(), maintype="application", subtype="octet-stream", filename=name)
    parsed = await parse(tmp_path, message, tmp_path / "scratch")
    assert [member.name for member in parsed.members] == ["passwd", "a.txt", "a (2).txt", "unnamed", "x" * 120 + ".pdf"]
    for member in parsed.members:
        assert member.path is not None
        assert member.path.parent == tmp_path / "scratch"
    assert parsed.members[2].path is not None
    assert parsed.members[2].path.read_bytes() == b"a.txt"


async def test_a_message_inside_a_message_is_a_member(tmp_path: Path) -> None:
    inner = mail(Subject="Question / first")
    inner.set_content("When?")
    message = mail()
    message.set_content("See below.")
    message.add_attachment(inner)
    parsed = await parse(tmp_path, message, tmp_path / "scratch")
    (member,) = parsed.members
    assert member.name == "Question _ first.eml"
    assert member.path is not None
    assert "When?" in [element.text for element in (await parse(tmp_path, member.path.read_bytes())).elements]
    assert "When?" not in [element.text for element in parsed.elements]


@pytest.mark.parametrize("charset", ["windows-1251", "koi8-r", "no-such-charset"])
async def test_bodies_in_other_and_unknown_charsets(charset: str, tmp_path: Path) -> None:
    text = "Гарантия на изделие действует двадцать четыре месяца со дня покупки. " * 3
    encoding = "windows-1251" if charset.startswith("no") else charset
    raw = (
        b"Subject: x\nFrom: a@b.org\nContent-Type: text/plain; charset="
        + charset.encode()
        + b"\n\n"
        + text.encode(encoding)
    )
    assert (await parse(tmp_path, raw)).elements[-1].text == text.strip()


async def test_headers_that_are_not_encoded_are_read(tmp_path: Path) -> None:
    parsed = await parse(tmp_path, "Subject: Größe\nFrom: a@b.org\n\nText.\n".encode())
    assert parsed.title == "Größe"


async def test_malformed_headers_lose_nothing(tmp_path: Path) -> None:
    raw = b'Subject: Hello\nFrom: "Ann <ann@@example.org\nTo: ,;<>\nDate: yesterday\n'
    raw += b'Content-Type: text/plain; charset=""\n\nText.\n'
    parsed = await parse(tmp_path, raw)
    assert parsed.elements[-1].text == "Text."
    assert "Date: yesterday" in parsed.elements[1].text


async def test_an_encrypted_message_says_so(tmp_path: Path) -> None:
    raw = b"Subject: x\nContent-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m\n\nAAAA\n"
    with pytest.raises(ParseError, match="encrypted") as caught:
        await parse(tmp_path, raw)
    assert caught.value.reason is ParseFailure.ENCRYPTED


async def test_parts_nested_without_end_have_a_reason(tmp_path: Path) -> None:
    parts = b"".join(b"--b%d\nContent-Type: multipart/mixed; boundary=b%d\n\n" % (i, i + 1) for i in range(5000))
    raw = b"Subject: x\nContent-Type: multipart/mixed; boundary=b0\n\n" + parts
    with pytest.raises(ParseError) as caught:
        await parse(tmp_path, raw)
    assert caught.value.reason is ParseFailure.CORRUPT
