"""What a trace of seven spans costs the request: MlflowTracer against MLflow's own asynchronous logging.

Run by hand with an MLflow server at hand: ``python tests/benchmarks/bench_tracing.py http://127.0.0.1:5000``.
"""

import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from observability.mlflow_tracer import MlflowTracer

STAGES = ("guard", "cache", "retrieve", "prompt", "generate", "output_guard")
INPUTS = {"question": "What does the lease say about pets?"}
OUTPUTS = [{"text": "x" * 1000, "score": 0.5}] * 2  # seven spans make about 15 KB
ROUNDS, TRACES, PAUSE_S = 5, 20, 0.05


def with_footnote(tracer: MlflowTracer) -> None:
    with tracer.span("query", inputs=INPUTS) as root:
        for stage in STAGES:
            with tracer.span(stage, inputs=INPUTS) as span:
                span.set(outputs=OUTPUTS)
        root.set(outputs=OUTPUTS)


def with_mlflow() -> None:
    import mlflow

    with mlflow.start_span("query") as root:
        root.set_inputs(INPUTS)
        for stage in STAGES:
            with mlflow.start_span(stage) as span:
                span.set_inputs(INPUTS)
                span.set_outputs(OUTPUTS)
        root.set_outputs(OUTPUTS)


def milliseconds(trace: Callable[[], None]) -> float:
    """Median time of one trace; a pause between traces leaves room for the background, as requests do."""
    times = []
    for _ in range(TRACES):
        began = time.perf_counter()
        trace()
        times.append((time.perf_counter() - began) * 1000)
        time.sleep(PAUSE_S)
    return statistics.median(times)


def main(url: str) -> None:
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    import mlflow

    mlflow.set_tracking_uri(url)
    mlflow.set_experiment("bench-mlflow")
    up, down = MlflowTracer(url, "bench-footnote"), MlflowTracer("http://127.0.0.1:9", "bench-footnote")
    contenders: dict[str, Callable[[], None]] = {
        "MlflowTracer": lambda: with_footnote(up),
        "MlflowTracer, server away": lambda: with_footnote(down),
        "mlflow, asynchronous": with_mlflow,
    }
    for trace in contenders.values():
        trace()
    best = dict.fromkeys(contenders, float("inf"))
    for _ in range(ROUNDS):  # interleaved, so that a busy machine slows all alike
        for name, trace in contenders.items():
            best[name] = min(best[name], milliseconds(trace))
            mlflow.flush_trace_async_logging()
    ours = best["MlflowTracer"]
    for name, time_ms in best.items():
        print(f"{name:28} {time_ms:7.3f} ms a trace   {time_ms / ours:5.1f} x")
    up.close()
    down.close(0.1)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:5000")
