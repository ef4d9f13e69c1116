"""Prometheus metrics of one process."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from contracts import Usage

STAGES = ("guard", "cache", "embed", "retrieve", "prompt", "generate", "output_guard")
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


class Metrics:
    """Counters and histograms with a registry of their own, so that two applications never share figures."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        self._requests = Counter(
            "footnote_requests", "HTTP requests.", ("route", "method", "status"), registry=registry
        )
        self._request_seconds = Histogram(
            "footnote_request_seconds",
            "Time to the end of a response.",
            ("route",),
            buckets=_SECONDS,
            registry=registry,
        )
        self._stage_seconds = Histogram(
            "footnote_stage_seconds", "Time of a stage of answering.", ("stage",), buckets=_SECONDS, registry=registry
        )
        self._cache = Counter("footnote_cache", "Answer cache outcomes.", ("outcome",), registry=registry)
        self._guards = Counter("footnote_guard", "Guard verdicts.", ("guard", "verdict"), registry=registry)
        self._abstentions = Counter("footnote_abstentions", "Answers that abstained.", registry=registry)
        self._tokens = Counter("footnote_tokens", "Tokens of the language model.", ("direction",), registry=registry)
        self._dropped = Counter("footnote_dropped_spans", "Spans of traces that were lost.", registry=registry)
        for stage in STAGES:
            self._stage_seconds.labels(stage)  # a stage that never ran shows as 0, not as missing

    def request(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count a response. `route` is the template, as in ``/v1/jobs/{id}``: a raw path would be a series each."""
        self._requests.labels(route, method, str(status)).inc()
        self._request_seconds.labels(route).observe(seconds)

    def stage(self, stage: str, seconds: float) -> None:
        """Record how long a stage took."""
        self._stage_seconds.labels(stage).observe(seconds)

    def cache(self, outcome: str) -> None:
        """Count a lookup in the answer cache: exact, miss, off, …"""
        self._cache.labels(outcome).inc()

    def guard(self, guard: str, verdict: str) -> None:
        """Count the verdict (passed, redacted, blocked) of a guard (input, output)."""
        self._guards.labels(guard, verdict).inc()

    def abstention(self) -> None:
        """Count an answer that says that it does not know."""
        self._abstentions.inc()

    def tokens(self, usage: Usage) -> None:
        """Count the tokens of a call to the language model."""
        self._tokens.labels("in").inc(usage.prompt_tokens)
        self._tokens.labels("out").inc(usage.completion_tokens)

    def dropped_spans(self, count: int) -> None:
        """Count spans that were lost; made to be MlflowTracer's `on_drop`."""
        self._dropped.inc(count)

    def render(self) -> tuple[bytes, str]:
        """Return the metrics in Prometheus' text format and its content type."""
        return generate_latest(self._registry), CONTENT_TYPE_LATEST
