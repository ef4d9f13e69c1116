"""Steps, as a person sees them."""

import io

from rich.console import Console

from apps.cli.progress import Steps


def shown(*, terminal: bool) -> str:
    """Return what two steps print: one within the live list, one after it."""
    output = io.StringIO()
    steps = Steps(Console(file=output, force_terminal=terminal, no_color=True, width=80))
    with steps:
        steps.begin("redis", "starting")
        steps.end("redis", "ready")
    steps.begin("documents", "ingesting")
    steps.end("documents", "ingested")
    return output.getvalue()


def test_without_a_terminal_each_event_is_a_plain_line() -> None:
    lines = shown(terminal=False).splitlines()
    assert [line.split()[:2] for line in lines] == [
        ["redis", "starting"],
        ["redis", "ready"],
        ["documents", "ingesting"],
        ["documents", "ingested"],
    ]
    assert lines[1].endswith(" s")


def test_on_a_terminal_the_list_ends_with_a_mark_and_later_steps_are_lines() -> None:
    text = shown(terminal=True)
    assert "✓" in text
    assert text.splitlines()[-2].endswith("ingesting ...")
