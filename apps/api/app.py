"""The FastAPI application: the REST API, and the chat page at the root."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles
from fastapi_offline import FastAPIOffline

from apps.api.errors import handle_errors
from apps.api.middleware import GateMiddleware, RequestMiddleware
from apps.api.routes import answers, collections, conversations, documents, health, jobs
from apps.api.state import Running
from apps.settings import PROJECT_ROOT

_PAGE = PROJECT_ROOT / "apps" / "web" / "dist"
_log = logging.getLogger(__name__)


def create_app(running: Running) -> FastAPI:
    """Return the application around a wired Footnote."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        warming = asyncio.create_task(_warm(running))
        yield
        warming.cancel()
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
    for routes in (health, answers, collections, documents, jobs, conversations):
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
    try:
        await running.library.open_embedder(running.settings.embedding.model).embed(["warm"])
        await running.answering.input_guard.check("warm")
        running.warm.set()
    except Exception:
        _log.exception("a model could not be loaded")
