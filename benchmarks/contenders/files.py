"""A server of the files in a folder: `PORT FOLDER`.

Python's own takes five connections at a time that wait to be accepted; the others of a burst are tried again a
second later, which would be most of what is measured.
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
