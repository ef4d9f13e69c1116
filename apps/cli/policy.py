"""`footnote policy`: what watches over a collection, and whether its policy file can be understood."""

from __future__ import annotations

from typing import Annotated

import typer

from apps.cli.output import JsonOption, print_json, table
from apps.cli.run import fail_clearly


def policy(
    collection: Annotated[str, typer.Argument(help="The collection's name.")] = "default", as_json: JsonOption = False
) -> None:
    """Show the rules that watch over a COLLECTION's questions, passages and answers, and where they can be changed.

    Exits with 1 when a policy file cannot be understood; until it is mended the collection answers nothing.

    Example: footnote policy contracts
    """
    from apps.composing import policy_rows
    from apps.settings import check_collection_name, load_settings

    with fail_clearly():
        settings = load_settings()
        rows = policy_rows(settings, check_collection_name(collection))
    if as_json:
        print_json(rows)
        return
    table(("stage", "rule", "on_fail", "options"), rows)
    typer.secho(f"\nTo change it: {settings.policies_dir / f'{collection}.yaml'}", dim=True)
