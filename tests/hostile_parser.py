"""A parser that does what the file says, however bad: what the sandbox must survive."""

import ctypes
import os
import re
import time
import urllib.request
from pathlib import Path

from contracts import Element, ParsedFile, ParseError, ParseFailure


class HostileParser:
    """Reads files that hold one word, what to do, and perhaps a second one."""

    async def parse(self, path: Path, name: str | None = None, *, scratch: Path | None = None) -> ParsedFile:
        called = name or path.name
        word, _, rest = path.read_text().partition(" ")
        said = str(getattr(self, f"_{word}")(rest) or "")
        return ParsedFile(title=called, media_type="text/plain", elements=(Element(said),))

    def _say(self, text: str) -> str:
        return text

    def _refuse(self, _: str) -> None:
        raise ParseError(ParseFailure.ENCRYPTED, "a password is needed")

    def _break(self, _: str) -> None:
        raise KeyError("word/document.xml")

    def _pid(self, _: str) -> int:
        return os.getpid()

    def _exit(self, _: str) -> None:
        os._exit(3)

    def _segfault(self, _: str) -> None:
        ctypes.string_at(0)

    def _sleep(self, _: str) -> None:
        time.sleep(1000)

    def _loop(self, _: str) -> None:
        """Never return to Python, so that neither signals nor threads are heeded."""
        re.match("(a+)+$", "a" * 64 + "b")

    def _hold(self, mebibytes: str) -> None:
        held = []
        for _ in range(int(mebibytes)):
            held.append(b"x" * (1 << 20))
            time.sleep(0.001)

    def _grab(self, mebibytes: str) -> None:
        bytearray(int(mebibytes) << 20)

    def _fetch(self, url: str) -> None:
        urllib.request.urlopen(url)

    def _print(self, text: str) -> None:
        print(text, flush=True)


def make_hostile_parser() -> HostileParser:
    """Return the parser; worker processes import this function."""
    return HostileParser()
