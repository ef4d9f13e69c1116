"""Whether a model fits, before it is loaded: weights, working memory and KV cache against what the machine has."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from contracts import ConfigurationError
from serving.machine import Gpu, Machine
from serving.model_shape import ModelShape

GB = 1 << 30
CPU_RUNTIME = 2 * GB  # three processes and their libraries, measured with vLLM 0.32 and the packaged model
GPU_RUNTIME = 2 * GB  # per device: CUDA's context, activations of a full batch, captured graphs; an estimate
REST = 2 * GB  # what the API, the worker, MLflow and Redis take beside a model server
_USUAL_KV_CACHE = 2 * GB
_USUAL_SEQUENCES = 4
_CONTEXT_STEP = 256


@dataclass(frozen=True, slots=True)
class Wishes:
    """What is asked of a model server. 0 for `kv_cache_gb` and `tensor_parallel`: what suits the machine. Of a GPU it
    takes up to `gpu_fraction`. `quantization` is to be done while loading."""

    context_tokens: int
    kv_cache_gb: float = 0.0
    tensor_parallel: int = 0
    gpu_fraction: float = 0.9
    quantization: str = ""


@dataclass(frozen=True, slots=True)
class MemoryPlan:
    """What goes into memory, in bytes, on each of `devices` GPUs or (0) on the CPU; `budget` is what may be taken.

    `kv_cache` is what one sequence needs at least on a GPU, which then gives all that is left, and what is reserved on
    a CPU; it is 0 when the model does not tell what it needs.
    """

    weights: int
    runtime: int
    kv_cache: int
    budget: int
    devices: int = 0
    gpu_fraction: float = 0.0

    @property
    def total(self) -> int:
        """Bytes in all."""
        return self.weights + self.runtime + self.kv_cache

    def sentence(self) -> str:
        """Return the sum in words."""
        where = "memory" if not self.devices else "GPU memory" if self.devices == 1 else "memory on each GPU"
        kv_cache = f"{_gb(self.kv_cache)} of KV cache" if self.kv_cache else "a KV cache of unknown size"
        return (
            f"{_gb(self.weights)} of weights + {_gb(self.runtime)} to work + {kv_cache} = {_gb(self.total)}; "
            f"{_gb(self.budget)} of {where} can be taken"
        )


def plan_memory(shape: ModelShape, machine: Machine, wishes: Wishes) -> MemoryPlan:
    """Return where the model goes. Raises ConfigurationError, with the numbers and what to change, when it does not fit
    or was not made for so long a context."""
    if 0 < shape.context < wishes.context_tokens:
        raise ConfigurationError(
            f"The model was made for up to {shape.context} tokens, not {wishes.context_tokens}: "
            f"--context {shape.context}, or FOOTNOTE_SERVING__CONTEXT_TOKENS={shape.context}"
        )
    plan = _on_gpus(shape, machine.gpus, wishes) if machine.gpus else _on_cpu(shape, machine, wishes)
    _check_kv_cache(plan, shape, machine, wishes)
    if plan.total > plan.budget:
        raise ConfigurationError(_refusal(plan, machine, wishes))
    return plan


def weights_bytes(shape: ModelShape, width: int, quantization: str) -> int:
    """Return the bytes of the weights when floating-point numbers are loaded with `width` bytes each."""
    kept = shape.parameters
    if _is_8_bit(quantization) and not shape.quantization:
        kept = shape.embedding_parameters
    return kept * width + (shape.parameters - kept) + shape.packed_bytes


def _is_8_bit(quantization: str) -> bool:
    return quantization.startswith(("fp8", "int8", "mxfp8"))


def _on_cpu(shape: ModelShape, machine: Machine, wishes: Wishes) -> MemoryPlan:
    width = 2 if machine.bfloat16 else 4
    weights = weights_bytes(shape, width, wishes.quantization)
    sequence = shape.kv_values * width * wishes.context_tokens
    kv_cache = int(wishes.kv_cache_gb * GB)
    if not kv_cache:
        room = machine.memory - weights - CPU_RUNTIME - REST
        kv_cache = max(sequence, min(room, max(_USUAL_KV_CACHE, _USUAL_SEQUENCES * sequence)))
    return MemoryPlan(weights, CPU_RUNTIME, max(0, kv_cache), machine.memory)


def _on_gpus(shape: ModelShape, gpus: tuple[Gpu, ...], wishes: Wishes) -> MemoryPlan:
    """Spread over as few devices as it fits, or, where it fits none, over as many as it can be."""
    counts = [wishes.tensor_parallel] if wishes.tensor_parallel else list(_divisors(shape, len(gpus)))
    if wishes.tensor_parallel:
        _check_parallel(shape, gpus, wishes.tensor_parallel)
    plans = [_on_some(shape, gpus[:count], wishes) for count in counts]
    return next((plan for plan in plans if plan.total <= plan.budget), plans[-1])


def _divisors(shape: ModelShape, most: int) -> Iterator[int]:
    return (count for count in range(1, most + 1) if _divides(shape, count))


def _divides(shape: ModelShape, count: int) -> bool:
    kv_heads = max(1, shape.kv_heads)
    return shape.heads % count == 0 and (kv_heads % count == 0 or count % kv_heads == 0)


def _check_parallel(shape: ModelShape, gpus: tuple[Gpu, ...], count: int) -> None:
    possible = list(_divisors(shape, len(gpus)))
    if count not in possible:
        raise ConfigurationError(
            f"The model cannot be spread over {count} GPUs: there are {len(gpus)}, and the number must divide its "
            f"{shape.heads} attention heads. Possible: {', '.join(map(str, possible))}"
        )


def _on_some(shape: ModelShape, gpus: tuple[Gpu, ...], wishes: Wishes) -> MemoryPlan:
    share = min(len(gpus), max(1, shape.kv_heads))
    sequence = shape.kv_values * 2 * wishes.context_tokens // share
    fraction = min(_fraction(gpu, wishes.gpu_fraction) for gpu in gpus)
    return MemoryPlan(
        weights=weights_bytes(shape, 2, wishes.quantization) // len(gpus),
        runtime=GPU_RUNTIME,
        kv_cache=max(sequence, int(wishes.kv_cache_gb * GB)),
        budget=min(int(gpu.total * fraction) for gpu in gpus),
        devices=len(gpus),
        gpu_fraction=fraction,
    )


def _fraction(gpu: Gpu, wanted: float) -> float:
    """vLLM refuses to start when less is free than it is to take; in hundredths, rounded down."""
    return int(100 * min(wanted, gpu.free / max(1, gpu.total))) / 100


def _check_kv_cache(plan: MemoryPlan, shape: ModelShape, machine: Machine, wishes: Wishes) -> None:
    if not (wishes.kv_cache_gb and shape.kv_values):
        return
    share = min(max(1, plan.devices), max(1, shape.kv_heads))
    per_token = shape.kv_values * (4 if not machine.gpus and not machine.bfloat16 else 2) / share
    held = int(wishes.kv_cache_gb * GB / per_token)
    if held < wishes.context_tokens:
        raise ConfigurationError(
            f"A KV cache of {wishes.kv_cache_gb:g} GB holds {held} tokens, the context is {wishes.context_tokens}: "
            f"--kv-cache-gb {_up(per_token * wishes.context_tokens / GB)}, or a shorter context: {_shorter(held)}"
        )


def _refusal(plan: MemoryPlan, machine: Machine, wishes: Wishes) -> str:
    remedies = ["a smaller or quantised model"]
    left = plan.budget - plan.weights - plan.runtime
    if left > 0 and plan.kv_cache and not wishes.kv_cache_gb:
        fits = left * wishes.context_tokens // plan.kv_cache // _CONTEXT_STEP * _CONTEXT_STEP
        if fits:
            remedies.append(f"a shorter context ({_shorter(fits)})")
    if wishes.kv_cache_gb:
        remedies.append("a smaller KV cache (FOOTNOTE_SERVING__KV_CACHE_GB)")
    if machine.gpus:
        remedies.append("to free the GPU, or more GPUs")
    else:
        remedies.append("to close something else")
    remedies.append("a server elsewhere (FOOTNOTE_SERVING__BASE_URL)")
    return f"The model does not fit: {plan.sentence()}. What helps: {'; '.join(remedies)}"


def _shorter(tokens: int) -> str:
    return f"--context {tokens}, FOOTNOTE_SERVING__CONTEXT_TOKENS={tokens}"


def _up(gigabytes: float) -> str:
    return f"{int(gigabytes * 10) / 10 + 0.1:.1f}"


def _gb(count: int) -> str:
    return f"{count / GB:.1f} GB"
