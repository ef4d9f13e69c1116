"""The flags and the environment that vLLM is started with, chosen for the machine; only what differs from its defaults.

Chunked prefill, continuous batching and the prefix cache are on by default (vLLM 0.32).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from serving.machine import Machine
from serving.model_memory import MemoryPlan

CPU_BLOCK_TOKENS = 32
"""Tokens in a block of the KV cache on a CPU: the smallest that its attention kernels take, where vLLM's default is
128. Prompts share cached prefixes in whole blocks: of 86 shared tokens 64 are found in the cache, else none. That
costs no time that could be measured."""


TOOL_PARSER = "hermes"
"""How most open models write the calls of tools, Qwen's and SmolLM's among them. Without one vLLM refuses requests with
tools; `extra` may name another."""


@dataclass(frozen=True, slots=True)
class ServerFlags:
    """How a model is served. `extra` is passed to vLLM as it is, after everything else, so it wins.

    Eager execution starts sooner, compiled execution serves more requests at once. 0 for `max_sequences`, the requests
    that are computed together, leaves it to vLLM: 128 on a CPU, 256 or 1,024 on a GPU. `quantization` is done while
    loading; empty means as the weights say.
    """

    served_as: str
    host: str
    port: int
    context_tokens: int
    eager: bool
    max_sequences: int = 0
    quantization: str = ""
    kv_cache_gb: float = 0.0
    extra: tuple[str, ...] = ()


def vllm_argv(source: str, flags: ServerFlags, plan: MemoryPlan, machine: Machine, *, python: Path) -> tuple[str, ...]:
    """Return the command that serves the model at `source`. `python` is that of vLLM's own environment."""
    argv = [str(python), "-m", "vllm.entrypoints.openai.api_server", "--model", source]
    argv += ["--served-model-name", flags.served_as, "--host", flags.host, "--port", str(flags.port)]
    argv += ["--max-model-len", str(flags.context_tokens), "--disable-uvicorn-access-log"]
    argv += ["--scheduling-policy", "priority"]  # requests may carry `priority`; without one they are served in turn
    argv += ["--enable-auto-tool-choice", "--tool-call-parser", TOOL_PARSER]
    if flags.eager:
        argv.append("--enforce-eager")
    if flags.quantization:
        argv += ["--quantization", flags.quantization]
    if flags.max_sequences:
        argv += ["--max-num-seqs", str(flags.max_sequences)]
    argv += _gpu_flags(flags, plan) if machine.gpus else _cpu_flags(plan, machine)
    return (*argv, *flags.extra)


def _gpu_flags(flags: ServerFlags, plan: MemoryPlan) -> list[str]:
    chosen = ["--gpu-memory-utilization", f"{plan.gpu_fraction:.2f}"]
    if flags.kv_cache_gb:
        chosen += ["--kv-cache-memory-bytes", str(plan.kv_cache)]
    if plan.devices > 1:
        chosen += ["--tensor-parallel-size", str(plan.devices)]
    return chosen


def _cpu_flags(plan: MemoryPlan, machine: Machine) -> list[str]:
    chosen = ["--block-size", str(CPU_BLOCK_TOKENS)]
    if plan.kv_cache:
        chosen += ["--kv-cache-memory-bytes", str(plan.kv_cache)]
    return chosen if machine.bfloat16 else [*chosen, "--dtype", "float32"]


def vllm_environment(machine: Machine, *, api_key: str = "", offline: bool = True) -> dict[str, str]:
    """Return the variables that vLLM is started with. An `offline` model needs nothing from a hub."""
    env = {"VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1", "PYTHONSAFEPATH": "1", "TOKENIZERS_PARALLELISM": "false"}
    if offline:
        env |= {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}
    if api_key:
        env["VLLM_API_KEY"] = api_key
    return env if machine.gpus else env | cpu_environment(machine.cores)


def cpu_environment(cores: int) -> dict[str, str]:
    """Return vLLM's settings for a machine of `cores`: all but one compute.

    OpenMP threads wait for one another by spinning. Measured on two cores beside one other busy process: 64 tokens take
    3 to 9 s with one thread, 33 to 75 s with two, which without that process take 2.8 s and 2.2 s.
    """
    return {"VLLM_CPU_OMP_THREADS_BIND": "nobind", "OMP_NUM_THREADS": str(max(1, cores - 1))}


def shown_command(argv: Sequence[str], env: dict[str, str]) -> str:
    """Return a line for a shell, with the key left out."""
    import shlex

    shown = {name: "..." if name == "VLLM_API_KEY" else value for name, value in env.items()}
    return " ".join([*(f"{name}={shlex.quote(value)}" for name, value in shown.items()), shlex.join(argv)])
