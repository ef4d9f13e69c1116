"""What the commands work on: the library, opened for one command and closed after it, whatever comes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from apps.cli.run import fail_clearly, until_done

if TYPE_CHECKING:
    from apps.bootstrap import Library

T = TypeVar("T")


def with_library(work: Callable[[Library], Awaitable[T]], collection: str = "default") -> T:
    """Open what works with every other process down, do the work, and return what it returns.

    `collection` is the name that was given, to be checked first. Errors of Footnote end the command.
    """

    async def run(opened: Library) -> T:
        try:
            return await work(opened)
        finally:
            await opened.aclose()

    with fail_clearly():
        return until_done(run(_open(collection)))


def _open(collection: str) -> Library:
    from apps.bootstrap import open_library
    from apps.settings import check_collection_name, load_settings
    from observability.logs import configure_logs

    check_collection_name(collection)
    settings = load_settings()
    configure_logs("WARNING" if settings.log_level == "INFO" else settings.log_level)
    return open_library(settings)
