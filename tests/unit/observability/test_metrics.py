"""What Prometheus will read."""

from contracts import Usage
from observability.metrics import Metrics


def lines(metrics: Metrics) -> list[str]:
    body, _ = metrics.render()
    return body.decode().splitlines()


def test_each_event_is_counted_under_its_labels() -> None:
    metrics = Metrics()
    metrics.request("/v1/query", "POST", 200, 0.2)
    metrics.stage("generate", 1.5)
    metrics.cache("exact")
    metrics.guard("input", "blocked")
    metrics.abstention()
    metrics.tokens(Usage(120, 30))
    metrics.dropped_spans(3)
    assert {
        'footnote_requests_total{method="POST",route="/v1/query",status="200"} 1.0',
        'footnote_request_seconds_count{route="/v1/query"} 1.0',
        'footnote_stage_seconds_sum{stage="generate"} 1.5',
        'footnote_cache_total{outcome="exact"} 1.0',
        'footnote_guard_total{guard="input",verdict="blocked"} 1.0',
        "footnote_abstentions_total 1.0",
        'footnote_tokens_total{direction="in"} 120.0',
        'footnote_tokens_total{direction="out"} 30.0',
        "footnote_dropped_spans_total 3.0",
    } <= set(lines(metrics))


def test_every_stage_shows_before_it_ran() -> None:
    counts = [line for line in lines(Metrics()) if line.startswith("footnote_stage_seconds_count")]
    assert len(counts) == 7
    assert all(line.endswith(" 0.0") for line in counts)


def test_two_applications_do_not_share_figures() -> None:
    first, second = Metrics(), Metrics()
    first.abstention()
    assert "footnote_abstentions_total 0.0" in lines(second)


def test_the_content_type_is_prometheus_text() -> None:
    _, content_type = Metrics().render()
    assert content_type.startswith("text/plain; version=")
