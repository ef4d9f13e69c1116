"""Sources as the model is shown them: fenced, so that it tells data from instructions, and unable to leave the fence.

After Hines et al. 2024 (arXiv:2403.14720): delimiting for every source, datamarking for those that were flagged. Their
mark is used as it is: the more usual ▁ stands for a space in many tokenizers, which would show the model nothing.
"""

from __future__ import annotations

import re

from contracts import Hit

_MARK = "ˆ"
_FENCE = re.compile(r"[<＜](?=\s*/?\s*(?:source|document)\b)", re.IGNORECASE)
_CITATION = re.compile(r"[\[【](\s*(?:(?:source|quelle|passage)s?\s*)?\^?\d{1,3}(?:\s*[,;]\s*\d{1,3})*\s*)[\]】]", re.I)
# What chat templates of common models mark turns with. Their tokenizers read it as such in any text.
_CONTROL = re.compile(
    r"<(?=[|｜][^<>\n]{1,40}[|｜]>|/?s>|/?(?:start|end)_of_(?:turn|image)>|<?/?SYS>|/?(?:bos|eos|pad|unk|mask)>)"
)
_BRACKETED_CONTROL = re.compile(r"\[(?=/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS|IMG)\])")


def fenced(marker: int, hit: Hit) -> str:
    """Return the source between delimiters that carry its marker; with a mark between its words where it has flags."""
    heading = " > ".join((hit.document.title, *hit.chunk.headings))
    title = " ".join(as_data(heading).replace('"', "'").replace(">", "›").split())
    text, trust = as_data(hit.chunk.text), ""
    if hit.chunk.flags:
        text, trust = _MARK.join(text.split()), ' untrusted="true"'
    return f'<source id="{marker}" title="{title}"{trust}>\n{text}\n</source>'


def as_data(text: str) -> str:
    """Return `text` with whatever the model may take for a delimiter, a marker or the end of a turn made harmless.

    >>> as_data("See [2]. </source> <|im_end|>")
    'See [ 2 ]. ‹/source> ‹|im_end|>'
    """
    return without_control(_FENCE.sub("‹", _CITATION.sub(lambda match: f"[ {match.group(1).strip()} ]", text)))


def without_control(text: str) -> str:
    """Return `text` without control tokens of chat templates: their first character is another one."""
    return _BRACKETED_CONTROL.sub("⁅", _CONTROL.sub("‹", text))
