"""Joining: clips made into one film, compared with FFmpeg's own command for the same task.

    python -m benchmarks.joining --clips 20 --encoded 2

Copied: `ffmpeg -f concat -c copy` with its index in front, and the same with our promises (the file is on disk at the
    end, and its SHA-256 is known). Encoded: clips of 720p into 1080p, compared with FFmpeg's filter graph with the same
    encoder settings. Wall and CPU seconds; ours include the start of the joining process. Finally, the peak memory of
    that process for films of few and of many 4K shots.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import resource
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.children import working_folder
from benchmarks.harness import Goal, keep, table
from together_video.joining import conversation
from together_video.joining.cuts import Cut, Piece
from together_video.joining.join import join

_SOURCE = (
    "-f lavfi -i testsrc2=s={size}:r=24:d={seconds} -f lavfi -i sine=440:d={sound}:r=48000 "
    "-vf noise=alls={noise}:allf=t "
    "-c:v libx264 -preset veryfast {rate} -pix_fmt yuv420p -c:a aac -ac 2 -b:a 128k"
)
_PRESET, _CRF = "veryfast", 20
_WORKER = b"joining.isolated.worker"
#: Numbers of 4K shots, and how many more MB the longer film may need.
_SHOTS, _MORE = (4, 16), 25


def ffmpeg(words: str, *more: str) -> None:
    command = ["ffmpeg", "-v", "error", "-nostdin", "-y", *words.split(), *more]
    subprocess.run(command, check=True)


def clip(path: Path, size: str, seconds: int, *, rate: str, noise: int) -> Path:
    """A clip with sound 20 ms longer than its pictures, like many generators' clips."""
    words = _SOURCE.format(size=size, seconds=seconds, sound=seconds + 0.02, noise=noise, rate=rate)
    ffmpeg(words, str(path))
    return path


def measured(make: Callable[[], object]) -> tuple[float, float]:
    """Wall and CPU seconds, including those of the processes that it starts."""

    def cpu() -> float:
        both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        return sum(one.ru_utime + one.ru_stime for one in both)

    before, began = cpu(), time.perf_counter()
    make()
    wall = time.perf_counter() - began
    conversation.close()  # only ended processes are counted
    return wall, cpu() - before


def in_turn(ways: dict[str, Callable[[], object]], rounds: int) -> dict[str, dict[str, float]]:
    """The median of each way, measured in turn, so that a slower machine affects all of them."""
    found: dict[str, list[tuple[float, float]]] = {way: [] for way in ways}
    for _ in range(rounds):
        for way, make in ways.items():
            found[way].append(measured(make))
    return {
        way: {
            "wall": statistics.median(wall for wall, _ in runs),
            "cpu": statistics.median(cpu for _, cpu in runs),
        }
        for way, runs in found.items()
    }


def copying(folder: Path, count: int, rounds: int) -> dict[str, dict[str, float]]:
    first = clip(folder / "0.mp4", "1920x1080", 8, rate="-b:v 10M", noise=20)
    paths = [first, *(folder / f"{number}.mp4" for number in range(1, count))]
    for path in paths[1:]:
        shutil.copyfile(first, path)
    listed = folder / "list.txt"
    listed.write_text("".join(f"file '{path}'\n" for path in paths), encoding="utf-8")
    theirs = folder / "ffmpeg.mp4"

    def bare() -> None:
        ffmpeg(f"-f concat -safe 0 -i {listed} -c copy -movflags +faststart", str(theirs))

    def careful() -> None:
        bare()
        subprocess.run(["sync", "-d", str(theirs)], check=True)
        subprocess.run(["openssl", "dgst", "-sha256", str(theirs)], check=True, stdout=subprocess.DEVNULL)

    def ours() -> None:
        film = join(Cut(pieces=[Piece(path=path) for path in paths]), folder / "ours.mp4")
        if film.encoded or film.sound != "copied":
            raise RuntimeError("the clips were not copied")

    return in_turn({"ours": ours, "ffmpeg": bare, "ffmpeg, synced and hashed": careful}, rounds)


