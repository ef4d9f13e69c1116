"""Whether a model fits."""

from dataclasses import replace

import pytest

from contracts import ConfigurationError
from serving.machine import Gpu, Machine
from serving.model_memory import CPU_RUNTIME, GB, GPU_RUNTIME, MemoryPlan, Wishes, plan_memory
from serving.model_shape import ModelShape

SMALL = ModelShape(134_515_008, 0, 28_311_552, kv_values=11_520, heads=9, kv_heads=3, context=8192)
EIGHT_B = ModelShape(8_030_000_000, 0, 1_050_000_000, kv_values=65_536, heads=32, kv_heads=8, context=131_072)
LAPTOP = Machine(16 * GB, cores=8, bfloat16=True)
OLD = replace(LAPTOP, bfloat16=False)
WISHES = Wishes(context_tokens=4096)


def gpus(count: int, *, total: int = 24, free: int = 24) -> Machine:
    return replace(LAPTOP, gpus=(Gpu(total * GB, free * GB),) * count)


def test_a_cpu_without_bfloat16_takes_twice_as_much() -> None:
    new, old = plan_memory(SMALL, LAPTOP, WISHES), plan_memory(SMALL, OLD, WISHES)
    assert (new.weights, old.weights) == (2 * 134_515_008, 4 * 134_515_008)
    assert new.total == new.weights + CPU_RUNTIME + new.kv_cache


def test_the_kv_cache_of_a_cpu_is_two_gigabytes_or_four_sequences() -> None:
    assert plan_memory(SMALL, LAPTOP, WISHES).kv_cache == 2 * GB
    roomy = replace(LAPTOP, memory=256 * GB)
    assert plan_memory(EIGHT_B, roomy, Wishes(32_768)).kv_cache == 4 * 65_536 * 2 * 32_768


def test_it_is_less_where_memory_is_short_but_never_less_than_one_sequence() -> None:
    short = replace(LAPTOP, memory=6 * GB)
    assert GB < plan_memory(SMALL, short, WISHES).kv_cache < 2 * GB
    least = plan_memory(SMALL, replace(LAPTOP, memory=3 * GB), WISHES)
    assert least.kv_cache == 11_520 * 2 * 4096


def test_a_model_that_does_not_fit_is_told_with_the_numbers_and_what_helps() -> None:
    with pytest.raises(ConfigurationError, match=r"15\.0 GB of weights \+ 2\.0 GB to work") as raised:
        plan_memory(EIGHT_B, LAPTOP, WISHES)
    assert "16.0 GB of memory can be taken" in str(raised.value)
    assert "quantised" in str(raised.value)


def test_the_context_that_would_fit_is_told_and_fits() -> None:
    tight = replace(LAPTOP, memory=20 * GB)
    with pytest.raises(ConfigurationError, match="--context 24832") as raised:
        plan_memory(EIGHT_B, tight, Wishes(65_536))
    told = int(str(raised.value).split("--context ")[1].split(",")[0])
    assert plan_memory(EIGHT_B, tight, Wishes(told)).total <= 20 * GB
    with pytest.raises(ConfigurationError):
        plan_memory(EIGHT_B, tight, Wishes(told + 512))


def test_a_context_longer_than_the_model_knows_is_told() -> None:
    with pytest.raises(ConfigurationError, match="--context 8192"):
        plan_memory(SMALL, LAPTOP, Wishes(8193))


def test_a_kv_cache_too_small_for_one_sequence_is_told_with_one_that_suffices() -> None:
    with pytest.raises(ConfigurationError, match="holds 2330 tokens") as raised:
        plan_memory(SMALL, OLD, Wishes(4096, kv_cache_gb=0.1))
    enough = float(str(raised.value).split("--kv-cache-gb ")[1].split(",")[0])
    assert plan_memory(SMALL, OLD, Wishes(4096, kv_cache_gb=enough)).kv_cache == int(enough * GB)


def test_one_gpu_is_enough_for_what_fits_one() -> None:
    plan = plan_memory(EIGHT_B, gpus(4), WISHES)
    assert (plan.devices, plan.gpu_fraction, plan.runtime) == (1, 0.9, GPU_RUNTIME)
    assert plan.kv_cache == 65_536 * 2 * 4096


def test_a_model_is_spread_over_as_few_gpus_as_it_fits_and_as_divide_its_heads() -> None:
    assert plan_memory(EIGHT_B, gpus(8, total=12, free=12), WISHES).devices == 2
    nine_heads = replace(EIGHT_B, heads=9, kv_heads=3)
    assert plan_memory(nine_heads, gpus(8, total=12, free=12), WISHES).devices == 3


def test_what_fits_no_number_of_gpus_is_told() -> None:
    with pytest.raises(ConfigurationError, match="memory on each GPU"):
        plan_memory(EIGHT_B, gpus(2, total=8, free=8), WISHES)


@pytest.mark.parametrize("count", [3, 16])
def test_a_number_of_gpus_that_cannot_be_is_told(count: int) -> None:
    with pytest.raises(ConfigurationError, match="Possible: 1, 2, 4"):
        plan_memory(EIGHT_B, gpus(4), Wishes(4096, tensor_parallel=count))


def test_a_gpu_that_others_use_is_taken_as_far_as_it_is_free() -> None:
    plan = plan_memory(SMALL, gpus(1, total=24, free=12), WISHES)
    assert (plan.gpu_fraction, plan.budget) == (0.5, 12 * GB)
    with pytest.raises(ConfigurationError, match="free the GPU"):
        plan_memory(EIGHT_B, gpus(1, total=24, free=12), WISHES)


def test_quantising_halves_what_is_not_looked_up_and_leaves_a_quantised_model_alone() -> None:
    plan = plan_memory(EIGHT_B, gpus(1), Wishes(4096, quantization="fp8"))
    assert plan.weights == 1_050_000_000 * 2 + 6_980_000_000
    stored = ModelShape(1_000, 5_000, 0, kv_values=8, heads=1, kv_heads=1, context=0, quantization="awq")
    assert plan_memory(stored, gpus(1), Wishes(4096, quantization="fp8")).weights == 7_000


def test_a_model_whose_kv_cache_is_unknown_is_told_so() -> None:
    plan = plan_memory(replace(SMALL, kv_values=0), gpus(1), WISHES)
    assert isinstance(plan, MemoryPlan)
    assert "unknown" in plan.sentence()
