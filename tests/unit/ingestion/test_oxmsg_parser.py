"""A message saved by Outlook is read like any other mail; messages attached to it become mails themselves."""

import base64
import email
import email.policy
import struct
import zlib
from pathlib import Path

import pytest
from oxmsg.storage import Storage, Stream

from contracts import ParseError, ParseFailure
from ingestion.parsing.mail.oxmsg_parser import OxmsgParser, attached_files

# "Simple Email" from Alice to Bob: tests/data of docling (MIT), compressed.
MESSAGE = """
eNrtWF9PG0cQnz2DAWNsSMCJHcAOJFHUVsiOKQiCUrBr1EgYEKFSFUVBCVhtKooJJFWSp0SK1Le+taqqVBFqn/LWL1DxBar2A+SvKlXpF8hb7Mzu7V323P
huFtsgFGa1Ps/u7f5mZmdnZ+/vv7qeb/0eewEVdA58UCq3gV9pY1ibLaYTICTbSuVymTeFsZYPaF/ReZiHPAzBLBThBhRAly7ANfgG1mEVxyYgh/+vYMsq
fXx+cX58auZ8NjeZ+2IqPz+TG8rO5fVkuPdh/Lc/fu2M/rIGT1h40UCvvDuFMlyDZSnVLZTKkpLLnIdF1Buw1XprEqv61hC2FpHzIjccmv0sWXZGtWpQ6/
ox9vhl9sGzf7bOjpQuPbz73eXs19ETP75H61ej/+71+mfwnav/0z0BE9jKe6rNeq5O/vMZjlvFUsTRpiwfQQDLInyF82xiq/l7BeumA6tgYyWErCtwG6XT
pe8f/dv74vOLGz9sP5+dffTfzztdB1bxtMgHR8QZarXHISb4Q3b/iOOMjcOo4GOSn4Qxs//+nQfZl4+Zwc4K/ojsN9iU4K/a4zOC77X5FcEHbL4g+BM2v+
7AM9h1wUdsPhp0zh8LqvMbrC+oyhOH/qATLx504jWFOD9h6+cPqfr5oCXktFdfSJUvjpkH5xds/Pak30xHBLVDJKmO90HHsGnfJsk//YTzD2fN/oHB3J9Q
I70rfr17X6n73X1/Uakazm7Fn1q1EPEzM5fZ6elfHytyv+gJqn5jsFdhv+01nC8L/qL9PiSd+5YJ/qjNG0nnPvAJPlHhtz12f2lM7d8tWkA78cyPe9AaPj
cwiupQBJqZlUuGNMZtt5nPJSxrYuUKGMtXkPsW/22IWF/EnhSuZdJlntOYgVj4vh3oz/E34Sb60CZq/6XEW8LKyxmsKfGsRh9wz1CIgllS3nPHT5PwDemn
9ccf3lP9U5idmc9pV3ym3Dup695JwE/jWUzB53fiVg37MyVOuONnGmJ/Qzmv3fCHBbY3foum/X1KPuGOf4Zkfx43gxr2b1byCTf8EeH/3vi69vdLf/HG/5
iEH9C0P1+vAQL+qIwCXvjt+OzQsH8r0f9Hif6na/82Jb+tjp/F/2MkfD5ft4b+AZL/Z8nxT1f/IMn/Of6nJP3Dmv7XQYo/HD9H0p/H8sMa9g+R9l9W4DbC
/mHS/svJ89cb/5Cm/bm9xgn45vp743fJ9aTidxH2f0rGnkbYn9tr3gM/LZBp52+Ppv27K/KPdcx3i/jL894bmPcWUBZqHpxE/Ii0JxWfy7vN3uJvINIy4q
xXQV2CQWU1zGLRuJJ/99U1/57GMtKQ+N+r3Ovc8adJ+FHN9e9T7pHu/pci+X9M6kTFjxPOv7R9/6n//ksQ4m/avv944x+TOlHxj2Ptr+P+19V/QLn3V8cf
Q61p51+/tCkVf7BC/1rjj67+/FvgT3X8hqGLX2/az/j8Lm7Vpgpere0ufbweVvojMh/gZ1JU5prHlP5+l7lOYt8p2X9AjScmvwf45JnI7e6Xd8RWeVcKiO
/q5r2hQ1m71wfm2/f0BiNFNTE=
"""


def storage(path: str, start: int, texts: dict[int, str], *inside: Storage, data: bytes | None = None) -> Storage:
    """Build a storage with string properties, as [MS-OXMSG] lays them out."""
    values = {(tag, 0x1F): text.encode("utf-16-le") for tag, text in texts.items()}
    if data is not None:
        values[0x3701, 0x102] = data
    entries = b"".join(struct.pack("<HHIQ", kind, tag, 6, len(value)) for (tag, kind), value in values.items())
    streams = [Stream(f"{path}/__properties_version1.0", b"\0" * start + entries)]
    streams += [Stream(f"{path}/__substg1.0_{tag:04X}{kind:04X}", value) for (tag, kind), value in values.items()]
    return Storage(path, tuple(streams), inside)


async def test_headers_and_body(tmp_path: Path) -> None:
    (tmp_path / "5f2a9c").write_bytes(zlib.decompress(base64.b64decode(MESSAGE)))
    parsed = await OxmsgParser().parse(tmp_path / "5f2a9c", "mail.msg", scratch=tmp_path / "scratch")
    assert parsed.title == "Simple Email"
    assert [element.text for element in parsed.elements] == [
        "Simple Email",
        "From: Alice Example <alice@example.com>\nTo: Bob Example <bob@example.com>\nDate: 2026-05-20 10:30:00+00:00",
        "Hello Bob,",
        "This is a simple email body.",
    ]
    assert parsed.members == ()


def test_attached_files_and_messages() -> None:
    inner = storage("m/a1/__substg1.0_3701000D", 24, {0x37: "Question", 0x1000: "When?", 0x0C1A: "Ann"})
    first = storage("m/__attach_version1.0_#00000000", 8, {0x3707: "../order.pdf"}, data=b"%PDF-")
    second = storage("m/__attach_version1.0_#00000001", 8, {0x3001: "Question"}, inner)
    third = storage("m/__attach_version1.0_#00000002", 8, {0x3707: "elsewhere.doc"})
    files = dict(attached_files(storage("m", 32, {}, first, second, third)))
    assert list(files) == ["../order.pdf", "Question.eml", "elsewhere.doc"]
    assert files["../order.pdf"]() == b"%PDF-"
    message = email.message_from_bytes(files["Question.eml"](), policy=email.policy.default)
    assert (message["Subject"], message["From"]) == ("Question", "Ann")
    assert message.get_content().strip() == "When?"
    with pytest.raises(ValueError, match="elsewhere"):
        files["elsewhere.doc"]()


@pytest.mark.parametrize("data", [b"", b"no message", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 2000])
async def test_a_damaged_message_has_a_reason(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "5f2a9c").write_bytes(data)
    with pytest.raises(ParseError, match=r"mail\.msg") as caught:
        await OxmsgParser().parse(tmp_path / "5f2a9c", "mail.msg")
    assert caught.value.reason is ParseFailure.CORRUPT
