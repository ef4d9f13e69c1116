"""Guardrails AI without telemetry, traces and downloads; the home folder is neither read nor written."""

from __future__ import annotations

import os
import tempfile
from functools import cache
from pathlib import Path
from typing import Any


@cache
def silence_guardrails() -> None:
    """Import Guardrails and switch off everything in it that would leave the process. Takes seconds the first time.

    Guardrails reads three switches from the environment on every call, so they are set for this process; telemetry
    would be on unless a file in the home folder said otherwise.
    """
    os.environ["GUARDRAILS_RUN_SYNC"] = "true"
    os.environ["GUARD_HISTORY_ENABLED"] = "false"
    _import_without_download()
    from guardrails.classes.rc import RC
    from guardrails.settings import settings
    from guardrails.utils.hub_telemetry_utils import HubTelemetry

    settings.rc = RC(enable_metrics=False)
    settings.disable_tracing = True  # else each call adds spans with its text to the process's tracer provider
    HubTelemetry(enabled=False)._processor.shutdown()  # ends the exporter's thread


def offline_guard(*validators: Any) -> Any:
    """Return a Guard that runs `validators` in order. `silence_guardrails` must have run."""
    from guardrails import Guard
    from guardrails.classes.rc import RC
    from guardrails.settings import settings

    class OfflineGuard(Guard):  # type: ignore[misc]
        """A Guard that does not read the home folder, where telemetry is on by default."""

        def _load_rc(self) -> None:
            settings.rc = RC(enable_metrics=False)

    guard = OfflineGuard().use(*validators)
    guard.configure(allow_metrics_collection=False)
    return guard


def _import_without_download() -> None:
    """Import Guardrails while NLTK believes that it has the "punkt" data, which Guardrails would otherwise download."""
    import nltk

    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "tokenizers" / "punkt").mkdir(parents=True)
        nltk.data.path.insert(0, folder)
        try:
            import guardrails  # noqa: F401
        finally:
            nltk.data.path.remove(folder)
