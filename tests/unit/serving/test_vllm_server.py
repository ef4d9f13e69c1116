"""The flags that vLLM is started with."""

from pathlib import Path

import pytest

from contracts import Service
from serving.model_store import StoredModel
from serving.vllm_server import cpu_environment, vllm_service

LOCAL = StoredModel("/models/small", local=True)


def started(model: StoredModel = LOCAL, *, eager: bool = True, gpu: bool = False, api_key: str = "") -> Service:
    return vllm_service(
        model,
        "small",
        python=Path("/env/bin/python"),
        host="127.0.0.1",
        port=8001,
        context_tokens=2048,
        kv_cache_gb=3,
        eager=eager,
        gpu=gpu,
        api_key=api_key,
    )


def value(service: Service, flag: str) -> str:
    return service.argv[service.argv.index(flag) + 1]


def test_the_server_is_told_model_name_place_and_context() -> None:
    service = started()
    flags = ("--model", "--served-model-name", "--host", "--port", "--max-model-len")
    assert [value(service, flag) for flag in flags] == ["/models/small", "small", "127.0.0.1", "8001", "2048"]
    assert service.url == "http://127.0.0.1:8001/v1"


def test_eager_execution_is_a_choice() -> None:
    assert "--enforce-eager" in started(eager=True).argv
    assert "--enforce-eager" not in started(eager=False).argv


def test_a_local_model_needs_no_hub_and_a_hub_model_may_ask_it() -> None:
    assert started().env["HF_HUB_OFFLINE"] == "1"
    assert "HF_HUB_OFFLINE" not in started(StoredModel("someone/model", local=False)).env


def test_nothing_is_told_to_anyone() -> None:
    assert started().env["VLLM_NO_USAGE_STATS"] == "1"


def test_the_key_stays_out_of_the_process_list() -> None:
    service = started(api_key="secret")
    assert service.env["VLLM_API_KEY"] == "secret"
    assert not any("secret" in part for part in service.argv)


def test_a_gpu_gets_no_settings_of_a_cpu() -> None:
    assert started().env["VLLM_CPU_KVCACHE_SPACE"] == "3"
    assert not [name for name in started(gpu=True).env if name.startswith(("VLLM_CPU", "OMP"))]


@pytest.mark.parametrize(("cores", "threads"), [(1, "1"), (2, "1"), (16, "15")])
def test_one_core_is_left_to_the_rest(cores: int, threads: str) -> None:
    assert cpu_environment(cores, 2)["OMP_NUM_THREADS"] == threads


@pytest.mark.enable_socket
def test_a_server_that_is_away_is_not_ready() -> None:
    assert not started().ready()
