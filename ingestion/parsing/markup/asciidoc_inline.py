"""Takes AsciiDoc's marks out of a line of text and leaves what is to be read."""

from __future__ import annotations

import re
from collections.abc import Mapping

_ATTRIBUTE = re.compile(r"\{([\w-]+)\}")
_ANCHOR = re.compile(r"\[\[[^\]]*\]\]|\(\(\(?[^()]*\)?\)\)")
_CROSS = re.compile(r"<<([^,>]+)(?:,\s*([^>]+))?>>")
_LINK = re.compile(
    r"(?:link:|xref:|mailto:)?((?:https?|ftp)://[^\s\[\]]+|(?<=link:)[^\s\[]+|(?<=xref:)[^\s\[]+)\[([^\]]*)\]"
)
_MACRO = re.compile(r"\b(?:image|icon|kbd|btn|menu|footnote|pass|stem|term|link|xref|mailto):([^\s\[]*)\[([^\]]*)\]")
_MARKS = re.compile(r"(?<![\w*_`+#])(\*\*?|__?|``?|\+\+?|##?)(?=\S)(.{1,300}?)(?<=\S)\1(?![\w*_`+#])")
_ROLE = re.compile(r"\[[.#%][\w.-]+\](?=[#*_`])")
_NAMED = {"nbsp": " ", "sp": " ", "empty": "", "lt": "<", "gt": ">", "amp": "&", "vbar": "|", "plus": "+"}


def plain_line(text: str, attributes: Mapping[str, str]) -> str:
    """Return the line without marks; `attributes` are what the document has defined so far."""
    text = _ATTRIBUTE.sub(lambda found: attributes.get(found[1], _NAMED.get(found[1], found[0])), text)
    text = _ROLE.sub("", _ANCHOR.sub("", text))
    text = _CROSS.sub(lambda found: found[2] or found[1], text)
    text = _LINK.sub(lambda found: found[2].split(",")[0].strip('"^ ') or found[1], text)
    text = _MACRO.sub(lambda found: found[2].split(",")[0].strip('"^ ') or found[1], text)
    for _ in range(3):  # marks stand inside one another
        text = _MARKS.sub(r"\2", text)
    return text.removesuffix(" +")
