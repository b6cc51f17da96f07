"""The process that opens files from outside: it reads messages from its standard input, one after the other, and
answers on its standard output.

It has no secrets, writes no files, and ends with its parent. It does not import pydantic, which would double its start
time.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from typing import Any

from together_video.errors import DownloadBroken
from together_video.media.isolation import channel, limits

#: Seconds without work after which it exits.
IDLE = 120
#: Seconds that it waits for its parent to kill it.
_LATE = 5
#: The most bytes of a message from the parent: a path, and a whole inline file.
_MOST = (1 << 20, 2 << 30)


def main() -> None:
    """Answer messages until the parent closes the pipe."""
    inlet, outlet = pipes()
    with contextlib.suppress(channel.Ended):
        try:
            readers = _readers()
        except Exception as error:  # noqa: BLE001 - the parent has to report what the system lacks
            channel.send(outlet, {"failed": f"{type(error).__name__}: {error}"[:500]})
            return
        limits.end_with_parent(inlet)
        limits.lay_down()
        memory = limits.Memory()
        channel.send(outlet, {"ready": True})
        while is_asked(inlet):
            message, content = channel.receive(inlet, most=_MOST)
            limits.end_after(message["seconds"] + _LATE)
            memory.allow(message["memory"])
            answer, picture = _answered(readers, message, content)
            limits.end_after(0)
            channel.send(outlet, {**answer, "grown": memory.grown()}, picture)


def pipes() -> tuple[int, int]:
    """The pipes for questions and answers. Nothing else may write to them. Terminal signals do not end the work."""
    inlet, outlet = os.dup(0), os.dup(1)
    with open(os.devnull, "r+b") as nothing:
        for standard in (0, 1, 2):
            os.dup2(nothing.fileno(), standard)
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):  # the parent decides when the work is over
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    return inlet, outlet


def _readers() -> dict[str, Any]:
    from together_video.media.isolation import read_clips, read_inputs, read_last_frame, read_stills

    return {
        "clip": read_clips.read_clip,
        "image": read_inputs.read_image,
        "video": read_inputs.read_video,
        "audio": read_inputs.read_audio,
        "still": read_stills.read_still,
        "frames": read_stills.read_frames,
        "last frame": read_last_frame.read_last_frame,
    }


def is_asked(pipe: int) -> bool:
    """Whether a message arrived before the idle time was over."""
    if sys.platform == "win32":
        return True
    import select

    poll = select.poll()
    poll.register(pipe, select.POLLIN)
    return bool(poll.poll(IDLE * 1000))


def _answered(
    readers: dict[str, Any], message: dict[str, Any], content: bytes
) -> tuple[dict[str, Any], bytes]:
    from together_video.media.decoder import BeyondBounds, is_out_of_memory
    from together_video.media.isolation.read_inputs import Refused

    source = content if message["path"] is None else os.fsdecode(message["path"].encode("latin-1"))
    try:
        answer, picture = readers[message["kind"]](source, message["memory"], **message["more"])
    except Refused as error:
        return {"refused": error.words, "short": error.short}, b""
    except DownloadBroken as error:
        return {"broken": error.what}, b""
    except BeyondBounds as error:
        return {"beyond": str(error)}, b""
    except Exception as error:  # noqa: BLE001 - a file from outside can raise anything
        if is_out_of_memory(error):
            return {"short": True, "starved": True}, b""
        said = getattr(error, "strerror", None) if isinstance(error, OSError) else None
        return {"failed": (said or f"{type(error).__name__}: {error}")[:500]}, b""
    return answer, picture
