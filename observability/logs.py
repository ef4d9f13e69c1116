"""Logging of a process: lines for people on a terminal, one JSON object per line elsewhere."""

from __future__ import annotations

import json
import logging
import sys
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import TextIO

current_trace_id: ContextVar[str] = ContextVar("current_trace_id", default="")

# They log every request, download or compilation at INFO; what is wrong with them still shows.
NOISY = (
    "alembic",
    "dbos",
    "guardrails",
    "httpcore",
    "httpx",
    "langchain",
    "llama_index",
    "mlflow",
    "openai",
    "pypdfium2",
    "sentence_transformers",
    "transformers",
    "unstructured",
    "urllib3",
    "uvicorn.access",
)


def configure_logs(level: str, stream: TextIO | None = None) -> None:
    """Send every log record of the process to `stream` (default: standard error), from `level` on.

    Call it once, in a program's entry point.
    """
    target = stream or sys.stderr
    handler = _terminal_handler(target) if target.isatty() else logging.StreamHandler(target)
    if not target.isatty():
        handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in NOISY:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLevelNamesMapping()[level]))


def _terminal_handler(stream: TextIO) -> logging.Handler:
    from rich.console import Console
    from rich.logging import RichHandler

    handler = RichHandler(console=Console(file=stream), show_path=False, log_time_format="%H:%M:%S")
    handler.setFormatter(logging.Formatter("%(message)s"))
    return handler


class JsonFormatter(logging.Formatter):
    """Writes a record as one line of JSON: time (UTC), level, logger, message, and trace id and error where known."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if trace_id := current_trace_id.get():
            line["trace_id"] = trace_id
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)
