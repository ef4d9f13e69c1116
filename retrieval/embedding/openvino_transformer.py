"""The transformer of a sentence encoder on OpenVINO: the same weights, compiled for this CPU."""

from __future__ import annotations

import math
import sys
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from openvino import CompiledModel
    from sentence_transformers import SentenceTransformer
    from torch import Tensor

_TEXT_PIPELINE = {"method": "forward", "method_output_name": "last_hidden_state"}
_EXAMPLE = ["a text", "and a longer one beside it, so that the first is padded"]
_LENGTH_STEP = 16  # tokens; each new shape costs memory and time to prepare, so batches share lengths


def has_bfloat16() -> bool:
    """Return whether this CPU multiplies bfloat16 itself. Raises ImportError where OpenVINO is not installed."""
    return "BF16" in _openvino().Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def move_to_openvino(model: SentenceTransformer, *, threads: int) -> None:
    """Let OpenVINO compute the transformer inside `model`; tokenizer, pooling and the rest stay as they are.

    Matrix products are in bfloat16 where the CPU has it, else in float32; `threads` 0 stands for all cores. Raises
    ImportError without OpenVINO, ValueError for a model that is not a plain text transformer, and RuntimeError for one
    that OpenVINO cannot compile. After an error the model may be unusable.
    """
    ov = _openvino()
    transformer = model[0]
    if getattr(transformer, "modality_config", {}).get("text") != _TEXT_PIPELINE:
        raise ValueError("its first module is not a transformer over text alone")
    if not type(transformer.model).__module__.startswith("transformers."):
        raise ValueError("it brings code of its own")
    if getattr(transformer.model.config, "output_hidden_states", False):
        raise ValueError("it pools over the hidden states of several layers")
    model.cpu()
    converted = _convert(model)
    options = {"INFERENCE_PRECISION_HINT": "bf16" if has_bfloat16() else "f32", "PERFORMANCE_HINT": "LATENCY"}
    if threads:
        options["INFERENCE_NUM_THREADS"] = str(threads)
    config = transformer.model.config
    step = math.gcd(_LENGTH_STEP, model.max_seq_length or _LENGTH_STEP)  # what fills the window is not padded past it
    transformer.processing_kwargs = {**transformer.processing_kwargs, "text": {"pad_to_multiple_of": step}}
    del transformer.model  # frees the weights; a plain object may then stand where a torch module stood
    transformer.model = _CompiledTransformer(ov.Core().compile_model(converted, "CPU", options), config)


class _CompiledTransformer:
    """What sentence-transformers asks of a transformer: its config, and hidden states for tokens."""

    def __init__(self, compiled: CompiledModel, config: Any) -> None:
        self.config = config
        self._request = compiled.create_infer_request()
        self._inputs = [one.get_any_name() for one in compiled.inputs]
        self._output = compiled.output("last_hidden_state")

    def forward(self, **features: Any) -> Mapping[str, Tensor]:
        """Return `last_hidden_state`, float32 of shape (texts, tokens, width). One call at a time."""
        import torch

        inputs = {name: features[name].numpy() for name in self._inputs}
        return {"last_hidden_state": torch.from_numpy(self._request.infer(inputs, share_inputs=True)[self._output])}


def _convert(model: SentenceTransformer) -> Any:
    """Return the transformer as an OpenVINO model with free batch size and length. Raises ValueError."""
    from transformers.utils import logging

    transformer = model[0]
    features = model.preprocess(_EXAMPLE)
    names = transformer.tokenizer.model_input_names
    example = {name: features[name] for name in names if name in features}
    verbosity = logging.get_verbosity()
    logging.set_verbosity_error()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # tracing warns of every branch on a shape
            return _openvino().convert_model(transformer.model, example_input=example)
    except Exception as exc:  # the converter has no error of its own for what it does not know
        raise ValueError(f"OpenVINO cannot convert it: {exc}") from exc
    finally:
        logging.set_verbosity(verbosity)


def _openvino() -> Any:
    # OpenVINO reports each import to a server unless a file in the home folder forbids it, or this package is missing.
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import openvino

    return openvino
