"""Opens a sentence encoder on the fastest runtime of this machine that agrees with plain float32."""

from __future__ import annotations

import logging
import os
import platform
from typing import TYPE_CHECKING, Literal

import numpy as np

from contracts import ConfigurationError, Vectors
from retrieval.embedding.openvino_transformer import move_to_openvino

if TYPE_CHECKING:
    import torch
    from sentence_transformers import SentenceTransformer

Runtime = Literal["auto", "torch", "openvino"]

_LEAST_AGREEMENT = 0.999  # cosine; int8 kernels reach .99 and change every tenth hit
_PROBES = [
    "When does the museum open?",
    "€ 4.20",
    "The tram to the harbour leaves every ten minutes, and on Sundays every twenty. " * 6,
    "Straßenbahn, tramvia, 電車: the same thing in other words.",
]
_log = logging.getLogger(__name__)


def open_encoder(model: str, runtime: Runtime, *, threads: int = 0) -> SentenceTransformer:
    """Return the model (a hub id or a folder), ready to encode, one call at a time.

    "auto" takes the GPU where torch sees one, else OpenVINO where it is installed and can run the model, else torch;
    half precision where the hardware has it and the vectors still agree with float32. `threads` 0 leaves their number
    to the runtime. Raises OSError or ValueError for a model that cannot be loaded, and ConfigurationError where
    "openvino" was asked for and cannot be had.
    """
    import torch

    torch.set_num_threads(1)  # a query waits long where more threads than free cores meet at each layer
    encoder = _load(model)
    truth = _vectors(encoder)
    if runtime == "openvino" or (runtime == "auto" and _suits_openvino(encoder.device)):
        try:
            move_to_openvino(encoder, threads=threads)
            _demand_agreement(encoder, truth)
            return encoder
        except (ImportError, ValueError, RuntimeError) as exc:  # what vendors raise for what they cannot do
            if runtime == "openvino":
                raise ConfigurationError(
                    f"OpenVINO cannot run the embedding model {model!r}: {exc}. "
                    "Set FOOTNOTE_EMBEDDING__RUNTIME to auto or torch."
                ) from exc
            _log.warning("the embedding model %r runs on torch; OpenVINO would be faster, but: %s", model, exc)
            encoder = _load(model)  # what failed may have left its traces in this one
    torch.set_num_threads(threads or max(1, (os.cpu_count() or 1) // 2))
    return _halved(model, encoder.device, truth) or encoder


def pooled(encoder: SentenceTransformer, texts: list[str]) -> Vectors:
    """Return what `encode` returns for one batch, without the half millisecond that its choices take: an array of shape
    (texts, the model's full dimension), float32."""
    import torch
    from sentence_transformers.util import batch_to_device

    prompt = encoder.prompts.get(encoder.default_prompt_name) if encoder.default_prompt_name else None
    with torch.inference_mode():
        features = batch_to_device(encoder.preprocess(texts, prompt=prompt), encoder.device)
        vectors: Vectors = encoder(features)["sentence_embedding"].float().cpu().numpy()
    return vectors


def _suits_openvino(device: torch.device) -> bool:
    # Measured on x86 alone: 1.1 to 1.6 times torch in float32, and up to 5 times with bfloat16.
    return device.type == "cpu" and platform.machine().lower() in {"x86_64", "amd64"}


def _halved(model: str, device: torch.device, truth: Vectors) -> SentenceTransformer | None:
    """Return the model in half precision; None where the hardware has none, or the vectors suffer."""
    import torch

    if device.type == "cuda":
        precision = torch.float16  # three bits more exact than bfloat16; where its range is too small, vectors differ
    elif device.type == "cpu" and {"avx512_bf16", "amx_bf16"} & {
        k for k, v in torch.cpu.get_capabilities().items() if v
    }:
        precision = torch.bfloat16
    else:
        return None
    encoder = _load(model, precision)
    try:
        _demand_agreement(encoder, truth)
    except (ValueError, RuntimeError) as exc:
        _log.info("the embedding model %r runs in float32: %s", model, exc)
        return None
    return encoder


def _load(model: str, precision: torch.dtype | None = None) -> SentenceTransformer:
    import torch
    from sentence_transformers import SentenceTransformer
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    return SentenceTransformer(model, model_kwargs={"dtype": precision or torch.float32}).eval()


def _vectors(encoder: SentenceTransformer) -> Vectors:
    vectors: Vectors = np.array(encoder.encode(_PROBES, show_progress_bar=False), dtype=np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors


def _demand_agreement(encoder: SentenceTransformer, truth: Vectors) -> None:
    """Raise ValueError where the encoder's vectors are not those of `truth`."""
    agreement = float((_vectors(encoder) * truth).sum(axis=1).min())
    if not agreement >= _LEAST_AGREEMENT:  # also where it is not a number
        raise ValueError(f"its vectors differ from those of float32: cosine {agreement:.4f}")
