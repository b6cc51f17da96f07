"""Relay: files from links into the bucket, many at once, against the floor.

    python -m benchmarks.relay --files 32 --sizes 1 10 100

The floor is the faster of a raw copy loop and of curl, each followed by a plain PUT: no hash, no fsync, no
look into the file, no record, and the server is asked to check nothing; what the same loop makes with all that
boto3 does of itself is told beside it. Every way is a process of its own; the files are real videos of noise.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from benchmarks.bars import bars
from benchmarks.harness import Goal, Stage, keep, stage, table
from prefect_together_video.flows.cli.servers.local_servers import Service, answers, free_ports

WAYS = ("ours", "spool", "memory", "boto3", "raw", "curl")
_RATE = 24
#: From so many MB on: width, height and seconds of such a clip, as generators make them.
_SHAPES = {0: (1280, 720, 4), 5: (1920, 1080, 8), 50: (3840, 2160, 20)}


def film(path: Path, size: int) -> None:
    """A video of about `size` bytes: noisy bands of grey, in as many bits a second as make up the size."""
    width, height, seconds = next(_SHAPES[least] for least in reversed(_SHAPES) if size >= least * 10**6)
    bits = size * 8 // seconds
    # The first frame may be as large as half a second of others.
    options = {"preset": "ultrafast", "maxrate": str(bits), "bufsize": str(bits // 2)}
    bands = [bytes(24 * band + value // 8 for value in range(256)) for band in range(8)]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=_RATE, bit_rate=bits, options=options)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for number in range(seconds * _RATE):
            frame = av.VideoFrame(width, height, "yuv420p")
            for plane in frame.planes:
                part = os.urandom(plane.buffer_size // len(bands))
                plane.update(b"".join(part.translate(band) for band in bands).ljust(plane.buffer_size))
            frame.pts, frame.time_base = number, Fraction(1, _RATE)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def file_server(folder: Path) -> Service:
    (port,) = free_ports(1)
    command = [sys.executable, "-m", "benchmarks.contenders.files", str(port), str(folder)]
    url = f"http://127.0.0.1:{port}"
    return Service(
        "file server", command, url=url, is_ready=lambda: answers(url), log=folder.with_suffix(".log")
    )


def measure(made: Stage, way: str, url: str, count: int, prefix: str) -> dict[str, float]:
    words = ["-m", "benchmarks.contenders.relay", way, url, str(count)]
    found: dict[str, Any] = made.run(words, made.environment(prefix, recorded=False)).told
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--files", type=int, default=32, help="at once")
    parser.add_argument("--sizes", type=int, nargs="+", default=[1, 10, 100], help="MB")
    parser.add_argument("--rounds", type=int, default=3, help="the median of them counts")
    parser.add_argument("--whole", action="store_true", help="of files above 10 MB as many, not a quarter")
    options = parser.parse_args()
    found: dict[str, dict[str, dict[str, float]]] = {}
    goals: list[Goal] = []
    with stage(job_seconds=1, prefect=False) as made:
        folder = made.folder / "files"
        folder.mkdir()
        with file_server(folder) as server:
            for megabytes in options.sizes:
                path = folder / f"{megabytes}.mp4"
                film(path, megabytes * 10**6)
                count = options.files if megabytes <= 10 or options.whole else max(1, options.files // 4)
                whole = count * path.stat().st_size / 1e6
                several: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
                for turn in range(options.rounds):
                    # In turn, so that a machine that slows down slows all of them.
                    for way in WAYS:
                        prefix = f"{megabytes}-{turn}-{way}"
                        several[way].append(measure(made, way, f"{server.url}/{path.name}", count, prefix))
                size = f"{count} × {megabytes} MB"
                found[size] = {way: summed(runs, whole) for way, runs in several.items()}
                goals += [
                    Goal(f"throughput of the floor, {size}", of_floor(several), 0.8, least=True),
                    Goal(f"growth of memory, MB, {size}", found[size]["ours"]["growth_mb"], 100),
                ]
                report(size, found[size])
    keep("relay", vars(options), {"ways": found}, goals)
    bars(
        "relay",
        [(f"MB/s, {size}", {w: f["mb_per_second"] for w, f in ways.items()}) for size, ways in found.items()],
    )


def summed(runs: list[dict[str, float]], megabytes: float) -> dict[str, float]:
    def middle(name: str) -> float:
        return statistics.median(run[name] for run in runs)

    return {
        "mb_per_second": megabytes / middle("seconds"),
        "growth_mb": middle("growth_mb"),
        "lag_p99_ms": middle("lag_p99_ms"),
        "lag_max_ms": middle("lag_max_ms"),
    }


def of_floor(several: dict[str, list[dict[str, float]]]) -> float:
    """Round by round: the floor's seconds over ours."""
    rounds = zip(several["ours"], several["raw"], several["curl"], strict=True)
    return statistics.median(
        min(raw["seconds"], curl["seconds"]) / own["seconds"] for own, raw, curl in rounds
    )


def report(size: str, ways: dict[str, dict[str, float]]) -> None:
    head = [size, "MB/s", "growth MB", "lag p99 ms", "lag max ms"]
    print(
        table(head, [[way, *(f"{figure:.1f}" for figure in one.values())] for way, one in ways.items()]), "\n"
    )


if __name__ == "__main__":
    main()
