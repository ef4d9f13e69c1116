r"""Rewrites RTF for pandoc, which knows Western European code pages only, and neither headers nor missing braces.

In RTF a character is a byte as ``\'e9`` in the code page of its font, or ``\u233?`` with a substitute after it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

_TOKEN = re.compile(rb"\\'([0-9a-fA-F]{2})|\\([a-zA-Z]+)(-?\d+)? ?|\\([^a-zA-Z])|([{}])|([^\\{}\r\n]+)|[\r\n]+")
# \fcharset numbers of the specification 1.9.1, as Python calls their code pages.
_CHARSETS = {
    77: "mac_roman", 128: "cp932", 129: "cp949", 130: "johab", 134: "gbk", 136: "big5", 161: "cp1253", 162: "cp1254",
    163: "cp1258", 177: "cp1255", 178: "cp1256", 186: "cp1257", 204: "cp1251", 222: "cp874", 238: "cp1250",
}  # fmt: skip
_DATA = frozenset({b"pict", b"objdata", b"themedata", b"colorschememapping", b"datastore"})
_DEFAULTS = {b"mac": "mac_roman", b"pc": "cp437", b"pca": "cp850"}


@dataclass(frozen=True, slots=True)
class _State:
    """What a group inherits: the font, and how many characters stand in for one that is written as Unicode."""

    font: int = 0
    substitutes: int = 1
    apart: bool = False  # a header or footer: a paragraph ends with it
    data: bool = False  # a picture and the like, which is of no use here and can be very long


def unicode_rtf(data: bytes) -> bytes:
    """Return the RTF file with each character outside ASCII as itself, in UTF-8, every group closed, and the first
    header and footer of each sort among the text."""
    reader = _Rewriter()
    for token in _TOKEN.finditer(data):
        reader.read(token)
    reader.close()
    return "".join(reader.out).encode("utf-8", "replace")


class _Rewriter:
    def __init__(self) -> None:
        self.out: list[str] = []
        self._codepage = "cp1252"
        self._charsets: dict[int, str] = {}
        self._state = _State()
        self._stack: list[_State] = []
        self._bytes = bytearray()
        self._high = ""  # the first half of a character beyond the first 65,536
        self._skip = 0
        self._unsaid = {b"header", b"headerf", b"headerl", b"headerr", b"footer", b"footerf", b"footerl", b"footerr"}

    def read(self, token: re.Match[bytes]) -> None:
        code, word, number, symbol, brace, text = token.groups()
        if not any((code, word, symbol, brace, text)):  # a line's end means nothing, even amid a character
            self.out.append("" if self._bytes or self._skip else "\n")
            return
        if code or text:
            raw = b"" if self._state.data else bytes([int(code, 16)]) if code else text
            left_out = min(self._skip, len(raw))
            self._skip -= left_out
            self._bytes += raw[left_out:]
            return
        if symbol and symbol in b"\\{}" and self._skip:
            self._skip -= 1
            return
        if word == b"u" and number:
            self.flush()
            self._unicode(int(number) % 0x10000)
            return
        self.flush()
        self._skip = 0
        if brace:
            self._brace(brace)
        elif word in self._unsaid:
            self._unsaid.remove(word)
            self._state = replace(self._state, apart=True)
        elif word == b"uc":  # the substitutes are gone
            self._state = replace(self._state, substitutes=int(number or 1))
            self.out.append("\\uc0 ")
        elif word == b"rtf" and len(self._stack) > 1:
            return  # a document put into this one as it is
        elif word == b"deleted":  # pandoc shows what was deleted as tracked, and leaves out what is hidden
            self.out.append(f"\\v{(number or b'').decode()} ")
        elif word == b"ansicpg":
            self._codepage = _known(f"cp{int(number or 1252)}", self._codepage)
        else:
            if word:
                self._control(word, int(number) if number else None)
            self.out.append(token[0].decode("latin-1"))

    def _brace(self, brace: bytes) -> None:
        if brace == b"{":
            self._stack.append(self._state)
            self._state = replace(self._state, apart=False)
        elif self._stack:
            self.out.append("\\par" if self._state.apart else "")
            self._state = self._stack.pop()
        self.out.append(brace.decode())

    def close(self) -> None:
        """Write what is left, and the braces that are missing."""
        self.flush()
        self.out.append("}" * len(self._stack))

    def flush(self) -> None:
        """Write what stood there as bytes; ASCII signs that mean something in RTF cannot be among them."""
        if self._bytes:
            encoding = self._charsets.get(self._state.font, self._codepage)
            shown = bytes(self._bytes).decode(encoding, "replace")
            self.out.append(re.sub(r"[\\{}]", lambda found: "\\" + found[0], shown))
            self._bytes.clear()

    def _control(self, word: bytes, number: int | None) -> None:
        if word in _DEFAULTS:
            self._codepage = _DEFAULTS[word]
        elif word == b"f" and number is not None:
            self._state = replace(self._state, font=number)
        elif word == b"fcharset" and number in _CHARSETS:
            self._charsets[self._state.font] = _CHARSETS[number]
        elif word in _DATA:
            self._state = replace(self._state, data=True)
        elif word == b"plain":
            self._state = replace(self._state, font=0)

    def _unicode(self, unit: int) -> None:
        self._skip = self._state.substitutes
        if 0xD800 <= unit < 0xDC00:
            self._high = chr(unit)
            return
        character = self._high + chr(unit) if 0xDC00 <= unit < 0xE000 else chr(unit)
        self._high = ""
        self.out.append(character.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))


def _known(encoding: str, default: str) -> str:
    try:
        b"".decode(encoding)
    except LookupError:
        return default
    return encoding


_PROPERTY = re.compile(r"\{\\(title|author|subject|keywords)\s([^{}\\]+)\}")
_HEAD = 1 << 16


def rtf_properties(data: bytes) -> dict[str, str]:
    """Return what the RTF file says about itself."""
    head = unicode_rtf(data[:_HEAD]).decode("utf-8")
    return {name: text.strip() for name, text in _PROPERTY.findall(head) if text.strip()}
