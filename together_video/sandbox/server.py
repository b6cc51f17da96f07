"""The sandbox as a server on this machine: until it is stopped, or for a `with` block."""

from __future__ import annotations

import contextlib
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator

import uvicorn

from together_video.errors import ConfigurationError
from together_video.sandbox.app import create_app
from together_video.sandbox.config import SandboxConfig
from together_video.sandbox.protocol import EndableProtocol

#: The default port of `together-video sandbox`.
DEFAULT_PORT = 8765
#: Seconds that a running answer gets when the server stops. Hanging ones would take forever.
_PATIENCE = 1


def _say(line: str) -> None:
    # Flush at once: the process that started this one waits for the line.
    print(line, flush=True)  # noqa: T201


def serve(
    config: SandboxConfig,
    host: str = "127.0.0.1",
    port: int = DEFAULT_PORT,
    *,
    announce: Callable[[str], None] = _say,
) -> None:
    """Serve until Ctrl-C or SIGTERM. `announce` gets one line as soon as the server answers requests.

    Args:
        port: 0 picks a free one. The line says which.

    Raises:
        ConfigurationError: the port or the journal's folder cannot be used.
    """
    with _listening(host, port) as sock:
        server = _Server(config, lambda: announce(f"Sandbox ready at {_address(sock)}"), time.time)
        # uvicorn ends cleanly on either signal and then raises it again.
        before = signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            with contextlib.suppress(KeyboardInterrupt):
                server.run(sockets=[sock])
        finally:
            signal.signal(signal.SIGTERM, before)


@contextlib.contextmanager
def running_sandbox(
    config: SandboxConfig | None = None, *, port: int = 0, clock: Callable[[], float] = time.time
) -> Iterator[str]:
    """Serve in a thread during a `with` block. Gives the base URL, without a trailing slash.

    Raises:
        ConfigurationError: as `serve`.
        RuntimeError: the server did not start.
    """
    ready = threading.Event()
    with _listening("127.0.0.1", port) as sock:
        server = _Server(config or SandboxConfig(), ready.set, clock)

        def run() -> None:
            try:
                server.run(sockets=[sock])
            finally:
                ready.set()

        thread = threading.Thread(target=run, name="sandbox", daemon=True)
        thread.start()
        try:
            ready.wait(30)
            if not server.started:
                raise RuntimeError("the sandbox's server did not start")
            yield _address(sock)
        finally:
            server.should_exit = True
            thread.join(30)


class _Server(uvicorn.Server):
    """uvicorn without output on the terminal. Calls back when it is ready."""

    def __init__(
        self, config: SandboxConfig, on_ready: Callable[[], object], clock: Callable[[], float]
    ) -> None:
        super().__init__(
            uvicorn.Config(
                create_app(config, clock=clock),
                http=EndableProtocol,
                ws="none",
                loop="asyncio",
                lifespan="on",
                log_config=None,
                # Connections cut off on purpose are errors to uvicorn, but not to us.
                log_level="critical",
                access_log=False,
                timeout_graceful_shutdown=_PATIENCE,
            )
        )
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._on_ready()


@contextlib.contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    try:
        sock = socket.create_server((host, port), backlog=512)
    except OSError as ex:
        raise ConfigurationError(
            f"The sandbox cannot listen on {host}:{port}: {ex.strerror or ex}. Use another port."
        ) from ex
    with sock:
        # asyncio sets this only for sockets that it opens itself. Without it, each body waits 40 ms after its headers.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield sock


def _address(sock: socket.socket) -> str:
    host, port = sock.getsockname()[:2]
    return f"http://{host}:{port}"
