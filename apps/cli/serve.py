"""`footnote api` and `footnote worker`: the long-running processes of the stack."""

from __future__ import annotations

from apps.cli.run import fail_clearly


def api() -> None:
    """Serve the REST API and the chat page."""
    import uvicorn

    from apps.api.app import create_app
    from apps.api.state import start
    from apps.settings import load_settings
    from observability.logs import configure_logs

    with fail_clearly():
        settings = load_settings()
        configure_logs(settings.log_level)
        app = create_app(start(settings))
    uvicorn.run(
        app,
        host=settings.api.host,
        port=settings.api.port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=5,
    )


def worker() -> None:
    """Run the ingestion jobs that uploads make."""
    import asyncio
    import signal

    from apps.bootstrap import open_library
    from apps.settings import load_settings
    from apps.worker import Worker
    from observability.logs import configure_logs

    async def run() -> None:
        stop = asyncio.Event()
        for name in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(name, stop.set)
        library = open_library(settings)
        await library.open_embedder(settings.embedding.model).embed(["warm"])
        ready = settings.data_dir / "run" / "worker.ready"
        ready.parent.mkdir(parents=True, exist_ok=True)
        ready.touch()
        try:
            uploads = settings.data_dir / "uploads"
            await Worker(library.jobs, library.indexing, uploads, library.housekeeping.sweep).run(stop)
        finally:
            ready.unlink(missing_ok=True)
            await library.aclose()

    with fail_clearly():
        settings = load_settings()
        configure_logs(settings.log_level)
        asyncio.run(run())
