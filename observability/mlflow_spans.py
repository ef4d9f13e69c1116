"""Sends spans to an MLflow server's OTLP endpoint, into an experiment that is looked up by name or created."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import httpx
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.trace import ReadableSpan

from observability.span_queue import SpansRejectedError

EXPERIMENT_HEADER = "x-mlflow-experiment-id"
_REFUSED = (400, 413, 422)  # the request itself is at fault; any other failure may pass


class MlflowAwayError(Exception):
    """The MLflow server is away, or cannot take traces now."""


class MlflowSpanSender:
    """Sends batches of spans; every call blocks, so it belongs in a background thread.

    The experiment is found at the first batch and again after a failure, so that a server which comes up later,
    or comes back with another database, needs no restart here.
    """

    def __init__(
        self,
        url: str,
        experiment: str,
        *,
        timeout_s: float = 10.0,
        heeds_proxy: bool = True,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._url = url.rstrip("/")
        self._experiment = experiment
        self._experiment_id: str | None = None
        timeout = httpx.Timeout(timeout_s, connect=min(timeout_s, 1.0))
        self._client = httpx.Client(timeout=timeout, transport=transport, trust_env=heeds_proxy)

    def send(self, spans: Sequence[ReadableSpan]) -> None:
        """Store the spans. Raises SpansRejectedError, or MlflowAwayError when a later try may work."""
        body = _encode(spans)
        try:
            if self._experiment_id is None:
                self._experiment_id = self._find_experiment()
            headers = {"content-type": "application/x-protobuf", EXPERIMENT_HEADER: self._experiment_id}
            response = self._client.post(f"{self._url}/v1/traces", content=body, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL) as exc:
            raise self._away(str(exc) or type(exc).__name__) from exc
        if response.status_code in _REFUSED:
            raise SpansRejectedError(_reason(response))
        if not response.is_success:
            raise self._away(_reason(response))

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _away(self, reason: str) -> MlflowAwayError:
        self._experiment_id = None
        return MlflowAwayError(f"MLflow at {self._url} did not take traces: {reason}")

    def _find_experiment(self) -> str:
        found = self._api("GET", "get-by-name", params={"experiment_name": self._experiment})
        if found.status_code == 404:
            created = self._api("POST", "create", json={"name": self._experiment})
            if created.is_success:
                return str(created.json()["experiment_id"])
            # Another process may have created it in between.
            found = self._api("GET", "get-by-name", params={"experiment_name": self._experiment})
        if not found.is_success:
            raise self._away(_reason(found))
        experiment = found.json()["experiment"]
        if experiment["lifecycle_stage"] != "active":
            raise self._away(f"the experiment {self._experiment!r} was deleted; restore it or name another one")
        return str(experiment["experiment_id"])

    def _api(self, method: str, call: str, **arguments: Any) -> httpx.Response:
        return self._client.request(method, f"{self._url}/api/2.0/mlflow/experiments/{call}", **arguments)


def _encode(spans: Sequence[ReadableSpan]) -> bytes:
    try:
        return bytes(encode_spans(spans).SerializeToString())
    except Exception as exc:  # protobuf and the encoder raise many kinds; a span that cannot be written never can
        raise SpansRejectedError(str(exc)) from exc


def _reason(response: httpx.Response) -> str:
    return f"HTTP {response.status_code} {response.text[:200]}"
