"""vLLM as a child process, with flags that fit the machine."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from contracts import Service
from serving.model_store import StoredModel

_START_TIMEOUT_S = 900.0  # a hub model is downloaded first
_PROBE_TIMEOUT_S = 2.0


def has_nvidia_gpu() -> bool:
    """Return True when the NVIDIA driver lists a device; the installer decides by the same question."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return False
    listing = subprocess.run([tool, "-L"], capture_output=True, text=True, check=False)
    return listing.returncode == 0 and listing.stdout.startswith("GPU ")


def vllm_service(
    model: StoredModel,
    served_as: str,
    *,
    python: Path,
    host: str,
    port: int,
    context_tokens: int,
    kv_cache_gb: int,
    eager: bool,
    gpu: bool,
    api_key: str = "",
) -> Service:
    """Return the server of `model` under the name `served_as`. `python` is that of vLLM's own environment.

    `kv_cache_gb` counts on a CPU only, a GPU gives what it has. Eager execution starts sooner, compiled execution
    serves more requests at once.
    """
    argv = [str(python), "-m", "vllm.entrypoints.openai.api_server", "--model", model.source]
    argv += ["--served-model-name", served_as, "--host", host, "--port", str(port)]
    argv += ["--max-model-len", str(context_tokens), "--disable-uvicorn-access-log"]
    if eager:
        argv.append("--enforce-eager")
    if not gpu and not _has_native_bfloat16():
        argv += ["--dtype", "float32"]
    env = {"VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1", "PYTHONSAFEPATH": "1", "TOKENIZERS_PARALLELISM": "false"}
    if model.local:
        env |= {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}
    if api_key:
        env["VLLM_API_KEY"] = api_key
    env |= {} if gpu else cpu_environment(_cores(), kv_cache_gb)
    url = f"http://{host}:{port}/v1"
    return Service("model server", tuple(argv), env, lambda: _healthy(host, port), url, _START_TIMEOUT_S)


def cpu_environment(cores: int, kv_cache_gb: int) -> dict[str, str]:
    """Return vLLM's settings for a machine of `cores`: all but one compute.

    OpenMP threads wait for one another by spinning. Measured on two cores beside one other busy process: 64 tokens take
    3 to 9 s with one thread, 33 to 75 s with two, which without that process take 2.8 s and 2.2 s.
    """
    return {
        "VLLM_CPU_KVCACHE_SPACE": str(kv_cache_gb),
        "VLLM_CPU_OMP_THREADS_BIND": "nobind",
        "OMP_NUM_THREADS": str(max(1, cores - 1)),
    }


def _has_native_bfloat16() -> bool:
    """Return whether the CPU multiplies bfloat16 itself, or nothing tells; emulated, that takes 50 times as long as
    float32 (a prompt of 2,000 tokens 75 s, measured on a CPU without AVX-512)."""
    told = Path("/proc/cpuinfo")
    return not told.exists() or bool(re.search(r"\b(?:avx512_bf16|amx_bf16|bf16)\b", told.read_text()))


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _healthy(host: str, port: int) -> bool:
    connection = HTTPConnection(host, port, timeout=_PROBE_TIMEOUT_S)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
