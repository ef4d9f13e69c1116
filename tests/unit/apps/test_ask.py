"""`footnote ask` over HTTP, when what listens does not answer as it should."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from apps.cli.ask import _over_http
from apps.settings import ApiSettings, ServingSettings, Settings
from contracts import InvalidInputError, ModelUnavailableError

pytestmark = pytest.mark.enable_socket


@contextmanager
def api(folder: Path, *, hangs_up: bool, reply: bytes = b"") -> Iterator[Settings]:
    """Listen, take one request, send `reply`, and hang up or stay silent."""
    done = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(10)

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(1 << 16)
                connection.sendall(reply)
                if not hangs_up:
                    done.wait(10)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            port = server.getsockname()[1]
            yield Settings(data_dir=folder, api=ApiSettings(port=port), serving=ServingSettings(timeout_s=0.2))
        finally:
            done.set()
            thread.join()


def test_an_api_that_stays_silent_is_told_with_the_time_waited(tmp_path: Path) -> None:
    with (
        api(tmp_path, hangs_up=False) as settings,
        pytest.raises(ModelUnavailableError, match=r"within 0\.4 s.*FOOTNOTE_SERVING__TIMEOUT_S"),
    ):
        _over_http(settings, "When?", "default", None)


def test_an_api_that_hangs_up_is_told(tmp_path: Path) -> None:
    with api(tmp_path, hangs_up=True) as settings, pytest.raises(ModelUnavailableError, match="broke off"):
        _over_http(settings, "When?", "default", None)


def test_a_proxy_is_not_asked_for_our_own_api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        free = server.getsockname()[1]
    with api(tmp_path, hangs_up=True) as elsewhere:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{elsewhere.api.port}")
        monkeypatch.setenv("NO_PROXY", "")
        assert _over_http(Settings(data_dir=tmp_path, api=ApiSettings(port=free)), "When?", "default", None) is None
        with socket.create_connection(("127.0.0.1", elsewhere.api.port)) as unused:
            unused.send(b"end")


def test_something_else_at_the_port_is_told(tmp_path: Path) -> None:
    page = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 12\r\n\r\n<p>Hello</p>"
    with (
        api(tmp_path, hangs_up=True, reply=page) as settings,
        pytest.raises(InvalidInputError, match=r"not Footnote.*FOOTNOTE_API__PORT"),
    ):
        _over_http(settings, "When?", "default", None)
