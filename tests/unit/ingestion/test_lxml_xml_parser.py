"""XML: articles keep their structure, feeds their entries, data its names; bombs are defused."""

from pathlib import Path

import pytest

from contracts import ParsedFile, ParseError, ParseFailure
from ingestion.parsing.markup.lxml_xml_parser import LxmlXmlParser

LAUGHS = "".join(f'<!ENTITY {chr(98 + i)} "{f"&{chr(97 + i)};" * 10}">' for i in range(9))


async def parse(tmp_path: Path, text: str | bytes) -> ParsedFile:
    path = tmp_path / "5f2a9c"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return await LxmlXmlParser().parse(path, "file.xml")


async def blocks(tmp_path: Path, text: str) -> list[tuple[str, int, str]]:
    return [(e.kind.value, e.level, e.text) for e in (await parse(tmp_path, text)).elements]


async def test_a_journal_article(tmp_path: Path) -> None:
    text = """<?xml version="1.0"?><!DOCTYPE article PUBLIC "-//NLM//DTD JATS//EN" "JATS.dtd"><article><front>
      <journal-meta><journal-id>X1</journal-id></journal-meta><article-meta><article-id>10.1/2</article-id>
      <title-group><article-title>On <italic>foxes</italic></article-title></title-group>
      <contrib-group><contrib><name><surname>Berg</surname><given-names>Ann</given-names></name></contrib>
      <contrib><name><surname>Weber</surname><given-names>Bo</given-names></name></contrib></contrib-group>
      <abstract><p>They jump.</p></abstract></article-meta></front><body><sec><label>1.</label><title>Methods</title>
      <p>We watched&nbsp;them.</p><sec><title>Places</title><list list-type="order"><list-item><p>Ulm</p></list-item>
      </list></sec></sec><table-wrap><label>Table 1</label><caption><title>Counts</title></caption><table><tr><th>A</th>
      <th>B</th></tr><tr><td>1</td><td>2</td></tr></table></table-wrap></body></article>"""
    parsed = await parse(tmp_path, text)
    assert parsed.title == "On foxes"
    assert [(e.kind.value, e.level, e.text) for e in parsed.elements] == [
        ("title", 1, "On foxes"),
        ("text", 1, "Ann Berg, Bo Weber"),
        ("title", 2, "Abstract"),
        ("text", 1, "They jump."),
        ("title", 2, "1. Methods"),
        ("text", 1, "We watched them."),
        ("title", 3, "Places"),
        ("list", 1, "1. Ulm"),
        ("text", 1, "Table 1"),
        ("text", 1, "Counts"),
        ("table", 1, "| A | B |\n| --- | --- |\n| 1 | 2 |"),
    ]


async def test_docbook(tmp_path: Path) -> None:
    text = """<book xmlns="http://docbook.org/ns/docbook"><title>Manual</title><chapter><title>Start</title>
      <para>Press <guibutton>On</guibutton>.</para><itemizedlist><listitem><para>one</para></listitem></itemizedlist>
      <programlisting>run()
now</programlisting><informaltable><tgroup cols="2"><tbody><row><entry>a</entry><entry>b</entry></row>
      <row><entry>1</entry><entry>2</entry></row></tbody></tgroup></informaltable></chapter></book>"""
    assert await blocks(tmp_path, text) == [
        ("title", 1, "Manual"),
        ("title", 2, "Start"),
        ("text", 1, "Press On."),
        ("list", 1, "- one"),
        ("code", 1, "run()\nnow"),
        ("table", 1, "| a | b |\n| --- | --- |\n| 1 | 2 |"),
    ]


async def test_data_is_lines_and_tables(tmp_path: Path) -> None:
    text = """<shop name="Berg"><open>9-17</open><item id="1"><name>Lamp</name></item>
      <item id="2"><name>Chair</name></item></shop>"""
    assert await blocks(tmp_path, text) == [
        ("text", 1, "name: Berg\nopen: 9-17"),
        ("title", 1, "item"),
        ("table", 1, "| id | name |\n| --- | --- |\n| 1 | Lamp |\n| 2 | Chair |"),
    ]


async def test_a_feed(tmp_path: Path) -> None:
    text = """<rss><channel><title>News</title><item><title>Open again</title><pubDate>1 May</pubDate>
      <description>&lt;p&gt;From &lt;b&gt;nine&lt;/b&gt;.&lt;/p&gt;</description></item></channel></rss>"""
    assert await blocks(tmp_path, text) == [
        ("title", 1, "News"),
        ("title", 2, "Open again"),
        ("text", 1, "1 May"),
        ("text", 1, "From nine."),
    ]


async def test_entities_of_the_document_are_text_and_files_are_never_read(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    text = f"""<!DOCTYPE d [<!ENTITY co "ACME"><!ENTITY file SYSTEM "{(tmp_path / "secret").as_uri()}">]>
      <d><by>&co; Ltd</by><x>a&file;b</x></d>"""
    said = (await parse(tmp_path, text)).elements[0].text
    assert said.startswith("by: ACME Ltd\nx: a")
    assert "secret" not in said


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (f'<!DOCTYPE l [<!ENTITY a "ha">{LAUGHS}]><l>&j;</l>', "corrupt"),
        ('<!DOCTYPE l [<!ENTITY a "' + "a" * 100_000 + '">]><l>' + "&a;" * 10_000 + "</l>", "corrupt"),
        ('<!DOCTYPE l [<!ENTITY a "&b;"><!ENTITY b "&a;">]><l>&a;</l>', "corrupt"),
        ("<a>" * 100_000, "corrupt"),
        ("<a><b>text</a>", "corrupt"),
        ("<a><b/></a>", "empty"),
        ("", "empty"),
    ],
    ids=["laughs", "quadratic", "loop", "deep", "broken", "no-text", "nothing"],
)
async def test_bombs_and_broken_files_have_a_reason(text: str, reason: str, tmp_path: Path) -> None:
    with pytest.raises(ParseError, match=r"file\.xml") as caught:
        await parse(tmp_path, text)
    assert caught.value.reason is ParseFailure(reason)


@pytest.mark.parametrize("encoding", ["utf-16", "iso-8859-5"])
async def test_encodings(encoding: str, tmp_path: Path) -> None:
    text = f'<?xml version="1.0" encoding="{encoding}"?><a><b>Гарантия</b></a>'
    assert (await parse(tmp_path, text.encode(encoding))).elements[0].text == "b: Гарантия"
