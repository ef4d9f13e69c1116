"""Whether the fields of a document are as a filter wants them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from fnmatch import translate
from functools import lru_cache
from itertools import pairwise

from contracts import Filter, InvalidInputError

COLUMNS = ("id", "source", "title", "media_type")  # all other fields are keys of the metadata

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_ROOT = re.compile(r"/|[A-Za-z][\w+.-]*://")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_ADVICE = "name `id`, `source`, `title`, `media_type` or a key of the documents' metadata"

Segment = Callable[[str], object]


def check(wanted: Filter) -> None:
    """Raise InvalidInputError when no document could match a filter, whatever it is like."""
    values = (*wanted.any_of, wanted.glob, wanted.above, wanted.at_least, wanted.below, wanted.at_most)
    if not wanted.field.strip() or len(wanted.field) > 200 or _UNPRINTABLE.search(wanted.field):
        raise InvalidInputError(f"Unknown filter {wanted.field!r}: {_ADVICE}.")
    if not any(values) and not wanted.any_of:
        raise InvalidInputError(f"The filter on {wanted.field!r} asks for nothing: give values, a pattern or a bound.")
    if any(map(_UNPRINTABLE.search, values)):
        raise InvalidInputError(f"The filter on {wanted.field!r} holds a control character: leave it out.")


def matches(wanted: Filter, fields: Mapping[str, str]) -> bool:
    """Return whether all that a filter sets holds for the fields of a document, which are its columns and its metadata
    in one mapping; a document without the field does not match."""
    value = fields.get(wanted.field)
    if value is None:
        return False
    return (
        (not wanted.any_of or _is_one_of(value, wanted.any_of, is_list=wanted.field not in COLUMNS))
        and (not wanted.glob or matches_path(wanted.glob, value))
        and (not wanted.above or _is_less(wanted.above, value))
        and (not wanted.at_least or not _is_less(value, wanted.at_least))
        and (not wanted.below or _is_less(value, wanted.below))
        and (not wanted.at_most or not _is_less(wanted.at_most, value))
    )


def matches_path(glob: str, path: str) -> bool:
    """Return whether a path is like a pattern. Each part between slashes is one of `fnmatch`, and the part `**` stands
    for any number of them; a pattern that does not begin at a root may begin at any folder."""
    return _matches_parts(_segments(glob), path.split("/"))


def _is_one_of(value: str, wanted: Sequence[str], *, is_list: bool) -> bool:
    if value in wanted:
        return True
    return is_list and "," in value and any(each.strip() in wanted for each in value.split(","))


def _is_less(one: str, other: str) -> bool:
    numbers = _number(one), _number(other)
    return one < other if numbers[0] is None or numbers[1] is None else numbers[0] < numbers[1]


@lru_cache(maxsize=4096)
def _number(text: str) -> Decimal | None:
    bare = text.strip()
    return Decimal(bare) if _NUMBER.fullmatch(bare) else None


@lru_cache(maxsize=256)
def _segments(glob: str) -> tuple[Segment | None, ...]:
    """Return what tells for each part of a pattern whether a part of a path is like it; None stands for `**`."""
    parts = glob.split("/") if _ROOT.match(glob) else ["**", *glob.split("/")]
    alone = [part for part, after in pairwise([*parts, ""]) if not part == after == "**"]
    return tuple(None if part == "**" else re.compile(translate(part)).match for part in alone)


def _nothing(_part: str) -> bool:
    return False


def _matches_parts(pattern: Sequence[Segment | None], parts: Sequence[str]) -> bool:
    """Match from left to right; where a part does not fit, the last `**` takes one more."""
    at = here = 0
    across: tuple[int, int] | None = None
    while here < len(parts):
        segment = pattern[at] if at < len(pattern) else _nothing
        if segment is None:
            across, at = (at, here), at + 1
        elif segment(parts[here]):
            at, here = at + 1, here + 1
        elif across is not None:
            across = across[0], across[1] + 1
            at, here = across[0] + 1, across[1]
        else:
            return False
    return all(segment is None for segment in pattern[at:])
