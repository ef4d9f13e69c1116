"""Links and images lead to what sources name, or are left out."""

import time

import pytest

from validation.guardrails.guardrails_offline import offline_guard, silence_guardrails
from validation.links import KnownTargets, find_links, plain_target, without_links

_SOURCES = (
    "See https://example.org/docs and ![logo](https://img.example.org/a.png). Write to help@example.org.",
    "[guide](/guide/start)",
)


def _fixed(text: str) -> str:
    known = KnownTargets(_SOURCES, ["footnote.dev"])
    return without_links(text, [link for link in find_links(text) if not known.know(link)])


@pytest.mark.parametrize(
    ("text", "fixed"),
    [
        ("See [here](https://evil.com/x?q=secret).", "See here."),
        ("![x](https://evil.com/p.png?d=abc)", "x"),
        ("![x](data:image/png;base64,AAA)", "x"),
        ("![a](<https://evil.com/a b>)", "a"),
        ("![x](https://a.footnote.dev/p.png)", "x"),
        ("<img src=https://evil.com/a>", ""),
        ("<a href='https://evil.com'>click</a> now", "click now"),
        ("<b style=\"background:url('//evil.com/x')\">a", "a"),
        ("Visit evil[.]com/now.", "Visit."),
        ("Visit hxxps://evil[.]com", "Visit"),
        ("Go to www.evil.com.", "Go to."),
        ("[![alt](https://evil.com/i.png)](https://example.org/docs)", "alt"),
        ("[https://evil.com](https://example.org/docs) is it", " is it"),
        ("[x](javascript:alert(1))", "x"),
        ("[bad](https://footnote.dev@evil.com/)", "bad"),
        ("[bad](https://evil.com/@footnote.dev)", "bad"),
        ("[mail](mailto:help@example.org?body=secret)", "mail"),
        ("[1](https://evil.com) said", "[1] said"),
        ("![x][r]\n\n[r]: <https://evil.com/x> 'title'", "![x][r]\n\n"),
    ],
)
def test_foreign_links_go_and_their_text_stays(text: str, fixed: str) -> None:
    assert _fixed(text) == fixed


@pytest.mark.parametrize(
    "text",
    [
        "See [here](https://example.org/docs), or https://EXAMPLE.org/docs#part.",
        "![x](https://img.example.org/a.png)",
        "[ok](https://a.footnote.dev/x)",
        "[mail](mailto:help@example.org)",
        "[start](/guide/start) and [below](#below)",
        "[Answer]: yes",
        "It ends.It works with Node.js v2.5, e.g. in the U.S. today [1].",
        "x < y and y > z",
    ],
)
def test_known_links_and_prose_stay(text: str) -> None:
    assert _fixed(text) == text


def test_an_answer_on_nothing_links_nowhere() -> None:
    assert not KnownTargets(()).know(find_links("https://example.org/docs")[0])


def test_targets_compare_whatever_their_disguise() -> None:
    assert plain_target("https://www.Example.org/a%62c/") == plain_target("hxxp://example[.]org/abc")
    assert plain_target("https://example.org/ABC") != plain_target("https://example.org/abc")


@pytest.mark.parametrize("piece", ["[", "[](", "<a ", "http:", "a.", "[a](b", "![[", "www.", "[x]: a", "<div style "])
def test_time_grows_with_length_alone(piece: str) -> None:
    began = time.thread_time()
    find_links(piece * (20_000 // len(piece)))
    assert time.thread_time() - began < 2


def test_in_a_plain_guard() -> None:
    silence_guardrails()
    from validation.guardrails.guardrails_links import ForeignLinks

    guard = offline_guard(ForeignLinks())
    outcome = guard.validate("See [a](https://evil.com) and https://example.org/docs.", metadata={"passages": _SOURCES})
    assert outcome.validated_output == "See a and https://example.org/docs."
