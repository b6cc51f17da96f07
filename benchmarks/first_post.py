"""Measures the time from a command's start to the first POST that the API receives."""

from __future__ import annotations

import http.server
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from benchmarks.children import child, cpu_seconds
from benchmarks.harness import ROOT

#: Seconds after which no POST is expected any more.
_LONGEST = 60


@dataclass(frozen=True)
class Sent:
    """Seconds of wall time and of CPU from the start of a process to its POST."""

    wall: float
    cpu: float


class Api:
    """An API that notes the first POST and does not answer it: its sender is then ended."""

    def __init__(self, server: http.server.ThreadingHTTPServer) -> None:
        self.url = f"http://127.0.0.1:{server.server_port}"
        self._pid = 0
        self._sent = threading.Event()
        self._found = Sent(0, 0)

    def note(self) -> None:
        if not self._sent.is_set():
            self._found = Sent(time.perf_counter(), cpu_seconds(self._pid))
            self._sent.set()

    def time(self, command: Sequence[str], environment: Mapping[str, str]) -> Sent:
        """Start the command, and end it once it has sent a POST.

        Raises:
            RuntimeError: it ended before that, or took longer than a minute.
        """
        self._sent.clear()
        began = time.perf_counter()
        quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        with child(command, cwd=ROOT, environment=environment, **quiet) as process:
            self._pid = process.pid
            while not self._sent.wait(0.5):
                if process.poll() is not None or time.perf_counter() - began > _LONGEST:
                    raise RuntimeError(f"{' '.join(command)} sent no POST (exit code {process.returncode})")
        return Sent(self._found.wall - began, self._found.cpu)


@contextmanager
def listening_api() -> Iterator[Api]:
    """An API on loopback, until the block ends."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            api.note()
            self.close_connection = True

        def do_GET(self) -> None:
            body = b"[]"
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Log nothing: standard error is for the benchmark."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        api = Api(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield api
        finally:
            server.shutdown()
