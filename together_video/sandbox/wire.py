"""Answers that go wrong on purpose: how each kind of fault looks on the wire."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import Receive, Scope, Send

from together_video.sandbox.faults import FaultRule

#: The name under which the server passes the functions that end a connection (see `protocol`).
EXTENSION = "together_video.connection"

_HTML = "<!doctype html><title>Bad gateway</title><h1>Something is not right</h1>"
#: The service's error codes, for statuses that have one.
_CODES = {401: "invalid_api_key", 402: "insufficient_credits", 403: "forbidden", 429: "rate_limit_exceeded"}

Sleep = Callable[[float], Awaitable[None]]


def error_response(
    status: int,
    message: str,
    *,
    kind: str = "invalid_request_error",
    param: str | None = None,
    code: str | None = None,
    headers: dict[str, str] | None = None,
) -> JSONResponse:
    """An error as the API words it: `{"error": {message, type, param, code}}`."""
    error = {"message": message, "type": kind, "param": param, "code": code}
    return JSONResponse({"error": error}, status_code=status, headers=headers)


async def spoil(fault: FaultRule, good: Response, *, sleep: Sleep) -> Response:
    """What is sent instead of `good`, the correct answer."""
    match fault.kind:
        case "slow":
            await sleep(1.0 if fault.seconds is None else fault.seconds)
            return good
        case "hang":
            return HangingUp(3600.0 if fault.seconds is None else fault.seconds)
        case "reset":
            return HangingUp(0.0)
        case "truncated":
            return CutShort(good, fault.share)
        case "garbage":
            text = fault.body if isinstance(fault.body, str) else '{"id": "video-'
            return Response(text, fault.status or 200, fault.headers, "application/json")
        case "wrong_content":
            text = fault.body if isinstance(fault.body, str) else _HTML
            return HTMLResponse(text, fault.status or 200, fault.headers)
        case "file":
            return Response(base64.b64decode(str(fault.body or "")), 200, fault.headers, good.media_type)
        case "headers":
            good.headers.update(fault.headers)
            return good
        case "no_id":
            answer: dict[str, Any] = json.loads(bytes(good.body))
            return JSONResponse({name: value for name, value in answer.items() if name != "id"})
        case _:
            return _refusal(fault)


def _refusal(fault: FaultRule) -> Response:
    status = fault.status or {"rate_limit": 429, "moderation": 400, "link_expired": 403}.get(fault.kind, 500)
    headers = dict(fault.headers)
    if fault.kind == "rate_limit" and not {"x-ratelimit-reset", "retry-after"} & {h.lower() for h in headers}:
        headers["x-ratelimit-reset"] = f"{1.0 if fault.seconds is None else fault.seconds:g}"
    if isinstance(fault.body, str):
        return Response(fault.body, status, headers, "text/html" if "<" in fault.body else "text/plain")
    if fault.body is not None:
        return JSONResponse(fault.body, status, headers)
    if fault.kind == "moderation":
        message, code = "The prompt was refused by content moderation.", "content_moderation"
    else:
        message, code = f"The sandbox answers {status} on purpose.", _CODES.get(status, "")
    kind = "server_error" if status >= 500 else "invalid_request_error"
    code_given = fault.code or code or None
    return error_response(status, fault.message or message, kind=kind, code=code_given, headers=headers)


class HangingUp(Response):
    """Sends nothing for some seconds, or until the caller disconnects, then ends the connection."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with asyncio.timeout(self.seconds):
                await _until_gone(receive)
        except TimeoutError:
            await _end(scope, receive, "reset")


class CutShort(Response):
    """Announces the whole length, sends a part of it, and ends the connection."""

    def __init__(self, good: Response, share: float) -> None:
        super().__init__(good.body, good.status_code, None, good.media_type)
        self.part = bytes(good.body)[: int(len(good.body) * share)]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send(
            {"type": "http.response.start", "status": self.status_code, "headers": list(self.raw_headers)}
        )
        await send({"type": "http.response.body", "body": self.part, "more_body": True})
        await _end(scope, receive, "close")


async def _end(scope: Scope, receive: Receive, how: str) -> None:
    connection = scope.get("extensions", {}).get(EXTENSION)
    if connection is None:
        # Called in-process, without a socket: the caller gets an exception.
        raise ConnectionResetError("the sandbox ended the connection on purpose")
    connection[how]()
    await _until_gone(receive)


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
