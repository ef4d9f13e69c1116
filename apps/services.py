"""Which child processes a stack needs, as the settings say; a part that runs elsewhere is left out."""

from __future__ import annotations

import sys
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from apps.settings import PROJECT_ROOT, Settings
from contracts import ConfigurationError, Service

_PROBE_TIMEOUT_S = 2.0


def model_python() -> Path:
    """Return the Python of the model server's environment."""
    return PROJECT_ROOT / ".venv-model" / "bin" / "python"


def redis_binary() -> Path | None:
    """Return the Redis server that an embedded cache would run, if there is one."""
    from cache.redis_server import find_redis_binary

    return find_redis_binary()


def model_problem(settings: Settings) -> str:
    """Return what is wrong with the model that the settings name, or nothing."""
    from serving.model_store import check_model

    try:
        check_model(settings.serving.model)
    except ConfigurationError as exc:
        return str(exc)
    return ""


async def model_service(settings: Settings) -> Service:
    """Return the model server, with its model ready to be loaded: the first time that takes half a minute.

    Raises ConfigurationError or ModelUnavailableError.
    """
    from serving.model_store import obtain_model
    from serving.vllm_server import vllm_service

    serving = settings.serving
    if not model_python().exists():
        raise ConfigurationError(
            "There is no model server: run `make install`, or name a running one: FOOTNOTE_SERVING__BASE_URL"
        )
    model = await obtain_model(serving.model, models_dir=settings.data_dir / "models", python=model_python())
    return vllm_service(
        model,
        settings.model_name,
        python=model_python(),
        host=serving.host,
        port=serving.port,
        context_tokens=serving.context_tokens,
        kv_cache_gb=serving.kv_cache_gb,
        eager=serving.eager,
        gpu=model_on_gpu(),
        api_key=serving.api_key.get_secret_value(),
    )


def model_on_gpu() -> bool:
    """Return whether a model server of ours computes on a GPU."""
    from serving.vllm_server import has_nvidia_gpu

    return has_nvidia_gpu()


def store_services(settings: Settings) -> tuple[Service, ...]:
    """Return the cache and the trace store, where they are ours to run. Raises ConfigurationError."""
    from cache.redis_server import redis_service
    from observability.mlflow_server import mlflow_service

    services = []
    if settings.cache.enabled and not settings.cache.url:
        services.append(redis_service(settings.redis_socket, max_memory_mb=settings.cache.max_memory_mb))
    watch = settings.observability
    if not watch.mlflow_url:
        folder = settings.data_dir / "mlflow"
        services.append(mlflow_service(folder, python=Path(sys.executable), host=watch.host, port=watch.port))
    return tuple(services)


def footnote_services(settings: Settings) -> tuple[Service, ...]:
    """Return the API and the ingestion worker: this very command in other roles."""
    host, port = settings.api.host, settings.api.port
    alive = settings.data_dir / "run" / "worker.ready"
    alive.unlink(missing_ok=True)
    env = computing_environment(settings)
    return (
        Service("api", footnote_command("api"), env, lambda: _alive(host, port), f"http://{host}:{port}", 180.0),
        Service("worker", footnote_command("worker"), env, alive.exists, "", 180.0),
    )


def computing_environment(settings: Settings) -> dict[str, str]:
    """Return what keeps the numeric libraries of one process from taking every core, each for itself."""
    threads = str(settings.embedding.threads)
    return {"OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads, "TOKENIZERS_PARALLELISM": "false"}


def footnote_command(*arguments: str) -> tuple[str, ...]:
    """Return the argument vector of a `footnote` command in this environment."""
    return (sys.executable, "-m", "apps.cli.main", *arguments)


def _alive(host: str, port: int) -> bool:
    connection = HTTPConnection(host, port, timeout=_PROBE_TIMEOUT_S)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
