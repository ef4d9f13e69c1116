"""Links and images in an answer: found in every form that a page would follow or load, and compared with the sources.

An image is loaded as soon as it is shown, so its address can carry out what the model has read; a link waits for a
click.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from urllib.parse import unquote, urlsplit

_TITLE = r"(?:\s{1,5}(?:\"[^\"]{0,200}\"|'[^']{0,200}'|\([^)]{0,200}\)))?"
_MARKDOWN = re.compile(
    r"(?P<image>!?)\[(?P<label>(?:[^\[\]]|\[[^\[\]]{0,200}\]){0,500}+)\]"
    rf"\(\s{{0,5}}(?:<(?P<angled>[^<>\n]{{1,2000}})>|(?P<target>(?:[^\s<>()]|\([^\s<>()]{{0,500}}\)){{1,2000}}+)){_TITLE}\s{{0,5}}\)"
)
_DEFINITION = re.compile(
    r"^ {0,3}\[(?!\^)(?P<label>[^\[\]\n]{1,200})\]:[ \t]{0,5}\n?[ \t]{0,5}(?=\S{0,2000}(?:/|:|\.[a-z]))"
    rf"<?(?P<target>[^\s<>]{{1,2000}})>?{_TITLE}[ \t]{{0,5}}$",
    re.MULTILINE | re.IGNORECASE,
)
_ELEMENT = re.compile(
    r"<(?P<name>a|img|image|iframe|frame|script|link|object|embed|video|audio|source|svg|form|input|button|area|base|meta"
    r"|track|[a-z]{1,12}(?=[^<>]{0,200}\bstyle\b))\b(?P<attributes>[^<>]{0,2000})(?:>|$)",
    re.IGNORECASE,
)
_CLOSING_TAG = re.compile(r"</a\s{0,5}>", re.IGNORECASE)
_ATTRIBUTE = re.compile(
    r"(?P<name>href|srcset|src|data|action|formaction|poster|background|content|style)\s{0,5}=\s{0,5}"
    r"(?:\"(?P<double>[^\"]{0,2000})\"|'(?P<single>[^']{0,2000})'|(?P<bare>[^\s\"'<>]{1,2000}))",
    re.IGNORECASE,
)
_URL_IN_VALUE = re.compile(r"url\s{0,3}[(=]\s{0,3}[\"']?(?P<target>[^\s\"')]{1,2000})", re.IGNORECASE)
_DOT = r"(?:\.|\[\.\]|\(\.\)|\s?\[dot\]\s?|\s?\(dot\)\s?)"
_REST = r"[^\s<>\"'`|]{0,2000}"
_SCHEMED = re.compile(
    rf"\b(?:https?|hxxps?|ftp|wss?|file|blob)\s?(?::|\[:\])\s?[/\\]{{2}}{_REST}"
    r"|\b(?:javascript|vbscript):[^\s<>\"'`]{1,2000}|\bdata:[\w.+-]{1,40}/[\w.+-]{1,40}[;,][^\s<>\"'`)\]]{0,20000}"
    rf"|(?<![\w@/:.-])//(?:[a-z0-9-]{{1,63}}\.){{1,6}}[a-z]{{2,24}}{_REST}"
    rf"|(?<![\w@/.-])www{_DOT}{_REST}",
    re.IGNORECASE,
)
# Names of hosts without a scheme; "end.It" is a missing space, so other endings than these count only with a path.
_NAMED = re.compile(
    rf"(?<![\w@/.-])(?:[a-z0-9][a-z0-9-]{{0,62}}+{_DOT}){{1,6}}"
    rf"(?:(?:com|org|net|edu|gov|info|biz|io|dev|app|ai|xyz|site|online|top)(?![\w-]|\.\w|:[0-9]|/)|[a-z]{{2,24}}(?::[0-9]{{2,5}})?/{_REST})",
    re.IGNORECASE,
)
_INNER_DOT = re.compile(r"\w(?:\.|\s?[\[(](?:\.|dot)[\])]\s?)[a-z]", re.IGNORECASE)
_SCHEME_SIGNS = ("//", "\\\\", "www", "data:", "script:")
_CLOSING = ".,;:!?*_~'\"”’»"
_DISGUISED_DOT = re.compile(r"\s?[\[(](?:\.|dot)[\])]\s?", re.IGNORECASE)
_WEB = re.compile(r"^(?:(?:https?|hxxps?)\s?:\s?)?//", re.IGNORECASE)
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060-\u2064\ufeff\t\r\n]")


@dataclass(frozen=True, slots=True)
class Link:
    """A link at `text[start:end]` to `target`, showing `label`; an `image` is loaded without a click."""

    start: int
    end: int
    target: str
    label: str
    image: bool


def find_links(text: str) -> tuple[Link, ...]:
    """Return links and images in order of position, without overlaps: in Markdown, in HTML, bare, or disguised."""
    if not any(sign in text for sign in _SIGNS):
        return ()
    found: list[Link] = []
    for link in sorted(_candidates(text), key=lambda link: (link.start, -link.end)):
        if not found or found[-1].end <= link.start:
            found.append(link)
    return tuple(found)


_SIGNS = (".", "](", "]:", "<", "//", "\\\\", "[dot]", "(dot)", "[:]", "data:", "script:")


class KnownTargets:
    """The targets that sources name, and domains that links, though not images, may lead to whatever sources say."""

    def __init__(self, sources: Iterable[str], allow_domains: Iterable[str] = ()) -> None:
        self._domains = tuple(domain.casefold().lstrip(".") for domain in allow_domains)
        self._sources = tuple(sources)

    def know(self, link: Link) -> bool:
        """Return whether the link's target, and every one within its label, is known."""
        return self._knows_target(link) and all(self.know(inner) for inner in find_links(link.label))

    def _knows_target(self, link: Link) -> bool:
        target = plain_target(link.target)
        if not target:
            return not link.image
        if not link.image and any(_within(_host(target), domain) for domain in self._domains):
            return True
        if target.startswith(("mailto:", "tel:")):
            address = target.partition(":")[2].partition("?")[0].casefold()
            return "?" not in target and any(address in source.casefold() for source in self._sources)
        return any(target in _targets(source) for source in self._sources)


