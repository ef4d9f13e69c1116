"""Turns the bytes of a text file into text, whatever their encoding."""

from __future__ import annotations

import codecs
import re

from ingestion.parsing.language_alphabets import encoding_by_letters

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it starts with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_DECLARED = re.compile(rb"""(?:charset|encoding)\s*=\s*["']?\s*([A-Za-z0-9_.:-]+)""")
_SAMPLE = 1 << 16  # bytes that are enough to know an encoding by
_MANY = 0.4  # of the letters
_MULTI_BYTE_NAMES = """big5 big5hkscs cp932 cp949 cp950 euc_jis_2004 euc_jisx0213 euc_jp euc_kr gb18030 gb2312 gbk
    johab shift_jis shift_jis_2004 shift_jisx0213"""
_MULTI_BYTE = frozenset(_MULTI_BYTE_NAMES.split())
_ISO_2022 = ((b"\x1b$)C", "iso2022_kr"), (b"\x1b$", "iso2022_jp_ext"))  # these use only ASCII bytes


def marked_encoding(data: bytes) -> str | None:
    """Return the encoding that a byte order mark, or the pattern of NUL bytes in UTF-16 without one, gives away."""
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return encoding
    sample = data[: _SAMPLE // 16]
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    half = len(sample) // 2
    if half and odd > 0.3 * half and even < 0.02 * half:
        return "utf-16-le"
    if half and even > 0.3 * half and odd < 0.02 * half:
        return "utf-16-be"
    return None


def decode_text(data: bytes, *, markup: bool = False, stated: str | None = None) -> str:
    """Return the text of `data` with line ends made newlines; with `markup` an encoding declared inside is believed,
    and so is one that is `stated` outside.

    In order: byte order mark, UTF-8, the statement, the declaration, a statistical guess, Windows-1252. Never raises:
    a byte that fits nowhere becomes U+FFFD.
    """
    text = _decode(data, markup, stated)
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "")


def _decode(data: bytes, markup: bool, stated: str | None) -> str:
    if marked := marked_encoding(data):
        return data.decode(marked, errors="replace")
    candidates = [
        *(encoding for mark, encoding in _ISO_2022 if mark in data[:_SAMPLE]),
        "utf-8",
        *([stated] if stated else []),
    ]
    if markup and (declared := _DECLARED.search(data[:4096])):
        candidates.append(declared[1].decode("ascii"))
    for encoding in candidates:
        try:
            return data.decode(encoding)
        except (UnicodeDecodeError, LookupError):
            continue
    if _almost_utf8(data):
        return data.decode("utf-8", errors="replace")
    return _guess(data)


def _almost_utf8(data: bytes) -> bool:
    """Tell whether `data` is UTF-8 with a few damaged bytes, which any one-byte encoding would turn into mojibake."""
    damaged = data.decode("utf-8", errors="replace").count("\ufffd")
    sequences = len(re.findall(rb"[\xc2-\xf4][\x80-\xbf]+", data))
    return sequences > 4 * damaged


def _guess(data: bytes) -> str:
    sample = data[:_SAMPLE]
    letters = sum(byte > 127 or chr(byte).isalpha() for byte in sample)
    if sum(byte > 127 for byte in sample) > _MANY * letters:  # no language written in Latin letters
        from charset_normalizer import from_bytes

        best = from_bytes(sample).best()
        if best and best.encoding in _MULTI_BYTE and not _is_half_width(str(best)):
            return data.decode(best.encoding, errors="replace")
    return data.decode(encoding_by_letters(data) or "cp1252", errors="replace")


def _is_half_width(text: str) -> bool:
    """Tell whether the text is mostly half-width katakana: what other alphabets look like in Japanese encodings."""
    return 2 * sum("\uff61" <= letter <= "\uff9f" for letter in text) > sum(letter > "\x7f" for letter in text)
