"""A request id on each answer, as the service gives it for its support."""

from __future__ import annotations

from itertools import count

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class RequestIds:
    """Adds `x-request-id` to each answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._numbers = count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        name = f"sandbox-{next(self._numbers):06}".encode()

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), (b"x-request-id", name)]}
            await send(message)

        await self._app(scope, receive, send_with_id)
