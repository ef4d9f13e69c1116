"""vLLM with the packaged model, or a stand-in, started for a benchmark, and what it counts."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

from apps.services import model_service
from apps.settings import ServingSettings, Settings
from tests.benchmarks.bench_answering import process
from tests.benchmarks.fake_model_server import MODEL
from tests.running_stack import free_ports


@dataclass(frozen=True, slots=True)
class Engine:
    """A model server that runs, and the name of its model."""

    port: int
    model: str

    @property
    def url(self) -> str:
        """Its address for clients of OpenAI's protocol."""
        return f"http://127.0.0.1:{self.port}/v1"

    def counted(self, name: str) -> float:
        """Return a metric of it, of all its series together; 0 where it has none."""
        return sum(
            float(line.rsplit(" ", 1)[1])
            for line in self._asked("GET", "/metrics").splitlines()
            if line.startswith((f"{name}{{", f"{name} "))
        )

    def forget(self) -> None:
        """Empty its prefix cache; it has to run with VLLM_SERVER_DEV_MODE=1."""
        self._asked("POST", "/reset_prefix_cache")

    def _asked(self, method: str, path: str) -> str:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path)
            response = connection.getresponse()
            said = response.read().decode()
            if response.status != 200:
                raise SystemExit(f"{method} {path}: HTTP {response.status} {said}")
            return said
        finally:
            connection.close()


@contextmanager
def vllm_engine(
    data: Path, *, kv_cache_gb: int, flags: Sequence[str], env: Mapping[str, str] | None = None
) -> Iterator[Engine]:
    """Start vLLM as `footnote up` does, with further flags, and end it; `data` is the folder whose `models` hold the
    packaged model, or where it is converted to."""
    (port,) = free_ports(1)
    serving = ServingSettings(port=port, kv_cache_gb=kv_cache_gb)
    settings = Settings(data_dir=data, serving=serving)
    service = asyncio.run(model_service(settings))
    with process([*service.argv, *flags], {**service.env, **(env or {})}, port, "/health", service.ready):
        yield Engine(port, settings.model_name)


@contextmanager
def fake_engine(pace_ms: float) -> Iterator[Engine]:
    """Start the stand-in for a model server."""
    (port,) = free_ports(1)
    fake = [sys.executable, "-m", "tests.benchmarks.fake_model_server", port, pace_ms]
    with process(fake, {}, port, "/v1/models"):
        yield Engine(port, MODEL)
