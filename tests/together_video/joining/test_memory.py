"""A long film takes no more memory than a short one."""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path

import pytest

from tests.together_video.joining.conftest import MakeClip
from together_video.joining import conversation
from together_video.joining.cuts import Cut, Piece
from together_video.joining.join import join

linux = pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")


def peak_of_join(cut: Cut, out: Path) -> int:
    """The most memory, in bytes, that the process that joins has had."""
    conversation.close()
    found = [0]

    def look(*_: int) -> None:
        for status in Path("/proc").glob("[0-9]*/status"):
            try:
                text = status.read_text()
                if b"joining.isolated.worker" in (status.parent / "cmdline").read_bytes():
                    line = next(one for one in text.splitlines() if one.startswith("VmHWM"))
                    if f"PPid:\t{threading.main_thread().native_id}" in text:
                        found[0] = max(found[0], int(line.split()[1]) << 10)
            except (OSError, StopIteration):
                continue

    is_over = threading.Event()

    def watch() -> None:
        while not is_over.is_set():
            look()
            time.sleep(0.02)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        join(cut, out)
    finally:
        is_over.set()
        watcher.join()
    look()
    return found[0]


@linux
@pytest.mark.parametrize("encodes", [False, True])
def test_memory_does_not_grow_with_the_film(clip: MakeClip, tmp_path: Path, encodes: bool) -> None:
    """A hundred pieces take as much as ten, copied or encoded with crossfades, sound and captions."""
    path = clip(frames=12, size=(320, 240), sound=True)
    peaks = []
    for count in (10, 100):
        pieces = [
            Piece(path=path),
            *[Piece(path=path, crossfade=0.1 if encodes else 0, caption="A")] * (count - 1),
        ]
        cut = Cut(
            pieces=pieces,
            captions="burned" if encodes else "track",
            preset="ultrafast",
            fade_in=0.1 if encodes else 0,
        )
        peaks.append(peak_of_join(cut, tmp_path / f"{count}.mp4"))
    assert peaks[0] > 20 << 20
    assert peaks[1] - peaks[0] < 25 << 20
