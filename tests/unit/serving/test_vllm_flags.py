"""The flags that vLLM is started with."""

from dataclasses import replace
from pathlib import Path

import pytest

from serving.machine import Gpu, Machine
from serving.model_memory import GB, MemoryPlan
from serving.vllm_flags import ServerFlags, cpu_environment, vllm_argv, vllm_environment

CPU = Machine(16 * GB, cores=8, bfloat16=True)
GPUS = replace(CPU, gpus=(Gpu(24 * GB, 24 * GB),) * 2)
ON_CPU = MemoryPlan(GB, GB, 3 * GB, 16 * GB)
ON_GPUS = MemoryPlan(GB, GB, 3 * GB, 21 * GB, devices=2, gpu_fraction=0.87)
FLAGS = ServerFlags("small", "127.0.0.1", 8001, context_tokens=2048, eager=True)


def argv(flags: ServerFlags = FLAGS, plan: MemoryPlan = ON_CPU, machine: Machine = CPU) -> tuple[str, ...]:
    return vllm_argv("/models/small", flags, plan, machine, python=Path("/env/bin/python"))


def value(command: tuple[str, ...], flag: str) -> str:
    return command[command.index(flag) + 1]


def test_the_server_is_told_model_name_place_and_context() -> None:
    flags = ("--model", "--served-model-name", "--host", "--port", "--max-model-len")
    assert [value(argv(), flag) for flag in flags] == ["/models/small", "small", "127.0.0.1", "8001", "2048"]


def test_requests_may_carry_a_priority() -> None:
    assert value(argv(), "--scheduling-policy") == "priority"


def test_tools_may_be_called_and_another_parser_of_calls_be_named() -> None:
    command = argv(replace(FLAGS, extra=("--tool-call-parser", "mistral")))
    assert "--enable-auto-tool-choice" in command
    assert [value(argv(), "--tool-call-parser"), command[-1]] == ["hermes", "mistral"]


def test_eager_execution_is_a_choice() -> None:
    assert "--enforce-eager" in argv()
    assert "--enforce-eager" not in argv(replace(FLAGS, eager=False))


def test_what_is_not_asked_for_is_left_to_vllm() -> None:
    unasked = ("--quantization", "--max-num-seqs", "--tensor-parallel-size", "--enable-prefix-caching")
    assert not set(unasked) & set(argv())
    asked = argv(replace(FLAGS, quantization="fp8", max_sequences=64))
    assert (value(asked, "--quantization"), value(asked, "--max-num-seqs")) == ("fp8", "64")


def test_a_cpu_gets_its_kv_cache_in_small_blocks() -> None:
    assert value(argv(), "--kv-cache-memory-bytes") == str(3 * GB)
    assert value(argv(), "--block-size") == "32"
    assert "--kv-cache-memory-bytes" not in argv(plan=replace(ON_CPU, kv_cache=0))


def test_a_cpu_that_emulates_bfloat16_computes_in_float32() -> None:
    assert "--dtype" not in argv()
    assert value(argv(machine=replace(CPU, bfloat16=False)), "--dtype") == "float32"


def test_gpus_get_their_share_and_nothing_of_a_cpu() -> None:
    command = argv(plan=ON_GPUS, machine=replace(GPUS, bfloat16=False))
    assert value(command, "--gpu-memory-utilization") == "0.87"
    assert value(command, "--tensor-parallel-size") == "2"
    assert not {"--block-size", "--dtype", "--kv-cache-memory-bytes"} & set(command)
    assert not [name for name in vllm_environment(GPUS) if name.startswith(("VLLM_CPU", "OMP"))]


def test_one_gpu_is_no_group_and_takes_the_kv_cache_it_is_given() -> None:
    command = argv(replace(FLAGS, kv_cache_gb=3), replace(ON_GPUS, devices=1), GPUS)
    assert "--tensor-parallel-size" not in command
    assert value(command, "--kv-cache-memory-bytes") == str(3 * GB)


def test_what_is_passed_on_comes_last_so_that_it_wins() -> None:
    assert argv(replace(FLAGS, extra=("--block-size", "128")))[-2:] == ("--block-size", "128")


def test_a_model_that_is_here_needs_no_hub() -> None:
    assert vllm_environment(CPU)["HF_HUB_OFFLINE"] == "1"
    assert "HF_HUB_OFFLINE" not in vllm_environment(CPU, offline=False)


def test_nothing_is_told_to_anyone() -> None:
    assert vllm_environment(CPU)["VLLM_NO_USAGE_STATS"] == "1"


@pytest.mark.parametrize(("cores", "threads"), [(1, "1"), (2, "1"), (16, "15")])
def test_one_core_is_left_to_the_rest(cores: int, threads: str) -> None:
    assert cpu_environment(cores)["OMP_NUM_THREADS"] == threads
    assert vllm_environment(replace(CPU, cores=cores))["OMP_NUM_THREADS"] == threads
