"""The `footnote` command: each command's module is light, and imports what is heavy when it runs."""

from __future__ import annotations

import typer

from apps.cli import ask, knowledge, serve, stack

app = typer.Typer(
    help="Answers questions from your own documents and says where each sentence came from.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

for command in (stack.up, stack.down, stack.status, stack.doctor):
    app.command(rich_help_panel="The stack")(command)
for command in (knowledge.ingest, knowledge.documents, knowledge.collections, knowledge.search, ask.ask):
    app.command(rich_help_panel="Documents and questions")(command)
for command in (serve.api, serve.worker):
    app.command(hidden=True)(command)

if __name__ == "__main__":
    app()
