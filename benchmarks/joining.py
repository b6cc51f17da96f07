"""Joining: clips made into one film, against FFmpeg's own command at the same task.

    python -m benchmarks.joining --clips 20 --encoded 2

Copied: `ffmpeg -f concat -c copy` with its index in front; beside it the same with the promises that a film of ours
keeps (the file is on disk when it is done, and its SHA-256 is known). Encoded: clips of 720p into 1080p, against
FFmpeg's filter graph with the same encoder settings. Wall and CPU seconds, ours with the start of the process that
joins.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import statistics
import subprocess
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


def ffmpeg(words: str, *more: str) -> None:
    command = ["ffmpeg", "-v", "error", "-nostdin", "-y", *words.split(), *more]
    subprocess.run(command, check=True)


def clip(path: Path, size: str, seconds: int, *, rate: str, noise: int) -> Path:
    """A clip whose sound is 20 ms longer than its pictures, as generators' often are."""
    words = _SOURCE.format(size=size, seconds=seconds, sound=seconds + 0.02, noise=noise, rate=rate)
    ffmpeg(words, str(path))
    return path


def measured(make: Callable[[], object]) -> tuple[float, float]:
    """Wall and CPU seconds, with those of processes that it starts."""

    def cpu() -> float:
        both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        return sum(one.ru_utime + one.ru_stime for one in both)

    before, began = cpu(), time.perf_counter()
    make()
    wall = time.perf_counter() - began
    conversation.close()  # only a process that has ended is counted
    return wall, cpu() - before


def in_turn(ways: dict[str, Callable[[], object]], rounds: int) -> dict[str, dict[str, float]]:
    """The median of each way, measured in turn, so that a machine that slows down slows all of them."""
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


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--clips", type=int, default=20, help="of 8 s and 1080p that are copied")
    parser.add_argument("--encoded", type=int, default=2, help="clips of 4 s that are encoded")
    parser.add_argument("--rounds", type=int, default=3, help="the median of them counts")
    options = parser.parse_args()
    if shutil.which("ffmpeg") is None:
        raise SystemExit("FFmpeg's command is not installed here: there is nothing to compare with.")
    with working_folder() as folder:
        found = {
            "copied": copying(folder, options.clips, options.rounds),
            "encoded": encoding(folder, options.encoded, options.rounds),
        }
    goals = []
    for task, bound in (("copied", 1.2), ("encoded", 1.15)):
        ways = found[task]
        rows = [[way, f"{one['wall']:.2f}", f"{one['cpu']:.2f}"] for way, one in ways.items()]
        print(table([task, "wall s", "CPU s"], rows), "\n", flush=True)
        goals += [
            Goal(f"{task}: {what} of ffmpeg", ways["ours"][what] / ways["ffmpeg"][what], bound)
            for what in ("wall", "cpu")
        ]
    keep("joining", vars(options), found, goals)


if __name__ == "__main__":
    main()
