"""The server's side of a connection that ends without an answer.

ASGI has no message for "reset this connection". uvicorn allows another protocol class, so this one gives the
application two functions, through the scope's `extensions`.
"""

from __future__ import annotations

import socket
import struct
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from together_video.sandbox.wire import EXTENSION

#: struct linger: on, zero seconds. Then closing sends RST instead of FIN.
_LINGER_NOTHING = struct.pack("ii", 1, 0)


class EndableProtocol(H11Protocol):
    """HTTP/1.1 on a connection that the application can reset, or close in the middle of a body."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        inner: ASGIApp = self.app

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            scope.setdefault("extensions", {})[EXTENSION] = {"reset": self._reset, "close": self._close}
            await inner(scope, receive, send)

        self.app = app

    def _reset(self) -> None:
        sock = self.transport.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOTHING)
        self.transport.abort()

    def _close(self) -> None:
        self.transport.close()
