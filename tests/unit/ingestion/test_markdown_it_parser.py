"""Markdown keeps its headings, lists, tables and code, and what its front matter says."""

from pathlib import Path

import pytest

from contracts import ElementKind, ParsedFile, ParseError, ParseFailure
from ingestion.parsing.markup.markdown_it_parser import MarkdownItParser


async def parse(tmp_path: Path, text: str) -> ParsedFile:
    path = tmp_path / "5f2a9c"
    path.write_text(text, encoding="utf-8")
    return await MarkdownItParser().parse(path, "house rules.md")


async def blocks(tmp_path: Path, text: str) -> list[tuple[str, str]]:
    return [(element.kind.value, element.text) for element in (await parse(tmp_path, text)).elements]


async def test_headings_and_paragraphs(tmp_path: Path) -> None:
    parsed = await parse(
        tmp_path, "# Top *bold* `code`\n\nSee [the page](http://x) and\n**more**.\n\nNext\n----\n\nend\n"
    )
    assert [(e.text, e.level) for e in parsed.elements if e.kind is ElementKind.TITLE] == [
        ("Top bold code", 1),
        ("Next", 2),
    ]
    assert [e.text for e in parsed.elements if e.kind is ElementKind.TEXT] == ["See the page and more.", "end"]
    assert parsed.title == "Top bold code"


async def test_front_matter_is_title_readers_and_metadata(tmp_path: Path) -> None:
    front = 'title: "House rules"\nreaders: [anna, team-b]\ntags: [a, b]\ndate: 2024-05-01\nx: {y: 1}\n'
    parsed = await parse(tmp_path, f"---\n{front}---\n## Noise\n\nQuiet.\n")
    assert parsed.title == "House rules"
    assert parsed.readers == ("anna", "team-b")
    assert parsed.metadata == {"tags": "a, b", "date": "2024-05-01"}
    assert [element.text for element in parsed.elements] == ["Noise", "Quiet."]


async def test_front_matter_in_toml(tmp_path: Path) -> None:
    parsed = await parse(tmp_path, '+++\ntitle = "Rules"\nreaders = "anna, bob"\n+++\nQuiet.\n')
    assert (parsed.title, parsed.readers) == ("Rules", ("anna", "bob"))


async def test_without_front_matter_nobody_is_named(tmp_path: Path) -> None:
    parsed = await parse(tmp_path, "Quiet.\n\n---\n\nreaders: none\n")
    assert parsed.readers is None
    assert parsed.title == "house rules"


@pytest.mark.parametrize(
    "said", ["readers:", "readers: []", "readers: {a: b}", "readers: [1, [2]]", "readers: [a\nx: ]:"]
)
async def test_readers_that_are_not_clear_do_not_open_the_text_to_everyone(said: str, tmp_path: Path) -> None:
    with pytest.raises(ParseError, match="who may read it") as caught:
        await parse(tmp_path, f"---\n{said}\n---\nSecret.\n")
    assert caught.value.reason is ParseFailure.CORRUPT


async def test_a_rule_on_top_is_no_front_matter(tmp_path: Path) -> None:
    assert await blocks(tmp_path, "---\n\nJust text.\n\n---\n\nmore\n") == [("text", "Just text."), ("text", "more")]


async def test_lists_tables_code_and_footnotes(tmp_path: Path) -> None:
    text = """3. three
4. four
   - nested

     on

- [x] done

| Day | Hour |
|---|---|
| Sun \\| day | 8 |

```python
x = 1
```

Said.[^a]

![a diagram](x.png)

Term
: Meaning

[^a]: Not quite.
"""
    assert await blocks(tmp_path, text) == [
        ("list", "3. three"),
        ("list", "4. four"),
        ("list", "  - nested"),
        ("list", "  on"),
        ("list", "- ☑ done"),
        ("table", "| Day | Hour |\n| --- | --- |\n| Sun \\| day | 8 |"),
        ("code", "x = 1"),
        ("text", "Said.[a]"),
        ("image", "a diagram"),
        ("list", "- Term"),
        ("list", "  - Meaning"),
        ("list", "[a] Not quite."),
    ]


async def test_html_inside(tmp_path: Path) -> None:
    parsed = await parse(tmp_path, "a<br>b\n\n<!-- x -->\n\n<div hidden>secret</div>\n\n<ul><li>item</ul>\n")
    assert [(e.text, e.hidden) for e in parsed.elements] == [("a\nb", False), ("secret", True), ("- item", False)]


async def test_a_rule_under_a_long_block_makes_no_heading_of_it(tmp_path: Path) -> None:
    short, long = "Opening\nhours\n---\n\n", "Tea 2.00\nCake 3.50\nSoup 4.20\n---\n"
    assert [(e.kind.value, e.text) for e in (await parse(tmp_path, short + long)).elements] == [
        ("title", "Opening hours"),
        ("text", "Tea 2.00 Cake 3.50 Soup 4.20"),
    ]


@pytest.mark.parametrize("mark", ["> ", "- "])
async def test_nesting_that_would_lose_text_is_an_error(mark: str, tmp_path: Path) -> None:
    assert "deep" in (await parse(tmp_path, mark * 30 + "deep\n")).elements[-1].text
    with pytest.raises(ParseError, match="nests") as caught:
        await parse(tmp_path, mark * 3000 + "deep\n")
    assert caught.value.reason is ParseFailure.CORRUPT


async def test_nothing_below_the_front_matter_is_empty(tmp_path: Path) -> None:
    with pytest.raises(ParseError) as caught:
        await parse(tmp_path, "---\ntags: a\n---\n")
    assert caught.value.reason is ParseFailure.EMPTY
