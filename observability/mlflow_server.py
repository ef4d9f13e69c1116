"""The MLflow server as a child process: runs and traces in SQLite, artifacts on disk."""

from __future__ import annotations

from http.client import HTTPConnection, HTTPException
from pathlib import Path

from contracts import Service

_PROBE_TIMEOUT_S = 2.0


def mlflow_service(folder: Path, *, python: Path, host: str, port: int) -> Service:
    """Return a server that keeps everything in `folder`, which it makes. It sends nothing to anyone."""
    folder.mkdir(parents=True, exist_ok=True)
    url = f"http://{host}:{port}"
    argv = [str(python), "-m", "mlflow", "server", "--host", host, "--port", str(port), "--workers", "1"]
    argv += ["--backend-store-uri", f"sqlite:///{folder / 'mlflow.sqlite'}"]
    argv += ["--artifacts-destination", str(folder / "artifacts")]
    env = {
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "DO_NOT_TRACK": "true",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # else an import waits for a download
        "OMP_NUM_THREADS": "1",
        "PYTHONSAFEPATH": "1",
    }
    return Service("mlflow", tuple(argv), env, lambda: _healthy(host, port), url, 180.0)


def _healthy(host: str, port: int) -> bool:
    connection = HTTPConnection(host, port, timeout=_PROBE_TIMEOUT_S)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
