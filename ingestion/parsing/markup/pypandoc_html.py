"""Has pandoc turn a document into HTML, with the numbers of lists written out."""

from __future__ import annotations

from typing import Any


def to_html(source: bytes | str, markup: str) -> str:
    """Return a document in `markup`, as pandoc calls it, as HTML. Raises RuntimeError when pandoc cannot read it."""
    import pypandoc
    from lxml import html

    # Its sandbox: no other file is read, whatever the document asks for.
    written = pypandoc.convert_text(source, "html", format=markup, extra_args=["--sandbox", "--wrap=none"])
    if not written.strip():
        return ""
    root = html.fragment_fromstring(written, create_parent="body")
    for back in root.find_class("footnote-back"):
        back.drop_tree()
    for struck in list(root.iter("del")):
        struck.drop_tag()  # struck out by the author, and still to be seen; Unstructured would leave it out
    for numbered in root.iter("ol"):
        start = int(numbered.get("start", "1"))
        for number, item in enumerate(numbered.iterchildren("li"), start=start):
            _mark(item, f"{number}. ")
    for listed in root.iter("ul"):
        for item in listed.iterchildren("li"):
            _mark(item, "- ")
    shown: str = html.tostring(root, encoding="unicode")
    return shown


def _mark(item: Any, marker: str) -> None:
    place = item if (item.text or "").strip() or not len(item) or item[0].tag != "p" else item[0]
    place.text = marker + (place.text or "").lstrip()
