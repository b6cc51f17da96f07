"""Kill a command inside a call to its folder archive, where no proxy is in between."""

from __future__ import annotations

import io
import json
import os
import signal
import threading
from collections.abc import Iterable
from typing import Any, BinaryIO

from prefect_together_video.blocks.folder import files
from prefect_together_video.blocks.folder.store import FolderStore
from tests.chaos.points import Moment, named
from tests.chaos.proxy import Strike

#: Names the point and how often the command passes it first, as JSON. Empty: no kill.
VARIABLE = "CHAOS_KILL_IN_FOLDER"


def word_of(strike: Strike) -> str:
    """The value of `VARIABLE` for it."""
    return json.dumps([strike.point.name, strike.countdown])


def install() -> None:
    """Let this process kill itself where `VARIABLE` says, in its own calls to the folder."""
    if word := os.environ.get(VARIABLE):
        name, countdown = json.loads(word)
        _Kills(Strike(named(name), countdown)).install()


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class _Kills:
    """Replaces the two calls that change a folder: one writes a file, the other removes facts."""

    def __init__(self, strike: Strike) -> None:
        self._strike = strike
        self._guard = threading.Lock()
        #: The moment to die in the current call of this thread.
        self._call = threading.local()

    def install(self) -> None:
        put, written, delete = files.Files.put, files._written, FolderStore.delete

        def put_and_die(own: files.Files, key: str, *rest: Any) -> bool:
            self._call.moment = moment = self._due("PUT", f"/{key}")
            if moment is Moment.BEFORE:
                _die()
            taken = put(own, key, *rest)
            if moment is Moment.DONE:
                _die()
            return taken

        def write_half(source: BinaryIO | bytes, out: BinaryIO) -> bytes:
            if getattr(self._call, "moment", None) is Moment.HALF_SENT:
                data = source if isinstance(source, bytes) else source.read()
                written(io.BytesIO(data[: len(data) // 2]), out)
                _die()
            return written(source, out)

        async def delete_and_die(own: FolderStore, keys: Iterable[str]) -> None:
            wanted = tuple(keys)
            is_clean_up = any("/inflight/" in f"/{key}" for key in wanted)
            moment = self._due("POST", "/archive") if is_clean_up else None
            if moment is Moment.BEFORE:
                _die()
            if moment is Moment.HALF_SENT:
                await delete(own, wanted[:1])
                _die()
            await delete(own, wanted)
            if moment is Moment.DONE:
                _die()

        files.Files.put = put_and_die  # type: ignore[method-assign,assignment]
        files._written = write_half
        FolderStore.delete = delete_and_die  # type: ignore[method-assign]

    def _due(self, method: str, path: str) -> Moment | None:
        with self._guard:
            return self._strike.due(method, path)
