"""Filters as a person types them."""

import pytest

from apps.filters import typed_filters
from contracts import Filter, InvalidInputError


def test_each_sign_means_what_it_says() -> None:
    assert typed_filters(["year>=2020", "year < 2024", "source~handbook/**", "author=Ada Lovelace"]) == (
        Filter("year", at_least="2020", below="2024"),
        Filter("source", glob="handbook/**"),
        Filter("author", any_of=("Ada Lovelace",)),
    )


def test_values_of_one_field_are_alternatives() -> None:
    assert typed_filters(["tags=a", "tags=b=c"]) == (Filter("tags", any_of=("a", "b=c")),)


@pytest.mark.parametrize("typed", ["year", "=2020", "year=", " ", "~x"])
def test_what_is_no_filter_is_said_to_be_none(typed: str) -> None:
    with pytest.raises(InvalidInputError, match="Cannot understand the filter"):
        typed_filters([typed])
