"""A server for the files in a folder: `PORT FOLDER`.

Python's own server queues only five connections. The others of a burst are retried a second later, which would dominate
the measurement.
"""

from __future__ import annotations

import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class Server(ThreadingHTTPServer):
    request_queue_size = 128


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def main(port: int, folder: Path) -> None:
    Server(("127.0.0.1", port), partial(Quiet, directory=str(folder))).serve_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