def without_links(text: str, links: Iterable[Link]) -> str:
    """Return `text` with each of `links` replaced by its label, as far as that is text.

    >>> without_links("See [here](https://example.org).", find_links("See [here](https://example.org)."))
    'See here.'
    """
    for link in sorted(links, key=lambda link: -link.start):
        label = without_links(link.label, find_links(link.label))
        label = f"[{label}]" if label.isdigit() else label  # a citation marker that was made a link
        head, tail = text[: link.start], text[link.end :]
        text = f"{head.rstrip(' ')}{tail}" if not label and tail[:1] in (" ", ".", ",", "") else f"{head}{label}{tail}"
    return text


def plain_target(target: str) -> str:
    """Return a target without what can differ while it leads to the same place; empty for a place in the same page.

    >>> plain_target("hxxps://Example[.]org/")
    'example.org'
    """
    target = _INVISIBLE.sub("", unquote(html.unescape(target))).strip().replace("\\", "/").replace("[:]", ":")
    target = _DISGUISED_DOT.sub(".", target).partition("#")[0]
    target = _WEB.sub("", target)
    head, slash, rest = target.partition("/")
    return (head.casefold().removeprefix("www.") + slash + rest).rstrip("/" + _CLOSING)


@lru_cache(maxsize=512)
def _targets(source: str) -> frozenset[str]:
    links = list(find_links(source))
    links += [inner for link in links for inner in find_links(link.label)]
    return frozenset(plain_target(link.target) for link in links)


def _candidates(text: str) -> Iterator[Link]:
    for match in _MARKDOWN.finditer(text):
        yield Link(*match.span(), match["angled"] or match["target"], match["label"], bool(match["image"]))
    for match in _DEFINITION.finditer(text):
        yield Link(*match.span(), match["target"], "", False)
    if "<" in text:
        yield from _elements(text)
    yield from _bare(text)


def _bare(text: str) -> Iterator[Link]:
    folded = text.casefold()
    schemed = _SCHEMED.finditer(text) if any(sign in folded for sign in _SCHEME_SIGNS) else ()
    named = _NAMED.finditer(text) if _INNER_DOT.search(text) else ()
    for match in chain(schemed, named):
        target = _trimmed(match.group())
        loads = re.match(r"data:|\w{2,4}script:", target, re.IGNORECASE) is not None
        yield Link(match.start(), match.start() + len(target), target, "", loads)


def _elements(text: str) -> Iterator[Link]:
    """An `a` is a link, its closing tag goes with it; whatever else has an address loads it."""
    for match in _ELEMENT.finditer(text):
        targets = list(_addresses(match["attributes"]))
        if not targets:
            continue
        if match["name"].casefold() not in ("a", "area"):
            yield Link(*match.span(), targets[0], "", True)
            continue
        closing = _CLOSING_TAG.search(text, match.end(), match.end() + 2000)
        label = text[match.end() : closing.start()] if closing else ""
        yield Link(match.start(), closing.end() if closing else match.end(), targets[0], label, False)


def _addresses(attributes: str) -> Iterator[str]:
    for match in _ATTRIBUTE.finditer(attributes):
        value = match["double"] or match["single"] or match["bare"] or ""
        if match["name"].casefold() not in ("style", "content"):
            yield value
        elif within := _URL_IN_VALUE.search(value):
            yield within["target"]


def _trimmed(address: str) -> str:
    """An address without the punctuation of the sentence around it; brackets that it opens stay."""
    while address and (address[-1] in _CLOSING or (address[-1] in ")]}" and _unbalanced(address))):
        address = address[:-1]
    return address


def _unbalanced(address: str) -> bool:
    opening = {")": "(", "]": "[", "}": "{"}[address[-1]]
    return address.count(address[-1]) > address.count(opening)


def _host(target: str) -> str:
    try:
        return urlsplit("//" + target).hostname or ""
    except ValueError:  # brackets that are no IPv6 address
        return ""


def _within(host: str, domain: str) -> bool:
    return host == domain or host.endswith("." + domain)
