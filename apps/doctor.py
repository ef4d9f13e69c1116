"""What must hold before the stack is started: each check says what is wrong and what to do about it."""

from __future__ import annotations

import shutil
import socket
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from apps.services import available_memory, model_fits, model_on_gpu, model_python, redis_binary
from apps.settings import PROJECT_ROOT, Settings
from contracts import ConfigurationError

_GB = 1 << 30
_REST_GB = 2.0  # API, worker, MLflow and Redis
_DISK_GB = 3.0


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at; `remedy` is empty when all is well with it."""

    name: str
    found: str
    remedy: str = ""

    @property
    def ok(self) -> bool:
        """True when nothing needs to be done."""
        return not self.remedy


def examine(settings: Settings, *, running: bool = False) -> tuple[Check, ...]:
    """Return every check for a stack with these settings. While ours is `running` its ports and its memory are
    taken by itself, which is no problem."""
    own_model_server = not settings.serving.base_url
    on_cpu = own_model_server and not model_on_gpu()
    checks = [_python(), _data_dir(settings.data_dir), _disk(settings.data_dir), _sqlite(), _page()]
    needed = int(_REST_GB * _GB)
    if own_model_server:
        model, taken = _model(settings, running=running)
        needed += taken
        checks += [_model_environment(), model]
    if on_cpu:
        checks.append(_numa())
    if settings.cache.enabled and not settings.cache.url:
        checks.append(_redis())
    if not running:
        checks.append(_memory(needed / _GB))
        checks += [check_port(*port) for port in ports(settings)]
    return (*checks, *_clashes(settings))


def _numa() -> Check:
    from ctypes.util import find_library

    if not sys.platform.startswith("linux") or find_library("numa"):
        return Check("libnuma", "there")
    return Check(
        "libnuma", "missing", "the model server needs it on a CPU. On Debian and Ubuntu: apt-get install libnuma1"
    )


def ports(settings: Settings) -> Iterator[tuple[str, str, int, str]]:
    """Yield what listens where, and the setting that changes it: (name, host, port, variable)."""
    yield "API", settings.api.host, settings.api.port, "FOOTNOTE_API__PORT"
    if not settings.serving.base_url:
        yield "model server", settings.serving.host, settings.serving.port, "FOOTNOTE_SERVING__PORT"
    watch = settings.observability
    if not watch.mlflow_url:
        yield "MLflow", watch.host, watch.port, "FOOTNOTE_OBSERVABILITY__PORT"


def _clashes(settings: Settings) -> Iterator[Check]:
    seen: dict[int, str] = {}
    for name, _, port, variable in ports(settings):
        if port in seen:
            yield Check(f"port {port}", f"set for both {seen[port]} and {name}", f"Choose another port: {variable}")
        seen[port] = name


def check_port(name: str, host: str, port: int, variable: str) -> Check:
    """Check that `port` can be listened on."""
    title = f"port {port} ({name})"
    try:
        with socket.create_server((host, port), family=_family(host)):
            return Check(title, "free")
    except OSError as exc:
        holder = _holder(port)
        found = f"taken by {holder}" if holder else str(exc.strerror or exc).lower()
        return Check(title, found, f"Stop what uses it, or choose another port: {variable}={_free_port(host, port)}")


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def _free_port(host: str, after: int) -> int:
    for port in range(after + 1, min(after + 100, 65536)):
        try:
            with socket.create_server((host, port), family=_family(host)):
                return port
        except OSError:
            continue
    return after


def _holder(port: int) -> str:
    """Return the name and number of the process that listens on `port`, or nothing when we may not know."""
    import psutil

    try:
        for connection in psutil.net_connections("tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port and connection.pid:
                return f"{psutil.Process(connection.pid).name()} (process {connection.pid})"
    except psutil.Error:
        return ""
    return ""


def _python() -> Check:
    version = ".".join(map(str, sys.version_info[:3]))
    return Check("Python", version, "" if sys.version_info >= (3, 11) else "Install Python 3.11 or newer")


def _data_dir(folder: Path) -> Check:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return Check("data folder", str(folder))
    except OSError as exc:
        return Check("data folder", f"{folder}: {exc.strerror}", "Make it writable, or set FOOTNOTE_DATA_DIR")


def _disk(folder: Path) -> Check:
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free / _GB
    remedy = f"Free {_DISK_GB:.0f} GB, or set FOOTNOTE_DATA_DIR to another disk" if free < _DISK_GB else ""
    return Check("disk", f"{free:.1f} GB free", remedy)


def _memory(needed_gb: float) -> Check:
    available = available_memory() / _GB
    remedy = ""
    if available < needed_gb:
        remedy = (
            f"{needed_gb:.1f} GB are needed, {_REST_GB:.0f} of them beside the model server: close something, set "
            "FOOTNOTE_SERVING__KV_CACHE_GB lower, or use a model server elsewhere: FOOTNOTE_SERVING__BASE_URL"
        )
    return Check("memory", f"{available:.1f} GB available", remedy)


def _sqlite() -> Check:
    version = sqlite3.sqlite_version
    fit = sqlite3.sqlite_version_info >= (3, 35)
    return Check("SQLite", version, "" if fit else "Use a Python that is built with SQLite 3.35 or newer")


def _page() -> Check:
    if (PROJECT_ROOT / "apps" / "web" / "dist" / "index.html").is_file():
        return Check("chat page", "built")
    return Check("chat page", "not built", "Run `make install`, which needs Node.js 20 or newer")


def _model_environment() -> Check:
    if model_python().exists():
        return Check("model server", "installed")
    return Check("model server", "not installed", "Run `make install`, or set FOOTNOTE_SERVING__BASE_URL")


def _model(settings: Settings, *, running: bool) -> tuple[Check, int]:
    """Check that there is the model and that it fits; return too the bytes of the CPU's memory that it takes. While it
    runs it takes its memory itself."""
    try:
        found, taken = model_fits(settings, free=not running)
    except ConfigurationError as exc:
        remedy = (
            "Change that, or name another model, FOOTNOTE_SERVING__MODEL: a folder, a GGUF file, a package, a hub id"
        )
        return Check("model", str(exc), remedy), 0
    return Check("model", f"{settings.model_name}: {found}" if found else settings.model_name), taken


def _redis() -> Check:
    binary = redis_binary()
    if binary:
        return Check("redis-server", str(binary))
    return Check("redis-server", "not found", "Run `make install`, install Redis, or set FOOTNOTE_CACHE__URL")
