"""Which child processes a stack needs, as the settings say; a part that runs elsewhere is left out."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import TYPE_CHECKING

from apps.settings import PROJECT_ROOT, Settings
from contracts import ConfigurationError, Service

if TYPE_CHECKING:
    from serving.machine import Machine
    from serving.model_memory import MemoryPlan, Wishes
    from serving.model_store import FoundModel
    from serving.vllm_flags import ServerFlags

_PROBE_TIMEOUT_S = 2.0
_INT8 = "int8"  # done by us, for vLLM quantises so only what is a mixture of experts


def model_python() -> Path:
    """Return the Python of the model server's environment."""
    return PROJECT_ROOT / ".venv-model" / "bin" / "python"


def redis_binary() -> Path | None:
    """Return the Redis server that an embedded cache would run, if there is one."""
    from cache.redis_server import find_redis_binary

    return find_redis_binary()


@dataclass(frozen=True, slots=True)
class ModelServer:
    """A model server that can be started once its model is made ready: what was found out before anything is loaded."""

    found: FoundModel
    memory: MemoryPlan
    flags: ServerFlags
    machine: Machine

    def service(self, folder: str, api_key: str) -> Service:
        """Return the child process that serves the model in `folder`. Raises ConfigurationError."""
        from serving.model_store import StoredModel
        from serving.vllm_server import vllm_service

        model = StoredModel(folder)
        return vllm_service(model, self.flags, self.memory, self.machine, python=model_python(), api_key=api_key)


async def plan_model_server(settings: Settings) -> ModelServer:
    """Return the model server that the settings ask for, fitted to this machine; nothing is loaded or converted.

    Raises ConfigurationError when it cannot be run as asked, as when it does not fit the memory, and
    ModelUnavailableError when the model cannot be found.
    """
    from serving.machine import this_machine
    from serving.model_memory import plan_memory
    from serving.model_store import shape_of_found
    from serving.vllm_server import check_exposure

    serving = settings.serving
    check_exposure(serving.host, serving.api_key.get_secret_value())
    if not model_python().exists():
        raise ConfigurationError(
            "There is no model server: run `make install`, or name a running one: FOOTNOTE_SERVING__BASE_URL"
        )
    found = _find_model(settings)
    machine = this_machine()
    memory = plan_memory(await shape_of_found(found, python=model_python()), machine, _wishes(settings))
    return ModelServer(found, memory, _flags(settings, on_gpu=bool(machine.gpus)), machine)


async def model_service(settings: Settings, tell: Callable[[str], None] = lambda doing: None) -> Service:
    """Return the model server, with its model ready to be loaded: the first time that takes half a minute or more.

    `tell` hears what is done meanwhile. Raises ConfigurationError or ModelUnavailableError.
    """
    from serving.model_store import make_int8, make_ready

    planned = await plan_model_server(settings)
    model = await make_ready(planned.found, python=model_python(), tell=tell)
    if settings.serving.quantization == _INT8:
        model = await make_int8(model, models_dir=settings.data_dir / "models", python=model_python(), tell=tell)
    return planned.service(model.source, settings.serving.api_key.get_secret_value())


def model_fits(settings: Settings, *, free: bool = True) -> tuple[str, int]:
    """Return what the model takes, in words and in bytes of the CPU's memory, without asking a hub; nothing where the
    memory is not `free` because it is loaded. Raises ConfigurationError when there is no such model or it does not fit.
    """
    from serving.machine import this_machine
    from serving.model_memory import CPU_RUNTIME, plan_memory
    from serving.model_store import local_shape

    found = _find_model(settings)
    shape = local_shape(found)
    if not free:
        return "", 0
    if shape is None:
        return "its size is not known before it is downloaded" if found.hub_id else "", CPU_RUNTIME
    machine = this_machine()
    plan = plan_memory(shape, machine, _wishes(settings))
    return plan.sentence(), CPU_RUNTIME if machine.gpus else plan.total


def available_memory() -> int:
    """Return the bytes that new processes can take; a container's own limit counts."""
    from serving.machine import available_memory as left

    return left()


def model_on_gpu() -> bool:
    """Return whether a model server of ours computes on a GPU."""
    from serving.machine import nvidia_gpus

    return bool(nvidia_gpus())


def _find_model(settings: Settings) -> FoundModel:
    from serving.model_store import find_model

    return find_model(settings.serving.model, models_dir=settings.data_dir / "models", python=model_python())


def _wishes(settings: Settings) -> Wishes:
    from serving.model_memory import Wishes

    serving = settings.serving
    return Wishes(
        serving.context_tokens,
        kv_cache_gb=serving.kv_cache_gb,
        tensor_parallel=serving.tensor_parallel,
        gpu_fraction=serving.gpu_fraction,
        quantization=serving.quantization,
    )


def _flags(settings: Settings, *, on_gpu: bool) -> ServerFlags:
    from serving.vllm_flags import ServerFlags

    serving = settings.serving
    return ServerFlags(
        settings.model_name,
        host=serving.host,
        port=serving.port,
        context_tokens=serving.context_tokens,
        eager=serving.eager if serving.eager is not None else not on_gpu,
        max_sequences=serving.max_sequences,
        quantization="" if serving.quantization == _INT8 else serving.quantization,
        kv_cache_gb=serving.kv_cache_gb,
        extra=tuple(serving.server_arguments),
    )


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
