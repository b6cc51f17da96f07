"""Relay: the CPU for copying many files from links into the bucket, compared with a loop that keeps the same promises.

    python -m benchmarks.relay --files 32 --sizes 1 10 100

It compares the CPU seconds of the relaying process, in alternating rounds. Each way is a separate process on one core,
and the servers share the other. The decoders' CPU, and our process's work for them, are counted separately. The files
are real videos of noise.
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
import httpx

from benchmarks.bars import bars
from benchmarks.harness import Goal, Stage, keep, stage, table
from prefect_together_video.flows.cli.servers.local_servers import Service, answers, free_ports

WAYS = ("ours", "spool", "careful")
#: Loops that promise less, or download like the official SDK; for `--more`.
MORE_WAYS = ("httpx", "raw")
#: More small files, so that opening connections matters as little as in a batch, and fewer large ones.
_MORE = {1: 4, 100: 0.25}
_RATE = 24
#: Different frames of noise in a film: the encoder knows only the one before.
_FRAMES = 6
#: Width, height and seconds of a clip from so many MB on, like generators' clips.
_SHAPES = {0: (1280, 720, 4), 5: (1920, 1080, 8), 50: (3840, 2160, 20)}


def film(path: Path, size: int) -> None:
    """A video of about `size` bytes: noisy bands of grey, at the bit rate that gives this size."""
    width, height, seconds = next(_SHAPES[least] for least in reversed(_SHAPES) if size >= least * 10**6)
    bits = size * 8 // seconds
    # The first frame can be as large as half a second of others.
    options = {"preset": "ultrafast", "maxrate": str(bits), "bufsize": str(bits // 2)}
    bands = [bytes(24 * band + value // 8 for value in range(256)) for band in range(8)]
    noise = []
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=_RATE, bit_rate=bits, options=options)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for number in range(seconds * _RATE):
            if number < _FRAMES:
                frame = av.VideoFrame(width, height, "yuv420p")
                for plane in frame.planes:
                    part = os.urandom(plane.buffer_size // len(bands))
                    plane.update(b"".join(part.translate(band) for band in bands).ljust(plane.buffer_size))
                noise.append(frame)
            frame = noise[number % _FRAMES]
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


def measure(made: Stage, way: str, url: str, count: int, prefix: str, core: int) -> dict[str, float]:
    words = ["-m", "benchmarks.contenders.relay", way, url, str(count), str(core)]
    environment = {
        **made.environment(prefix, recorded=False),
        "TOGETHER_VIDEO_TRUSTED_HOSTS": httpx.URL(url).host,
    }
    found: dict[str, Any] = made.run(words, environment).told
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--files",
        type=int,
        default=32,
        help="files of 10 MB; four times as many of 1 MB, a quarter of 100 MB",
    )
    parser.add_argument("--sizes", type=int, nargs="+", default=[1, 10, 100], help="MB")
    parser.add_argument("--rounds", type=int, default=3, help="rounds; the median counts")
    parser.add_argument("--more", action="store_true", help="further loops, for comparison")
    options = parser.parse_args()
    ways = (*WAYS, *MORE_WAYS) if options.more else WAYS
    cores = sorted(os.sched_getaffinity(0))
    found: dict[str, dict[str, dict[str, float]]] = {}
    goals: list[Goal] = []
    # Servers that are started from here on stay on the first core.
    os.sched_setaffinity(0, cores[:1])
    with stage(job_seconds=1, prefect=False) as made:
        folder = made.folder / "files"
        folder.mkdir()
        with file_server(folder) as server:
            for megabytes in options.sizes:
                path = folder / f"{megabytes}.mp4"
                film(path, megabytes * 10**6)
                count = max(1, round(options.files * _MORE.get(megabytes, 1)))
                several: dict[str, list[dict[str, float]]] = {way: [] for way in ways}
                for turn in range(options.rounds):
                    # In turn, so that a slower machine affects all of them.
                    for way in ways:
                        prefix = f"{megabytes}-{turn}-{way}"
                        url = f"{server.url}/{path.name}"
                        several[way].append(measure(made, way, url, count, prefix, cores[-1]))
                size = f"{count} × {megabytes} MB"
                found[size] = {
                    way: summed(runs, several["careful"], count, path.stat().st_size / 1e9)
                    for way, runs in several.items()
                }
                own = found[size]["ours"]
                goals += [
                    Goal(
                        f"CPU of the careful loop, {size}", own["of_careful"], 2.5 if megabytes < 10 else 1.3
                    ),
                    Goal(f"growth of memory, MB, {size}", own["growth_mb"], 100),
                ]
                report(size, found[size])
    keep("relay", vars(options), {"ways": found}, goals)
    bars(
        "relay",
        [
            (f"CPU s per GB, {size}", {way: f["cpu_per_gb"] for way, f in measured.items()})
            for size, measured in found.items()
        ],
    )


def summed(
    runs: list[dict[str, float]], careful: list[dict[str, float]], count: int, gigabytes: float
) -> dict[str, float]:
    """Medians over the rounds; the ratio is computed in each round."""

    def middle(name: str) -> float:
        return statistics.median(run.get(name, 0.0) for run in runs)

    return {
        "of_careful": statistics.median(
            run["cpu"] / other["cpu"] for run, other in zip(runs, careful, strict=True)
        ),
        "cpu_per_gb": middle("cpu") / count / gigabytes,
        "cpu_ms_per_file": 1000 * middle("cpu") / count,
        "inspecting_ms_per_file": 1000 * middle("inspecting") / count,
        "decoders_ms_per_file": 1000 * middle("decoders") / count,
        "growth_mb": middle("growth_mb"),
        "requests_per_file": middle("requests"),
        "mb_per_second": 1000 * gigabytes * count / middle("seconds"),
        "lag_p99_ms": middle("lag_p99_ms"),
    }


def report(size: str, ways: dict[str, dict[str, float]]) -> None:
    head = [
        *(size, "of careful", "CPU s/GB", "CPU ms/file", "for decoders", "decoders ms"),
        *("growth MB", "S3 requests", "MB/s", "lag p99 ms"),
    ]
    rows = [
        [way, f"{one['of_careful']:.2f}", *(f"{one[name]:.1f}" for name in list(one)[1:])]
        for way, one in ways.items()
    ]
    print(table(head, rows), "\n", flush=True)


if __name__ == "__main__":
    main()
