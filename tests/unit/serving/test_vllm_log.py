"""What the log says about why vLLM ended; the lines are vLLM 0.32's own, shortened."""

import pytest

from serving.vllm_log import told_cause

ARCHITECTURE = """
(APIServer pid=1)     s.__pydantic_validator__.validate_python(ArgsKwargs(args, kwargs), self_instance=s)
(APIServer pid=1) pydantic_core._pydantic_core.ValidationError: 1 validation error for ModelConfig
(APIServer pid=1)   Value error, Model architectures ['NoSuch'] are not supported for now. Supported architectures: dict
(APIServer pid=1)     For further information visit https://errors.pydantic.dev/2.14/v/value_error
"""
QUANTISATION = """
pydantic_core._pydantic_core.ValidationError: 1 validation error for VllmConfig
  Value error, Cannot find the config file for awq [type=value_error, input_value=ArgsKwargs((), {'model_co...
"""
CONTEXT = """
pydantic_core._pydantic_core.ValidationError: 1 validation error for ModelConfig
  Value error, User-specified max_model_len (90000) is greater than the derived max_model_len (8192)
"""
ARGUMENTS = (
    "usage: api_server.py [-h]\n                     [model_tag]\napi_server.py: error: unrecognized arguments: --no"
)
ENGINE = """
(EngineCore pid=7) ERROR 11-28 03:29:01 [core.py:1100] Traceback (most recent call last):
(EngineCore pid=7) ERROR 11-28 03:29:01 [core.py:1100] ValueError: No available memory for the cache blocks.
(APIServer pid=1) RuntimeError: Engine core initialization failed. See root cause above. Failed core proc(s): {}
"""


@pytest.mark.parametrize(
    ("log", "hint", "told"),
    [
        (ARCHITECTURE, "does not support this model's architecture", "(Model architectures ['NoSuch'] are not supp"),
        (QUANTISATION, "cannot compute weights quantised like this", "(Cannot find the config file for awq)"),
        (CONTEXT, "choose a shorter one", "8192"),
        (ARGUMENTS, "does not take these arguments", "--no"),
        (ENGINE, "The memory does not suffice", "(ValueError: No available memory for the cache blocks.)"),
    ],
)
def test_the_cause_is_told_not_what_followed_from_it(log: str, hint: str, told: str) -> None:
    cause = told_cause(log)
    assert hint in cause
    assert told in cause


def test_a_cause_without_advice_is_told_as_it_is() -> None:
    assert told_cause("INFO ok\nKeyError: 'rope'\n") == "vLLM says: KeyError: 'rope'"


@pytest.mark.parametrize("log", ["", "INFO 11-28 03:29:01 [api.py:1] Started: no error at all\n"])
def test_a_log_that_tells_nothing_gives_nothing(log: str) -> None:
    assert told_cause(log) == ""


def test_an_engine_that_was_killed_names_no_error_of_its_own() -> None:
    log = (
        "(APIServer pid=1) ERROR 11-28 04:39:38 [async_llm.py:906] vllm.v1.engine.exceptions.EngineDeadError: "
        "EngineCore encountered an issue. See stack trace (above) for the root cause."
    )
    assert "ended from outside" in told_cause(log)
