"""Signs that a passage works on a model behind the reader's back: text nobody sees, links that carry data away."""

from __future__ import annotations

import re

from validation.injection.passage_injection import FENCE, find_planted

_ZERO_WIDTH = "\u200b-\u200d\u2060-\u2064\ufeff\u180e"
_FLAG = re.compile("\U0001f3f4[\U000e0061-\U000e007a\U000e0030-\U000e0039]{1,8}\U000e007f")
_CODED = re.compile(
    f"[\U000e0000-\U000e007f]|[{_ZERO_WIDTH}]{{4,}}|[\U000e0100-\U000e01ef]{{2,}}|[\ufe00-\ufe0f]{{3,}}|[\u202d\u202e]"
)
_SPLIT_WORD = re.compile(f"(?<=[A-Za-z])[{_ZERO_WIDTH}]+(?=[A-Za-z])")
_COMMENT = re.compile(r"<!--(.{8,2000}?)-->", re.DOTALL)
_UNSEEN = (
    r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0(?![.\d]*[1-9])|opacity\s*:\s*0(?![.\d]*[1-9])"
    r"|(?:left|top|text-indent)\s*:\s*-\d{3,}"
)
_UNSEEN_ELEMENT = re.compile(
    rf"<\w+\b[^<>]{{0,300}}?(?:style\s*=\s*[\"'][^\"'<>]{{0,300}}?(?:{_UNSEEN})[^<>]{{0,300}}|\shidden)\s*>([^<]{{12,}})"
    r"|\\(?:text)?color\{white\}\{?([^{}]{12,})",
    re.IGNORECASE,
)
_WORDS_THAT_MATTER = 4
_SPLITS_THAT_MATTER = 3

_HOLE = r"(?:\$?\{[^{}()\s]{0,60}\}|\[[^\[\]()]{1,60}\]|<[^<>()]{1,60}>|%7B[^()\s]{0,60}?%7D|\b[A-Z]{4,}(?:_[A-Z]+)+\b)"
_TALK = (
    r"(?:conversation|chat|histor|dialog|question|prompt|context|summar|answer|response|secret|passw|api.?key|token"
    r"|credential|user|message|e-?mail|personal|private|data|gespräch|frage|antwort|passwor|verlauf|nachricht)"
)
_IMAGE = re.compile(
    rf"(?:!\[[^\]]{{0,200}}\]\(\s*<?|<img\b[^>]{{0,200}}?\bsrc\s*=\s*[\"']?)"
    rf"(?:https?:)?//[^)\s\"']{{1,500}}?(?:[?&#/][^)\s\"']{{0,300}}?{_HOLE}|[?&][\w.-]{{1,40}}=(?=[)\s\"'>]))",
    re.IGNORECASE,
)
_LINK = re.compile(rf"\]\(\s*<?https?://[^)\s]{{1,300}}[?&][\w.-]{{1,40}}=[^)\s]{{0,100}}?(?={_HOLE})", re.IGNORECASE)
_HOLE_HERE = re.compile(_HOLE, re.IGNORECASE)
_TALKS = re.compile(_TALK, re.IGNORECASE)
_CARRY = (
    r"\b(?:append|add|attach|insert|put|encode|embed|include|send|post|submit|forward|upload|transmit|leak|exfiltrate"
    r"|replace|fill|hänge|füge|sende|schicke|übertrage|kodiere)\b"
)
_TARGET = (
    r"(?:https?://|\burl\b|\b(?:web)?hook\b|\bquery (?:string|parameter)\b|\bimage (?:link|address|source)\b"
    r"|\bmarkdown image\b)"
)
_OF_TALK = (
    r"\b(?:conversation|chat history|chat log|dialogue"
    r"|user'?s? (?:question|quer|input|prompt|data|message|e-?mail|password|name)"
    r"|(?:previous|earlier|last|all|your) (?:messages?|answers?|quer\w+|context|instructions|prompt)|system prompt"
    r"|what the user|personal data|credentials|passwords?|api keys?|secrets|gespräch\w*|frage des nutzers|chatverlauf"
    r"|unterhaltung)\b"
)
_NEAR, _NEARER = r"[^\n]{0,160}?", r"[^\n]{0,80}?"
_ORDER = re.compile(
    rf"{_CARRY}{_NEAR}{_OF_TALK}{_NEAR}{_TARGET}|{_CARRY}{_NEAR}{_TARGET}{_NEAR}{_OF_TALK}"
    rf"|{_TARGET}{_NEAR}{_CARRY}{_NEARER}{_OF_TALK}",
    re.IGNORECASE,
)
_TO_A_MODEL = re.compile(
    r"\bsystem prompt|\bconversation\b|\buser'?s?\b|\bnutzers?\b|\bgespräch|\bverlauf|\byour\b", re.IGNORECASE
)


def has_hidden_text(text: str) -> bool:
    """Return whether the text holds characters that no reader sees and that can spell something (tags, runs of
    zero-width characters or variation selectors, overridden direction, split words), a comment that gives orders, or
    an element that is not displayed."""
    if not text.isascii():
        if _CODED.search(_FLAG.sub("", text)):
            return True
        if len(_SPLIT_WORD.findall(text)) >= _SPLITS_THAT_MATTER and find_planted(text, FENCE):
            return True
    if "<" not in text and "color{" not in text:
        return False
    if any(find_planted(comment, FENCE) for comment in _COMMENT.findall(text)):
        return True
    unseen = (match.group(1) or match.group(2) for match in _UNSEEN_ELEMENT.finditer(text))
    return any(len(words.split()) >= _WORDS_THAT_MATTER for words in unseen)


def has_exfiltration_link(text: str) -> bool:
    """Return whether the text holds an image or link whose address has a place for data (``?q={…}``,
    ``[CONVERSATION]``, an open ``?d=``), or orders that what was said be sent to an address."""
    if "//" not in text and "url" not in text.lower():
        return False
    if _IMAGE.search(text) or any(_talks(text, match.end()) for match in _LINK.finditer(text)):
        return True
    return any(_TO_A_MODEL.search(match.group()) for match in _ORDER.finditer(text))


def _talks(text: str, start: int) -> bool:
    """Return whether the placeholder at `start` asks for something that was said."""
    hole = _HOLE_HERE.match(text[start : start + 80])
    return hole is not None and _TALKS.search(hole.group()) is not None
