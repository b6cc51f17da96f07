"""Servers on loopback that answer as Prefect does, or not quite: over TLS, behind a login, at another path."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

JSON = {"content-type": "application/json"}
PAGE = (200, "<!doctype html><title>Prefect</title>", {"content-type": "text/html; charset=utf-8"})


def _prefect(version: str = "3.9.1", base: str = "/api") -> Callable[..., Any]:
    """What a Prefect server answers at its API, and a page everywhere else."""

    def strike(method: str, path: str, headers: dict[str, str]) -> Any:
        told = {f"{base}/health": "true", f"{base}/admin/version": f'"{version}"'}
        return (200, told[path], JSON) if path in told else PAGE

    return strike


@pytest.fixture
def prefect() -> Callable[..., Any]:
    """Makes the `strike` of a server that answers as Prefect does: `prefect(version, base)`."""
    return _prefect


@pytest.fixture
def stub(new_unruly: Callable[[str], Any]) -> Any:
    """A server that answers as Prefect does: change its `strike`."""
    server = new_unruly("http://127.0.0.1:9")
    server.strike = _prefect()
    return server


@pytest.fixture
def over_tls() -> Callable[[Any, Path], Any]:
    """Makes an unruly server speak TLS with this certificate."""

    def wrap(server: Any, file: Path) -> Any:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        listening = server._server
        # The handshake is made with the first read, in the thread of its own connection.
        listening.socket = context.wrap_socket(
            listening.socket, server_side=True, do_handshake_on_connect=False
        )
        listening.handle_error = lambda *_: None
        server.url = server.url.replace("http:", "https:")
        return server

    return wrap
