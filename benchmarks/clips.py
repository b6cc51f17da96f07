"""Clips: the cost of opening each file in a separate process instead of the calling one.

    python -m benchmarks.clips --clips 100

Clips like those of generators, one after the other, each opened both ways in turn; and the cost of the first clip of a
process, including imports.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.harness import Goal, account, keep, table
from benchmarks.relay import film
from together_video.media.bounds import MEMORY
from together_video.media.clips import inspect_clip
from together_video.media.isolation import pool
from together_video.media.isolation.read_clips import read_clip

#: In MB, made by `benchmarks.relay`: a tiny one, 720p and 1080p.
_SIZES = (0, 1, 10)
_TINY = Path(__file__).parents[1] / "tasks" / "session" / "tiny.mp4"
FIRST = {
    "here": (
        "import sys; import together_video.media.clips; "
        "from together_video.media.isolation.read_clips import read_clip; read_clip(sys.argv[1], 1 << 29, 'mov')"
    ),
    "isolated": "import sys; from together_video.media.clips import inspect_clip; inspect_clip(sys.argv[1])",
}


def milliseconds(path: Path, count: int) -> dict[str, float]:
    """The median of `count` runs, for each way."""
    found: dict[str, list[float]] = {"here": [], "isolated": []}
    for _ in range(count):
        began = time.perf_counter()
        read_clip(str(path), MEMORY, "mov")
        half = time.perf_counter()
        inspect_clip(path)
        found["here"].append(half - began)
        found["isolated"].append(time.perf_counter() - half)
    return {way: 1000 * statistics.median(seconds) for way, seconds in found.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--clips", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=7, help="processes that open one clip")
    options = parser.parse_args()
    rows, taken = [], {}
    with tempfile.TemporaryDirectory(prefix="together-video-bench-") as folder:
        for megabytes in _SIZES:
            path = _TINY
            if megabytes:
                path = Path(folder) / f"{megabytes}.mp4"
                film(path, megabytes * 10**6)
            inspect_clip(path)
            name = f"a clip of {megabytes} MB, ms" if megabytes else "a tiny clip, ms"
            taken[name] = milliseconds(path, options.clips)
    first: dict[str, list[float]] = {way: [] for way in FIRST}
    for _ in range(options.rounds):
        for way, code in FIRST.items():
            command = [sys.executable, "-c", code, str(_TINY)]
            first[way].append(1000 * account(command, os.environ, subprocess.DEVNULL, subprocess.DEVNULL)[0])
    pool.close()
    taken["a process that opens one, ms"] = {way: statistics.median(walls) for way, walls in first.items()}
    rows = [[name, *(f"{ways[way]:.1f}" for way in ("here", "isolated"))] for name, ways in taken.items()]
    print(table(["", "in this process", "isolated"], rows), "\n")
    tiny = taken["a tiny clip, ms"]
    goals = [
        Goal("a tiny clip, isolated, ms more", tiny["isolated"] - tiny["here"], 5),
        Goal(
            "a clip of 10 MB, isolated, of the other",
            taken["a clip of 10 MB, ms"]["isolated"] / taken["a clip of 10 MB, ms"]["here"],
            1.25,
        ),
    ]
    keep("clips", vars(options), {"milliseconds": taken}, goals)


if __name__ == "__main__":
    main()
