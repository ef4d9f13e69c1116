"""Records ingestions and evaluations as MLflow runs with parameters and metrics."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from mlflow import MlflowClient

log = logging.getLogger(__name__)

CONNECT_TIMEOUT_S = 0.5


@dataclass(frozen=True, slots=True)
class RecordedRun:
    """A run as MemoryRunLog keeps it."""

    name: str
    params: Mapping[str, str]
    metrics: Mapping[str, float]
    files: tuple[Path, ...] = ()


class MemoryRunLog:
    """Keeps runs in memory: ``log.runs``."""

    def __init__(self) -> None:
        self.runs: list[RecordedRun] = []

    async def record(
        self, name: str, params: Mapping[str, str], metrics: Mapping[str, float], files: Sequence[Path] = ()
    ) -> bool:
        """Store one finished run; return True."""
        self.runs.append(RecordedRun(name, dict(params), dict(metrics), tuple(files)))
        return True


class MlflowRunLog:
    """Stores runs in MLflow's experiment `experiment`; an absent server costs milliseconds and one log line."""

    def __init__(self, url: str, experiment: str, *, timeout_s: int = 5) -> None:
        self._url = url.rstrip("/")
        self._experiment = experiment
        self._timeout_s = timeout_s

    async def record(
        self, name: str, params: Mapping[str, str], metrics: Mapping[str, float], files: Sequence[Path] = ()
    ) -> bool:
        """Store one finished run with its files, in a thread: the first one imports mlflow, which takes seconds. Return
        whether all of it was stored."""
        try:
            await asyncio.to_thread(self._record, name, params, metrics, files)
        except Exception as exc:  # mlflow raises its own, requests' and urllib3's errors; none may fail an ingestion
            log.info("The run %r was not recorded in MLflow at %s: %s", name, self._url, exc)
            return False
        return True

    def _record(
        self, name: str, params: Mapping[str, str], metrics: Mapping[str, float], files: Sequence[Path]
    ) -> None:
        self._check_listening()
        client = self._client()
        run_id = client.create_run(self._experiment_id(client), run_name=name).info.run_id
        try:
            self._fill(client, run_id, params, metrics)
            for file in files:
                client.log_artifact(run_id, str(file))
        except Exception:
            client.set_terminated(run_id, status="FAILED")
            raise
        client.set_terminated(run_id)

    def _check_listening(self) -> None:
        address = urlsplit(self._url)
        port = address.port or (443 if address.scheme == "https" else 80)
        socket.create_connection((address.hostname or "", port), timeout=CONNECT_TIMEOUT_S).close()

    def _client(self) -> MlflowClient:
        # mlflow takes these from the environment alone; its defaults would wait minutes for a stuck server.
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", str(self._timeout_s))
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")  # a command's output is its own
        from mlflow import MlflowClient

        return MlflowClient(self._url)

    def _experiment_id(self, client: MlflowClient) -> str:
        from mlflow.exceptions import MlflowException

        found = client.get_experiment_by_name(self._experiment)
        if found is None:
            try:
                return str(client.create_experiment(self._experiment))
            except MlflowException:
                # Another process may have created it in between.
                found = client.get_experiment_by_name(self._experiment)
                if found is None:
                    raise
        return str(found.experiment_id)

    def _fill(self, client: MlflowClient, run_id: str, params: Mapping[str, str], metrics: Mapping[str, float]) -> None:
        from mlflow.entities import Metric, Param

        now = int(time.time() * 1000)
        client.log_batch(
            run_id,
            metrics=[Metric(key, float(value), now, 0) for key, value in metrics.items()],
            params=[Param(key, str(value)) for key, value in params.items()],
        )