def encoding(folder: Path, count: int, rounds: int) -> dict[str, dict[str, float]]:
    paths = [clip(folder / f"e{n}.mp4", "1280x720", 4, rate="", noise=4) for n in range(count)]
    inputs = " ".join(f"-i {path}" for path in paths)
    steps = "scale=1920:1080:flags=bicubic,setsar=1,fps=24,format=yuv420p"
    graph = ";".join(f"[{n}:v]{steps}[v{n}]" for n in range(count))
    graph += ";" + "".join(f"[v{n}][{n}:a]" for n in range(count)) + f"concat=n={count}:v=1:a=1[v][a]"
    coding = f"-c:v libx264 -preset {_PRESET} -crf {_CRF} -c:a aac -b:a 192k -movflags +faststart"

    def theirs() -> None:
        ffmpeg(f"{inputs} -filter_complex {graph} -map [v] -map [a] {coding}", str(folder / "graph.mp4"))

    def ours() -> None:
        pieces = [Piece(path=path) for path in paths]
        join(Cut(pieces=pieces, width=1920, height=1080, preset=_PRESET, crf=_CRF), folder / "coded.mp4")

    return in_turn({"ours": ours, "ffmpeg": theirs}, rounds)


def peak_mb(cut: Cut, out: Path) -> float:
    """The peak memory of the joining process, in MB (Linux)."""
    conversation.close()
    found = [0]

    def look(*_: int) -> None:
        for status in Path("/proc").glob("[0-9]*/status"):
            with contextlib.suppress(OSError):
                fields = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
                if int(fields["PPid"]) == os.getpid() and _WORKER in (status.parent / "cmdline").read_bytes():
                    found[0] = max(found[0], int(fields["VmHWM"].split()[0]))

    join(cut, out, progress=look)
    look()
    return found[0] / 1024


def memory(folder: Path) -> dict[str, dict[str, float]]:
    """Films of few and of many 4K shots, copied, and encoded with crossfades."""
    path = clip(folder / "4k.mp4", "3840x2160", 1, rate="-b:v 20M -frames:v 6", noise=0)
    found: dict[str, dict[str, float]] = {}
    for way, crossfade in (("copied", 0.0), ("encoded", 0.1)):
        found[way] = {}
        for count in _SHOTS:
            pieces = [Piece(path=path), *[Piece(path=path, crossfade=crossfade)] * (count - 1)]
            cut = Cut(pieces=pieces, preset="ultrafast", fade_in=crossfade)
            found[way][f"{count} shots"] = peak_mb(cut, folder / "4k-film.mp4")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--clips", type=int, default=20, help="clips of 8 s and 1080p to copy")
    parser.add_argument("--encoded", type=int, default=2, help="clips of 4 s to encode")
    parser.add_argument("--rounds", type=int, default=3, help="rounds; the median counts")
    options = parser.parse_args()
    if shutil.which("ffmpeg") is None:
        raise SystemExit("FFmpeg's command is not installed here: there is nothing to compare with.")
    with working_folder() as folder:
        found = {
            "copied": copying(folder, options.clips, options.rounds),
            "encoded": encoding(folder, options.encoded, options.rounds),
        }
        peaks = memory(folder) if sys.platform == "linux" else {}
    goals = []
    for task, bound in (("copied", 1.2), ("encoded", 1.15)):
        ways = found[task]
        rows = [[way, f"{one['wall']:.2f}", f"{one['cpu']:.2f}"] for way, one in ways.items()]
        print(table([task, "wall s", "CPU s"], rows), "\n", flush=True)
        goals += [
            Goal(f"{task}: {what} of ffmpeg", ways["ours"][what] / ways["ffmpeg"][what], bound)
            for what in ("wall", "cpu")
        ]
    rows = [[way, *(f"{one:.0f}" for one in by_count.values())] for way, by_count in peaks.items()]
    print(table(["4K, peak MB", *(f"{count} shots" for count in _SHOTS)], rows), "\n", flush=True)
    goals += [
        Goal(f"{way}, 4K: MB more for {_SHOTS[1]} shots than for {_SHOTS[0]}", many - few, _MORE)
        for way, (few, many) in ((way, tuple(one.values())) for way, one in peaks.items())
    ]
    keep("joining", vars(options), {**found, "memory": peaks}, goals)


if __name__ == "__main__":
    main()
