"""Messages between two processes over pipes: JSON, followed by bytes, with the lengths of both in front."""

from __future__ import annotations

import json
import os
import struct
from typing import Any

_LENGTHS = struct.Struct(">II")
#: Bytes written to or read from a pipe at a time.
_PIECE = 1 << 20


class Ended(Exception):
    """The other side has closed its end, or sent something that is not a message."""


def send(pipe: int, message: dict[str, Any], content: bytes = b"") -> None:
    """Send a message.

    Raises:
        Ended: nobody reads it.
    """
    text = json.dumps(message).encode()
    try:
        for part in (_LENGTHS.pack(len(text), len(content)) + text, content):
            rest = memoryview(part)
            while rest:
                rest = rest[os.write(pipe, rest[:_PIECE]) :]
    except OSError as error:
        raise Ended(str(error)) from error


def receive(pipe: int, *, most: tuple[int, int]) -> tuple[dict[str, Any], bytes]:
    """The next message.

    Args:
        most: the most bytes of JSON and of content.

    Raises:
        Ended: there is no message, or it is longer.
    """
    lengths = _LENGTHS.unpack(_read(pipe, _LENGTHS.size))
    if lengths[0] > most[0] or lengths[1] > most[1]:
        raise Ended("a message is too long")
    text, content = _read(pipe, lengths[0]), _read(pipe, lengths[1])
    try:
        message = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Ended("a message is not JSON") from error
    if not isinstance(message, dict):
        raise Ended("a message is not an object")
    return message, content


def _read(pipe: int, size: int) -> bytes:
    found = bytearray()
    while len(found) < size:
        try:
            piece = os.read(pipe, min(_PIECE, size - len(found)))
        except OSError as error:
            raise Ended(str(error)) from error
        if not piece:
            raise Ended("the pipe is closed")
        found += piece
    return bytes(found)
