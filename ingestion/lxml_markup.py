"""Reads HTML with lxml: drops what surrounds the content of a page, and turns tables into rows."""

from __future__ import annotations

import re
from typing import Any

_NOISE_TAGS = frozenset({"nav", "aside", "footer", "form", "button", "select", "dialog", "iframe", "svg"})
_NOISE_ROLES = frozenset({"navigation", "banner", "contentinfo", "search", "complementary", "dialog", "menu"})
_NOISE_NAMES = re.compile(
    r"(?:^|[\s_-])(?:nav|navbar|menu|breadcrumbs?|sidebar|footer|masthead|cookies?|consent|share|sharing|social"
    r"|related|recommended|newsletter|subscribe|comments?|disqus|promo|advert(?:isement)?|ads?|sponsored|popup|modal"
    r"|pagination|skip-link|tags)(?:$|[\s_-])",
    re.IGNORECASE,
)
_LINK_BLOCKS = frozenset({"ul", "ol", "div", "section", "table", "p"})
_ENOUGH = 0.3  # of a page's text: when less is left, the page is a list of links and stays whole


def main_html(html: str) -> tuple[str, str]:
    """Return the HTML of the page's content, without navigation, headers and footers, and the page's title."""
    from lxml import etree
    from lxml import html as lxml_html

    # Parsed as bytes: lxml refuses text that declares an encoding.
    parser = lxml_html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, huge_tree=True)
    root = lxml_html.document_fromstring(html.encode("utf-8", errors="replace"), parser=parser)
    title = " ".join((root.findtext(".//title") or "").split())
    for element in list(root.iter("script", "style", "noscript", "template")):
        _drop(element)
    whole = etree.tostring(root, encoding="unicode", method="html")
    size = _length(root)
    for element in list(root.iter("*")):
        if (
            element.getparent() is not None
            and element.tag not in ("body", "head", "main", "article")
            and _noise(element)
        ):
            _drop(element)
    if _length(root) < _ENOUGH * size:
        return whole, title
    return etree.tostring(root, encoding="unicode", method="html"), title


def table_rows(html: str) -> list[list[str]]:
    """Return the text of each cell of the table, row by row. A cell that spans columns fills them with blanks."""
    from lxml import html as lxml_html

    rows: list[list[str]] = []
    for row in lxml_html.fragment_fromstring(html).iter("tr"):
        cells: list[str] = []
        for cell in row.iterchildren("td", "th"):
            span = cell.get("colspan", "1")
            blanks = int(span) - 1 if span.isdigit() else 0
            cells += [" ".join(cell.itertext()), *[""] * min(blanks, 100)]
        rows.append(cells)
    return rows


def _noise(element: Any) -> bool:
    if element.tag in _NOISE_TAGS or element.get("role") in _NOISE_ROLES:
        return True
    if element.get("hidden") is not None or element.get("aria-hidden") == "true":
        return True
    if element.tag == "header":
        return next(element.iterancestors("main", "article"), None) is None and element.find(".//h1") is None
    named = f"{element.get('class', '')} {element.get('id', '')}"
    if _NOISE_NAMES.search(named) and element.find(".//h1") is None:
        return True
    return element.tag in _LINK_BLOCKS and _mostly_links(element)


def _mostly_links(element: Any) -> bool:
    links = list(element.iter("a"))
    if len(links) < 3:
        return False
    return sum(map(_length, links)) > 0.7 * _length(element)


def _length(element: Any) -> int:
    return sum(len(text.strip()) for text in element.itertext())


def _drop(element: Any) -> None:
    """Remove the element but keep the text that follows it."""
    element.drop_tree()
