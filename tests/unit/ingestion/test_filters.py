"""When a document is as a filter wants it."""

import time

import pytest

from contracts import Filter, InvalidInputError
from ingestion.catalog.filters import check, matches, matches_path


@pytest.mark.parametrize(
    ("wanted", "value", "expected"),
    [
        (Filter("tags", ("noise", "law")), "trams, noise", True),
        (Filter("tags", ("trams, noise",)), "trams, noise", True),
        (Filter("tags", ("tram",)), "trams, noise", False),
        (Filter("title", ("Word",)), "Hello, Word", False),
        (Filter("year", above="900"), "1911", True),
        (Filter("year", above="1911"), "1911", False),
        (Filter("year", at_least="1911"), "1911.0", True),
        (Filter("year", below="1e4", at_least="-3"), "1911", True),
        (Filter("year", below="12345678901234567891"), "12345678901234567890", True),
        (Filter("date", at_least="2024-02-01", below="2024-03-01"), "2024-02-29", True),
        (Filter("date", at_most="2024-02-01"), "2024-02-01T10:00", False),
        (Filter("grade", at_most="B"), "10", True),
        (Filter("grade", at_most="nan"), "zebra", False),
        (Filter("year", ("1911",), above="2000"), "1911", False),
        (Filter("note", ("",)), "", True),
    ],
)
def test_a_value_is_in_a_list_or_between_bounds(wanted: Filter, value: str, expected: bool) -> None:
    assert matches(wanted, {wanted.field: value}) is expected


@pytest.mark.parametrize("wanted", [Filter("a", ("",)), Filter("a", glob="**"), Filter("a", below="z")])
def test_a_document_without_the_field_does_not_match(wanted: Filter) -> None:
    assert not matches(wanted, {"b": ""})


@pytest.mark.parametrize(
    ("glob", "path", "expected"),
    [
        ("*.pdf", "/data/docs/a.pdf", True),
        ("*.pdf", "all.zip!/b.pdf", True),
        ("*.zip!/**", "/data/all.zip!/inner.zip!/b.pdf", True),
        ("docs/*.pdf", "/data/docs/a.pdf", True),
        ("docs/*.pdf", "/data/docs/old/a.pdf", False),
        ("docs/**/*.pdf", "/data/docs/a.pdf", True),
        ("docs/**/*.pdf", "/data/docs/old/older/a.pdf", True),
        ("cs/*.pdf", "/data/docs/a.pdf", False),
        ("/docs/**", "/data/docs/a.pdf", False),
        ("/data/**", "/data/docs/a.pdf", True),
        ("https://example.org/**/x", "https://example.org/a/b/x", True),
        ("https://example.org/*", "https://example.org/a/b", False),
        ("**/**/b/**", "/a/b", True),
        ("report-202[34].???", "report-2024.pdf", True),
        ("*.PDF", "a.pdf", False),
        ("upload/*", "upload/a.txt", True),
    ],
)
def test_paths_are_like_patterns(glob: str, path: str, expected: bool) -> None:
    assert matches_path(glob, path) is expected


def test_a_pattern_of_many_stars_takes_no_time() -> None:
    started = time.perf_counter()
    assert not matches_path("/".join(["*a" * 30, "**"] * 12) + "/x", "/".join(["a" * 200] * 40))
    assert time.perf_counter() - started < 5


@pytest.mark.parametrize("wanted", [Filter("year"), Filter(" ", ("x",)), Filter("a\n", ("x",)), Filter("a", ("\0",))])
def test_what_cannot_be_asked_says_what_to_do(wanted: Filter) -> None:
    with pytest.raises(InvalidInputError, match=r"name `id`|give values|leave it out"):
        check(wanted)
