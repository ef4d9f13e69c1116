"""What is kept of pages, Markdown, text and e-mail: headings, tables, lists, pages; and what is not."""

from collections.abc import Iterable
from email.message import EmailMessage
from pathlib import Path

import pytest

from contracts import Element, ElementKind, ParsedFile, ParseError, ParseFailure
from ingestion.unstructured_parser import UnstructuredParser


async def parse(path: Path, content: str | bytes | None = None) -> ParsedFile:
    if content is not None:
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return await UnstructuredParser().parse(path)


def of_kind(elements: Iterable[Element], kind: ElementKind) -> list[str]:
    return [element.text for element in elements if element.kind is kind]


async def test_html_keeps_the_content_and_drops_what_surrounds_it(tmp_path: Path) -> None:
    page = """<html><head><title>Terms | Shop</title><script>track()</script></head><body>
      <nav><a href=/>Home</a> <a href=/x>Products</a></nav><header>Shop of the year</header>
      <div class="cookie-banner">We use cookies</div>
      <article><header><h1>Terms of sale</h1></header><p>Returns are free for thirty days.</p>
      <h2>Prices</h2><table><tr><th>Item</th><th>Price</th></tr><tr><td>Lamp</td><td>10 €</td></tr></table>
      <ul><li>Read the label.</li><li>Keep the box.</li></ul><pre>x = 1</pre></article>
      <aside>You may also like</aside><footer>© Shop</footer></body></html>"""
    parsed = await parse(tmp_path / "terms.html", page)
    assert parsed.title == "Terms of sale"
    assert [(e.text, e.level) for e in parsed.elements if e.kind is ElementKind.TITLE] == [
        ("Terms of sale", 1),
        ("Prices", 2),
    ]
    assert of_kind(parsed.elements, ElementKind.TABLE) == ["| Item | Price |\n| --- | --- |\n| Lamp | 10 € |"]
    assert of_kind(parsed.elements, ElementKind.LIST) == ["Read the label.", "Keep the box."]
    assert of_kind(parsed.elements, ElementKind.CODE) == ["x = 1"]
    assert of_kind(parsed.elements, ElementKind.TEXT) == ["Returns are free for thirty days."]


async def test_a_page_of_links_is_kept_whole(tmp_path: Path) -> None:
    links = "".join(f"<li><a href=/{i}>Chapter {i} of the manual</a></li>" for i in range(9))
    parsed = await parse(tmp_path / "index.html", f"<html><body><ul>{links}</ul></body></html>")
    assert "Chapter 8 of the manual" in of_kind(parsed.elements, ElementKind.LIST)


async def test_html_without_headings_is_called_by_its_title(tmp_path: Path) -> None:
    parsed = await parse(tmp_path / "a.html", "<title>Opening hours</title><p>We open at nine.</p>")
    assert parsed.title == "Opening hours"


async def test_html_in_a_declared_encoding(tmp_path: Path) -> None:
    page = '<html><meta charset="windows-1251"><p>Гарантия два года.</p></html>'
    assert (await parse(tmp_path / "a.html", page.encode("cp1251"))).elements[0].text == "Гарантия два года."


async def test_markdown_headings_tables_and_front_matter(tmp_path: Path) -> None:
    text = '---\ntitle: "House rules"\n---\n## Noise\n\nQuiet after ten.\n\n| Day | Hour |\n|---|---|\n| Sunday | 8 |\n'
    parsed = await parse(tmp_path / "rules.md", text)
    assert parsed.title == "House rules"
    assert [(e.kind, e.text, e.level) for e in parsed.elements][:2] == [
        (ElementKind.TITLE, "Noise", 2),
        (ElementKind.TEXT, "Quiet after ten.", 1),
    ]
    assert of_kind(parsed.elements, ElementKind.TABLE) == ["| Day | Hour |\n| --- | --- |\n| Sunday | 8 |"]


async def test_plain_text_tells_prose_from_headings(tmp_path: Path) -> None:
    text = "WARRANTY TERMS\n\nThe cat sat on the mat.\n\nReturns And Refunds\n\nDear all,\n\n- first\n\n- second\n"
    parsed = await parse(tmp_path / "a.txt", text)
    assert parsed.title == "WARRANTY TERMS"
    assert of_kind(parsed.elements, ElementKind.TITLE) == ["WARRANTY TERMS", "Returns And Refunds"]
    assert of_kind(parsed.elements, ElementKind.TEXT) == ["The cat sat on the mat.", "Dear all,"]
    assert of_kind(parsed.elements, ElementKind.LIST) == ["first", "second"]


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
async def test_text_in_other_encodings(encoding: str, tmp_path: Path) -> None:
    sentence = "Die Gebühr für größere Mengen beträgt zwölf Euro."
    assert (await parse(tmp_path / "a.txt", sentence.encode(encoding))).elements[0].text == sentence


async def test_email_headers_body_and_the_names_of_attachments(tmp_path: Path) -> None:
    message = EmailMessage()
    message["Subject"] = "Größere Lieferung"
    message["From"] = "Ann <ann@example.org>"
    message["To"] = "bob@example.org"
    message["Date"] = "Mon, 01 Jan 2024 10:00:00 +0000"
    message.set_content("The delivery comes on Friday.\n\nBest Regards\n")
    message.add_attachment(b"%PDF-", maintype="application", subtype="pdf", filename="order.pdf")
    parsed = await parse(tmp_path / "mail.eml", message.as_bytes())
    assert parsed.title == "Größere Lieferung"
    assert of_kind(parsed.elements, ElementKind.TITLE) == ["Größere Lieferung"]
    assert parsed.elements[1].text.splitlines() == [
        "From: Ann <ann@example.org>",
        "To: bob@example.org",
        "Date: Mon, 01 Jan 2024 10:00:00 +0000",
        "Attachments: order.pdf",
    ]
    assert "The delivery comes on Friday." in of_kind(parsed.elements, ElementKind.TEXT)
    assert parsed.metadata["from"] == "Ann <ann@example.org>"


async def test_a_pdf_is_for_another_parser(tmp_path: Path) -> None:
    with pytest.raises(ParseError, match="another parser") as caught:
        await parse(tmp_path / "a.pdf", b"%PDF-1.4")
    assert caught.value.reason is ParseFailure.UNSUPPORTED
