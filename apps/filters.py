"""Filters as they are typed: `year>=2020`, `source~handbook/**`, `tags=visitors`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from contracts import Filter, InvalidInputError

_TYPED = re.compile(r"\s*([^\s<>=~!]+)\s*(>=|<=|>|<|~|=)\s*([^\s<>=~!].*?)\s*", re.DOTALL)
_BOUNDS = {">": "above", ">=": "at_least", "<": "below", "<=": "at_most", "~": "glob"}


def typed_filters(typed: Iterable[str]) -> tuple[Filter, ...]:
    """Return the filters: one per field, where several values of a field are alternatives and bounds go together.

    Example: ``typed_filters(["year>=2020", "year<2024", "tags=visitors", "tags=staff"])``. Raises InvalidInputError.
    """
    filters: dict[str, Filter] = {}
    for one in typed:
        match = _TYPED.fullmatch(one)
        if match is None:
            raise InvalidInputError(
                f"Cannot understand the filter {one!r}. Write field=value, field>=value (also >, <, <=) or "
                "field~pattern, as in 'year>=2020' or 'source~handbook/**'."
            )
        name, sign, value = match.groups()
        known = filters.get(name, Filter(name))
        if sign != "=" and getattr(known, _BOUNDS[sign]):
            raise InvalidInputError(f"The filter {name}{sign} is given twice; only values with = are alternatives.")
        change = {"any_of": (*known.any_of, value)} if sign == "=" else {_BOUNDS[sign]: value}
        filters[name] = replace(known, **change)
    return tuple(filters.values())
