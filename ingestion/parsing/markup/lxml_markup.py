"""Reads HTML and XML with lxml, safely: no entity is fetched or expanded, and nothing is silently cut off."""

from __future__ import annotations

import html
import re
from typing import Any

from contracts import ParseError, ParseFailure

_NOTHING = b"<html></html>"
_DECLARATION = re.compile(r"\A[\ufeff\s]*<\?xml[^>]*\?>\s*|\A[\ufeff\s]+")
_ENTITY = re.compile(r"&([A-Za-z][A-Za-z0-9]*);")
_LITERALS = r"""\s+(?:SYSTEM|PUBLIC)(?:"[^"]*"|'[^']*'|[^>"'])*>"""
_EXTERNAL = re.compile(rf"<!ENTITY\s+([\w.-]+){_LITERALS}")
_EXTERNAL_SET = re.compile(rf"<!ENTITY\s+%\s+([\w.-]+){_LITERALS}")
_OF_XML = frozenset({"amp", "lt", "gt", "quot", "apos"})
_HIDING = re.compile(
    r"display:none|visibility:(?:hidden|collapse)|(?:^|;)opacity:0(?:\.0+)?(?:;|$|!)|font-size:0(?:\.0+)?(?:[a-z%]*)(?:;|$|!)"
    r"|text-indent:-\d{3,}|(?:^|;)(?:left|top|right):-\d{4,}"
)
_WHITE = r"(?:#fff(?:fff)?|white|rgba?\(255,255,255(?:,1(?:\.0+)?)?\))(?:;|$|!)"
_WHITE_TEXT = re.compile(rf"(?:^|;)color:{_WHITE}")
_TRANSPARENT_TEXT = re.compile(r"(?:^|;)color:transparent")
_COLOURED = re.compile(rf"(?:^|;)background(?:-color|-image)?:(?!{_WHITE}|none|transparent|inherit)")


def html_tree(markup: str, name: str) -> Any:
    """Return the root of the page, without comments. Raises ParseError: CORRUPT when it is nested beyond reason."""
    from lxml import etree
    from lxml import html as lxml_html

    # Parsed as bytes: lxml refuses text that declares an encoding. Without huge_tree long texts would be left out.
    parser = lxml_html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, huge_tree=True)
    try:
        root = lxml_html.document_fromstring(markup.encode("utf-8", errors="replace"), parser=parser)
    except etree.ParserError:  # how lxml says that there is nothing but comments
        _refuse_what_was_cut(parser.error_log, name)
        root = lxml_html.document_fromstring(_NOTHING, parser=parser)
    _refuse_what_was_cut(parser.error_log, name)
    return root


def xml_tree(markup: str, name: str) -> Any:
    """Return the root of the XML document. Raises ParseError: CORRUPT.

    Entities that the document itself defines are expanded within libxml2's bounds. Nothing else is ever fetched: of
    what is defined elsewhere the name stays, in square brackets.
    """
    from lxml import etree

    parser = etree.XMLParser(
        resolve_entities="internal", no_network=True, load_dtd=False, remove_comments=True, remove_pis=True
    )
    # The text is decoded, so what the document says of its encoding is no longer true.
    markup = _EXTERNAL_SET.sub(r'<!ENTITY % \1 "">', _DECLARATION.sub("", markup, count=1))
    markup = _named_letters(_EXTERNAL.sub(r'<!ENTITY \1 "[\1]">', markup))
    try:
        return etree.fromstring(markup.encode("utf-8", errors="replace"), parser=parser)
    except etree.XMLSyntaxError as exc:
        _refuse_what_was_cut(parser.error_log, name)
        said = str(exc).splitlines()[0][:200]
        raise ParseError(ParseFailure.CORRUPT, f"{name!r} is not well-formed XML: {said}") from exc


def _named_letters(markup: str) -> str:
    """Replace the names that HTML gives to letters, which many documents use without their DTD at hand."""
    if "<!ENTITY" in markup:
        return markup
    return _ENTITY.sub(lambda found: found[0] if found[1] in _OF_XML else html.unescape(found[0]), markup)


def is_hidden(element: Any) -> bool:
    """Tell whether the element itself says that nobody is to see it: by attribute or by its own style."""
    if element.get("hidden") is not None and element.get("hidden") != "until-found":
        return True
    style = "".join((element.get("style") or "").lower().split())
    if element.tag == "font" and element.get("color"):
        style = f"{style};color:{element.get('color').lower()}"
    if not style:
        return False
    if _HIDING.search(style) or _TRANSPARENT_TEXT.search(style):
        return True
    return _WHITE_TEXT.search(style) is not None and not _on_colour(element)


def _on_colour(element: Any) -> bool:
    """Tell whether white text can be seen because something around it is, or may well be, coloured."""
    around = [element, *element.iterancestors()]
    styles = ("".join(each.get("style", "").lower().split()) for each in around)
    return any(each.get("bgcolor") for each in around) or any(map(_COLOURED.search, styles))


def _refuse_what_was_cut(error_log: Any, name: str) -> None:
    """libxml2 stops at its limits and keeps what it has; that would be a document with silently missing text."""
    for error in error_log:
        if error.type_name == "ERR_RESOURCE_LIMIT" or "depth in document" in error.message:
            message = f"{name!r} goes beyond what any document needs: {error.message.split(',')[0].strip()}."
            raise ParseError(ParseFailure.CORRUPT, message)
        if error.type_name == "ERR_ENTITY_LOOP":
            raise ParseError(ParseFailure.CORRUPT, f"{name!r} defines entities that blow up: {error.message.strip()}.")
