"""Finds what surrounds the content of an HTML page: navigation, banners, footers, lists of links."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

_TAGS = frozenset({"nav", "aside", "footer", "form", "dialog"})
_ROLES = frozenset({"navigation", "banner", "contentinfo", "search", "complementary", "dialog", "menu"})
_NAMES = re.compile(
    r"(?:^|[\s_-])(?:nav|navbar|menu|breadcrumbs?|sidebar|footer|masthead|cookies?|consent|share|sharing|social"
    r"|related|recommended|newsletter|subscribe|comments?|disqus|promo|advert(?:isement)?|ads?|sponsored|popup|modal"
    r"|pagination|skip-link|tags)(?:$|[\s_-])",
    re.IGNORECASE,
)
_NEVER = frozenset({"html", "head", "body", "main", "article"})
_LINK_BLOCKS = frozenset({"ul", "ol", "div", "section", "table", "p"})
_MOST = 0.5  # of a page's text: what holds more is the content, whatever it is called


@dataclass(slots=True)
class _Size:
    """How much an element holds: characters of text, characters in links, links, headings of the first level."""

    text: int = 0
    linked: int = 0
    links: int = 0
    headings: int = 0

    def add(self, other: _Size) -> None:
        self.text += other.text
        self.linked += other.linked
        self.links += other.links
        self.headings += other.headings


def noise_of(root: Any) -> frozenset[Any]:
    """Return the elements of the page that are not its content."""
    sizes = _sizes(root)
    page = sizes[root].text
    return frozenset(node for node, size in sizes.items() if size.text <= _MOST * page and _is_noise(node, size))


def _is_noise(node: Any, size: _Size) -> bool:
    if node.tag in _NEVER:
        return False
    if node.tag in _TAGS or node.get("role") in _ROLES:
        return True
    if node.tag == "header":
        return not size.headings and next(node.iterancestors("main", "article"), None) is None
    if _NAMES.search(f"{node.get('class', '')} {node.get('id', '')}") and not size.headings:
        return True
    return node.tag in _LINK_BLOCKS and size.links >= 3 and size.linked > 0.7 * size.text


def _sizes(root: Any) -> dict[Any, _Size]:
    """Measure every element in one walk, each after all that is inside it."""
    from lxml import etree

    sizes = {node: _Size() for node in root.iter("*")}
    for _, node in etree.iterwalk(root, events=("end",)):
        size = sizes[node]
        if node.tag in ("script", "style", "noscript", "template", "head"):
            size = sizes[node] = _Size()
        else:
            size.text += len((node.text or "").strip())
            if node.tag == "a":
                size.links, size.linked = 1, size.text
            size.headings += node.tag == "h1"
        around = node.getparent()
        if around in sizes:
            sizes[around].add(size)
            sizes[around].text += len((node.tail or "").strip())
    return sizes
