"""Takes the front matter off the top of a text: what its author says about it, in YAML or TOML."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from contracts import ParseError, ParseFailure

_YAML = re.compile(r"\A\ufeff?---[ \t]*\n(?P<said>.*?\n)?(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_TOML = re.compile(r"\A\ufeff?\+\+\+[ \t]*\n(?P<said>.*?\n)?\+\+\+[ \t]*(?:\n|\Z)", re.DOTALL)
_READERS = re.compile(r"^[\"']?readers[\"']?\s*[:=]", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """What stands on top of a text: its title, who may read it, and everything else by name."""

    title: str = ""
    readers: tuple[str, ...] | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)


def split_front_matter(text: str, name: str) -> tuple[FrontMatter, str]:
    """Return the front matter of the text called `name`, and the text without it.

    What is no front matter stays in the text. Raises ParseError: CORRUPT when it says who may read the text in a way
    that cannot be understood, since everyone could read it otherwise.
    """
    for pattern, load in ((_YAML, _yaml), (_TOML, _toml)):
        if found := pattern.match(text):
            said = load(found["said"] or "")
            if isinstance(said, Mapping):
                return _front_matter(said, name), text[found.end() :]
            if _READERS.search(found["said"] or ""):
                raise _unclear(name)
    return FrontMatter(), text


def _yaml(said: str) -> Any:
    import yaml

    try:
        return yaml.load(said, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (yaml.YAMLError, ValueError, RecursionError):
        return None


def _toml(said: str) -> Any:
    try:
        return tomllib.loads(said)
    except (tomllib.TOMLDecodeError, RecursionError):
        return None


def _front_matter(said: Mapping[Any, Any], name: str) -> FrontMatter:
    readers = _readers(said["readers"], name) if "readers" in said else None
    shown = {str(key): _shown(value) for key, value in said.items() if key not in ("title", "readers")}
    title = " ".join(_shown(said.get("title")).split())
    return FrontMatter(title, readers, {key: value for key, value in shown.items() if value})


def _readers(said: Any, name: str) -> tuple[str, ...]:
    names = said.split(",") if isinstance(said, str) else said
    if not isinstance(names, list) or not names or not all(isinstance(each, str) and each.strip() for each in names):
        raise _unclear(name)
    return tuple(each.strip() for each in names)


def _unclear(name: str) -> ParseError:
    message = f"The front matter of {name!r} does not say clearly who may read it. Write readers: [anna, team-b]."
    return ParseError(ParseFailure.CORRUPT, message)


def _shown(value: Any) -> str:
    """Return a scalar, or a list of them, as text; what is nested deeper says nothing on one line."""
    if isinstance(value, list):
        return ", ".join(_shown(each) for each in value if not isinstance(each, list | dict))
    return "" if value is None or isinstance(value, dict) else str(value)
