"""vLLM as a child process."""

from __future__ import annotations

from http.client import HTTPConnection, HTTPException
from ipaddress import ip_address
from pathlib import Path

from contracts import ConfigurationError, Service
from serving.machine import Machine
from serving.model_memory import MemoryPlan
from serving.model_store import StoredModel
from serving.vllm_flags import ServerFlags, vllm_argv, vllm_environment
from serving.vllm_log import told_cause

_START_TIMEOUT_S = 1800.0  # weights of 100 GB from a slow disk
_PROBE_TIMEOUT_S = 2.0
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}


def vllm_service(
    model: StoredModel, flags: ServerFlags, plan: MemoryPlan, machine: Machine, *, python: Path, api_key: str = ""
) -> Service:
    """Return the server of `model`. `python` is that of vLLM's own environment. Raises ConfigurationError when it would
    listen to others without a key."""
    check_exposure(flags.host, api_key)
    host = _EVERYWHERE.get(flags.host, flags.host)
    return Service(
        "model server",
        vllm_argv(model.source, flags, plan, machine, python=python),
        vllm_environment(machine, api_key=api_key, offline=not flags.extra),
        lambda: _healthy(host, flags.port),
        f"http://{f'[{host}]' if ':' in host else host}:{flags.port}/v1",
        _START_TIMEOUT_S,
        told_cause,
    )


def check_exposure(host: str, api_key: str) -> None:
    """Raise ConfigurationError when a server at `host` can be reached from other machines and has no key."""
    if not api_key and not _is_loopback(host):
        raise ConfigurationError(
            f"At {host!r} the model server would answer anyone who reaches this machine: set a key, "
            "FOOTNOTE_SERVING__API_KEY, or listen at 127.0.0.1"
        )


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _healthy(host: str, port: int) -> bool:
    connection = HTTPConnection(host, port, timeout=_PROBE_TIMEOUT_S)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
