"""What vLLM's log says about why the server ended: the end of the log is mostly the trace of something else."""

from __future__ import annotations

import re

_FRAME = re.compile(
    r"^(?:\([\w=. ]+\)\s+)?(?:(?:ERROR|CRITICAL)\s+\d\d-\d\d \d\d:\d\d:\d\d \[[^\]]*\]\s?)?(?P<text>.*)$"
)
_ERROR = re.compile(r"^(?:[\w.]*\.)?[A-Z]\w*(?:Error|Exception): .")
_USAGE = re.compile(r"^[\w.]+(?: serve)?: error: .")
_SEVERAL = re.compile(r"\bvalidation errors? for \w+$")  # pydantic tells the error itself on the next line
_ENDLESS = re.compile(r" Supported architectures: | \[type=")
_CONSEQUENCES = ("Engine core initialization failed", "EngineCore encountered", "Worker failed with error", "cancelled")
_KILLED = "Its engine was ended from outside, as the system does when memory runs out"
_LONGEST = 400

_HINTS = (
    (
        "vLLM does not support this model's architecture",
        r"not supported for now|not recognize this arch",
    ),
    (
        "The memory does not suffice: choose a shorter context, a smaller KV cache or a smaller model",
        r"out of memory|cannot allocate memory|can't allocate memory|no available memory|on startup is less than"
        r"|is less than (?:desired|requested)|larger than the available KV cache",
    ),
    ("Something else listens on this port", r"address already in use"),
    ("The context is longer than the model was made for: choose a shorter one", r"max_model_len|max_position_embed"),
    ("The model needs code of its own: if you trust it, pass -- --trust-remote-code", r"trust[_-]remote[_-]code"),
    ("vLLM does not take these arguments", r"unrecognized arguments|invalid choice|expected one argument"),
    ("vLLM cannot compute weights quantised like this here", r"quantiz|config file for \w+$"),
)


def told_cause(log: str) -> str:
    """Return in a sentence why vLLM ended, as far as its `log` tells; else nothing.

    >>> told_cause("(EngineCore pid=7) ValueError: No available memory for the cache blocks.")
    'The memory does not suffice: choose a shorter context, a smaller KV cache or a smaller model (ValueError: No available memory for the cache blocks.)'
    """  # noqa: E501
    cause = _first_error(log)
    if not cause:
        return _KILLED if "EngineDeadError" in log else ""
    hint = next((hint for hint, pattern in _HINTS if re.search(pattern, cause, re.IGNORECASE)), "")
    return f"{hint} ({cause})" if hint else f"vLLM says: {cause}"


def _first_error(log: str) -> str:
    """The first error named is the cause, those after it follow from it."""
    lines = [match["text"].strip() for line in log.splitlines() if (match := _FRAME.match(line))]
    for number, line in enumerate(lines):
        if _SEVERAL.search(line):
            told = next((each for each in lines[number + 1 :] if each), line)
            return _ENDLESS.split(told.removeprefix("Value error, "))[0][:_LONGEST].strip()
        if (_ERROR.match(line) or _USAGE.match(line)) and not any(each in line for each in _CONSEQUENCES):
            return line[:_LONGEST]
    return ""
