"""Turns XML documents for readers (JATS, DocBook, DITA, TEI) into the HTML that says the same."""

from __future__ import annotations

import re
from typing import Any

_DEEPEST = 6
_SAME = {
    "p": "p para simpara formalpara ab",
    "section": "sec section sect1 sect2 sect3 sect4 sect5 chapter article book part appendix preface abstract topic"
    " conbody body div app ack glossary ref-list bibliography",
    "pre": "programlisting screen codeblock literallayout disp-code preformat listing",
    "ul": "itemizedlist simplelist ul listbibl variablelist def-list kwd-group",
    "ol": "orderedlist ol procedure steps",
    "li": "list-item listitem item li kwd step member ref bibl biblioentry varlistentry def-item",
    "tr": "row tr",
    "td": "entry td cell",
    "th": "th",
    "caption": "caption",
    "blockquote": "disp-quote blockquote quote-block",
    "table": "table informaltable simpletable",
    "thead": "thead",
    "tbody": "tbody",
    "div": "aff fig table-wrap figure author-notes fn footnote note tip warning important caution disp-formula"
    " corresp history permissions front back text tei teiheader root",
}
_TO_HTML = {name: html for html, names in _SAME.items() for name in names.split()}
_TITLES = frozenset({"title", "article-title", "head", "bridgehead"})
_HEADED = frozenset({"title-group", "front", "info", "articleinfo", "bookinfo"})  # they head what they stand in
_UNSPACED = frozenset({"name", "person-group", "element-citation", "string-name"})  # their parts stand side by side
_NOT_DEEPER = frozenset({"body", "conbody"})
_TEX = re.compile(r"\A.*?\\begin\{document\}(.*?)\\end\{document\}.*\Z", re.DOTALL)
_SIGNS = frozenset({"p", "para", "simpara", "sec", "section", "sect1", "chapter"})
_LEFT_OUT = frozenset(
    {"graphic", "inline-graphic", "imagedata", "journal-meta", "article-id", "object-id", "counts", "permissions"}
)
_FRONT = ("title-group", "contrib-group", "aff", "abstract", "trans-abstract", "kwd-group")


def is_article(root: Any) -> bool:
    """Tell whether the document is written for readers rather than for programs."""
    return any(local_name(node) in _SIGNS for node in root.iter("*"))


def local_name(node: Any) -> str:
    """Return the element's name without its namespace, in lower case; "" for what is no element."""
    return node.tag.rpartition("}")[2].lower() if isinstance(node.tag, str) else ""


def as_html(root: Any) -> Any:
    """Rename the elements of the document, in place, to those of HTML; return its root."""
    from lxml import etree

    etree.strip_tags(root, "{*}tgroup")  # it stands between a table and its rows
    front = next((node for node in root.iter("*") if local_name(node) == "article-meta"), None)
    if front is not None:
        _keep_what_is_read(front)
    for label in [node for node in root.iter("*") if local_name(node) == "label"]:
        _join_title(label)
    names = {node: local_name(node) for node in root.iter("*")}
    depths: dict[Any, int] = {}
    for node, name in names.items():
        around = node.getparent()
        deeper = _TO_HTML.get(name) == "section" and around is not None and name not in _NOT_DEEPER
        depths[node] = depths.get(around, 1) + deeper
        if names.get(around) in _UNSPACED and not (node.tail or "").strip():
            node.tail = " "
        if name == "tex-math":
            node.text = _TEX.sub(r"\1", node.text or "")
        node.tag = _html_name(node, name, names.get(around, ""), depths[node])
    return root


def _html_name(node: Any, name: str, inside: str, depth: int) -> str:
    kind = _TO_HTML.get(name, "span")
    if name in _LEFT_OUT or (name == "math" and inside == "alternatives"):
        return "script"
    if name == "list":
        return "ol" if node.get("list-type") in ("order", "number", "ordered") else "ul"
    if name in _TITLES:
        if _TO_HTML.get(inside) == "section" or inside in _HEADED:
            return f"h{min(depth, _DEEPEST)}"
        return "span" if _TO_HTML.get(inside, "span") in ("span", "li", "p") else "p"
    return "div" if name == "caption" and inside != "table" else kind


def _join_title(label: Any) -> None:
    """Put the number of a section before its title."""
    title = label.getnext()
    if title is None or local_name(title) != "title" or not label.text:
        return
    title.text = f"{label.text.strip()} {title.text or ''}"
    label.getparent().remove(label)


def _keep_what_is_read(front: Any) -> None:
    """Leave of a journal article's front matter what is printed: title, authors, where they work, abstract."""
    for child in list(front):
        if local_name(child) not in _FRONT:
            front.remove(child)
    for group in (node for node in front if local_name(node) == "contrib-group"):
        names = [_person(node) for node in group.iter("*") if local_name(node) in ("name", "collab")]
        places = [" ".join(node.itertext()).split() for node in group.iter("*") if local_name(node) == "aff"]
        for child in list(group):
            group.remove(child)
        group.text = None
        for said in (", ".join(filter(None, names)), "; ".join(" ".join(words) for words in places)):
            if said:
                paragraph = group.makeelement("p")
                paragraph.text = said
                group.append(paragraph)
    for child in front:
        if local_name(child) == "abstract" and not any(local_name(node) == "title" for node in child):
            title = child.makeelement("title")
            title.text = "Abstract"
            child.insert(0, title)


def _person(node: Any) -> str:
    parts = {local_name(child): " ".join("".join(child.itertext()).split()) for child in node}
    named = [parts[key] for key in ("given-names", "surname") if parts.get(key)]
    return " ".join(named) or " ".join("".join(node.itertext()).split())
