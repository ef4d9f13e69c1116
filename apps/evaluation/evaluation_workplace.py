"""Where a corpus is indexed to be searched: a data folder of its own, apart from the user's documents."""

from __future__ import annotations

import shutil
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from apps.evaluation.corpus_index import index_key
from apps.settings import CatalogSettings, Settings
from contracts import StoreUnavailableError

if TYPE_CHECKING:
    from apps.bootstrap import Library


@dataclass(frozen=True, slots=True)
class Workplace:
    """A library in `folder` as the settings say, but for the reranker, and the same with it, where there is one."""

    folder: Path
    plain: Library
    reranking: Library | None


@asynccontextmanager
async def open_workplace(opened: Library, corpus: str, *, fresh: bool = False) -> AsyncGenerator[Workplace]:
    """Open the place for a corpus, given its digest; `fresh` clears it before. Raises StoreUnavailableError."""
    from apps.bootstrap import open_library

    folder = opened.settings.data_dir / "evaluation" / index_key(opened.indexing, corpus)
    if fresh and folder.exists():
        _clear(folder)
    settings = opened.settings.model_copy(update={"data_dir": folder, "catalog": CatalogSettings()})
    async with AsyncExitStack() as cleanup:
        plain = open_library(_without_reranker(settings))
        cleanup.push_async_callback(plain.aclose)
        reranking = None
        if settings.retrieval.reranker:
            reranking = open_library(settings)
            cleanup.push_async_callback(reranking.aclose)
        yield Workplace(folder, plain, reranking)


def _without_reranker(settings: Settings) -> Settings:
    return settings.model_copy(update={"retrieval": settings.retrieval.model_copy(update={"reranker": ""})})


def _clear(folder: Path) -> None:
    try:
        shutil.rmtree(folder)
    except OSError as exc:
        raise StoreUnavailableError(f"The folder {str(folder)!r} cannot be cleared: {exc}.") from exc
