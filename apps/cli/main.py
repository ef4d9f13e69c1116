"""The `footnote` command: each command's module is light, and imports what is heavy when it runs."""

from __future__ import annotations

from collections.abc import Callable

import typer

from apps.cli import (
    ask,
    cache,
    collections,
    compact,
    documents,
    evaluation,
    policy,
    rebuild,
    search,
    serve,
    serve_model,
    stack,
    summary,
    sync,
    transfer,
)

app = typer.Typer(
    help="Answers questions from your own documents and says where each sentence came from.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

_STACK: tuple[Callable[..., None], ...] = (stack.up, stack.down, stack.status, stack.doctor)
_LIBRARY: tuple[Callable[..., None], ...] = (
    sync.ingest,
    sync.sync,
    search.search,
    ask.ask,
    transfer.export,
)
_PROCESSES: tuple[Callable[..., None], ...] = (serve.api, serve.worker)

for command in _STACK:
    app.command(rich_help_panel="The stack")(command)
app.command("serve-model", rich_help_panel="The stack")(serve_model.serve_model)
for command in _LIBRARY:
    app.command(rich_help_panel="Documents and questions")(command)
app.command("import", rich_help_panel="Documents and questions")(transfer.import_)
for command in (policy.policy, compact.compact, rebuild.rebuild):
    app.command(rich_help_panel="Documents and questions")(command)
documents.app.command()(summary.summary)
app.add_typer(documents.app, name="documents", rich_help_panel="Documents and questions")
app.add_typer(collections.app, name="collections", rich_help_panel="Documents and questions")
app.add_typer(cache.app, name="cache", rich_help_panel="Documents and questions")
app.add_typer(evaluation.app, name="eval", rich_help_panel="Documents and questions")
for command in _PROCESSES:
    app.command(hidden=True)(command)

if __name__ == "__main__":
    app()
