"""The FastAPI application: the REST API, and the chat page at the root."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from fastapi import FastAPI
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles
from fastapi_offline import FastAPIOffline

from apps.api.errors import handle_errors
from apps.api.middleware import GateMiddleware, RequestMiddleware
from apps.api.routes import answers, cache, collections, conversations, documents, health, jobs, openai, summaries
from apps.api.state import Running
from apps.composing_summaries import open_prompt_registry, shown_prompts
from apps.prompt_registration import register_prompts
from apps.settings import PROJECT_ROOT
from contracts import Collection

_PAGE = PROJECT_ROOT / "apps" / "web" / "dist"
_FOLLOW_EVERY_S = 1.0
_log = logging.getLogger(__name__)


def create_app(running: Running) -> FastAPI:
    """Return the application around a wired Footnote."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        background = [asyncio.create_task(work(running)) for work in (_warm, _follow, _register)]
        yield
        for task in background:
            task.cancel()
        await asyncio.gather(*background, return_exceptions=True)
        await running.close()

    app = FastAPIOffline(  # its pages under /docs load nothing from elsewhere
        redoc_url=None,
        title="Footnote",
        version="0.1.0",
        summary="Answers from your own documents, each sentence with its source.",
        lifespan=lifespan,
    )
    app.state.running = running
    app.add_middleware(GZipMiddleware, minimum_size=1024)
    api = running.settings.api
    app.add_middleware(GateMiddleware, hosts=[api.host, *api.allowed_hosts], max_upload_mb=api.max_upload_mb)
    app.add_middleware(RequestMiddleware, observe=running.metrics.request)
    for routes in (health, answers, cache, collections, documents, jobs, conversations, summaries, openai):
        app.include_router(routes.router)
    handle_errors(app)
    if _PAGE.exists():
        app.mount("/assets", StaticFiles(directory=_PAGE / "assets"), name="assets")
        app.get("/", include_in_schema=False)(_page)
    else:
        _log.warning("the chat page is not built; `make install` builds it")
    return app


async def _page() -> FileResponse:
    return FileResponse(_PAGE / "index.html")


async def _warm(running: Running) -> None:
    """Load the models of this process, so that the first question does not wait for them."""
    with _logged("a model could not be loaded"):
        await running.library.open_embedder(running.settings.embedding.model).embed(["warm"])
        await running.answering.policies.guards("default").input.check("warm")
        running.warm.set()


async def _register(running: Running) -> None:
    """Show the prompts in MLflow, after what questions wait for."""
    await running.warm.wait()
    with _logged("the prompts could not be registered"):
        await register_prompts(open_prompt_registry(running.settings), shown_prompts(running.settings))


async def _follow(running: Running) -> None:
    """Open the search views of every collection and let them follow the catalog, so that no search waits for either."""
    library = running.library
    await running.warm.wait()
    collections: tuple[Collection, ...] = ()
    with _logged("the collections could not be listed"):
        collections = await library.collections.list()
    for collection in collections:
        with _logged(f"the search views of {collection.name!r} could not be opened"):
            embedder = library.open_embedder(collection.embedder)
            await embedder.embed(["warm"])  # loads it on its own thread: to ask for its dimension would do it here
            await library.views.open(collection.name, embedder)
    while True:
        await asyncio.sleep(_FOLLOW_EVERY_S)
        with _logged("the search views could not be brought up to date"):
            for name in library.views.collections:
                if await library.collections.settings(name) is None:
                    await library.views.close(name)
                    library.remove_views(name)
            await library.views.follow()


@contextmanager
def _logged(what: str) -> Iterator[None]:
    """Log what fails and go on, also where native code panics, which is no `Exception`."""
    try:
        yield
    except (asyncio.CancelledError, KeyboardInterrupt, SystemExit):
        raise
    except BaseException:
        _log.exception(what)
