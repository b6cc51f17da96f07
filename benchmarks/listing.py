"""`list` of an archive of 100,000 records, with the index and without it, in a folder.

    python -m benchmarks.listing --records 100000 --rounds 3

The records are written once. Each figure is a process of its own, from its start to its end: first without an index,
then with the one that an audit or a collector would have made.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.archived import archived
from benchmarks.bars import bars
from benchmarks.harness import Goal, account, keep, table
from prefect_together_video.blocks.ledger.inventory import take_inventory
from prefect_together_video.blocks.ledger.opened import ledger_of
from together_video.ledger.settings import ArchiveSettings

#: What is listed: the newest batches, and the videos with a word in the prompt.
_LISTS = {"batches": ("list",), "videos": ("list", "--search", "kite 4711", "--limit", "30")}


def write(folder: Path, records: int) -> None:
    """Records as a year of batches writes them, and a mark for every fiftieth. Their files are left out."""
    for objects in archived(range(records)):
        for one in objects:
            if not one.key.startswith("videos/"):
                path = folder / one.key
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(one.content)


async def build_index(folder: Path) -> tuple[int, float]:
    """Objects of the index, and seconds that a rebuild takes which reads every record."""
    began = time.perf_counter()
    async with ledger_of(ArchiveSettings(folder=str(folder))) as ledger:
        before = await ledger.index.keys()
        written = await ledger.index.replace(before, (await take_inventory(ledger)).recorded)
    return written, time.perf_counter() - began


def measure(folder: Path, words: tuple[str, ...]) -> tuple[float, float, float]:
    """Seconds of wall and CPU, and MB of peak memory, of one command.

    Raises:
        RuntimeError: it failed.
    """
    command = [sys.executable, "-m", "prefect_together_video.flows", *words, "--archive-folder", str(folder)]
    wall, cpu, peak_mb, code = account(command, os.environ, subprocess.DEVNULL, None)
    if code:
        raise RuntimeError(f"{' '.join(words)} ended with {code}")
    return wall, cpu, peak_mb


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3, help="with the index; without it there is one")
    options = parser.parse_args()
    found: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory(prefix="together-video-bench-") as place:
        folder = Path(place) / "archive"
        write(folder, options.records)
        # Once, so that neither pays for the first reading of the disk.
        for path in (folder / "records").iterdir():
            path.read_bytes()
        for name, words in _LISTS.items():
            wall, cpu, peak = measure(folder, words)
            found[f"{name}, no index"] = {"wall": wall, "cpu": cpu, "peak_mb": peak}
        objects, seconds = asyncio.run(build_index(folder))
        for name, words in _LISTS.items():
            rounds = sorted(measure(folder, words) for _ in range(options.rounds))
            wall, cpu, peak = rounds[len(rounds) // 2]
            found[f"{name}, index"] = {"wall": wall, "cpu": cpu, "peak_mb": peak}
        size = sum(path.stat().st_size for path in (folder / "index").rglob("*") if path.is_file())
    rows = [[name, *(f"{figure:.3g}" for figure in figures.values())] for name, figures in found.items()]
    print(table(["list", "wall, s", "CPU, s", "peak, MB"], rows), "\n")
    print(f"index: {objects} objects, {size / 1e6:.1f} MB, made in {seconds:.0f} s\n")
    records = f"{options.records:,} records"
    with_it, without = found["batches, index"], found["batches, no index"]
    goals = [
        Goal(f"seconds of list with the index, {records}", with_it["wall"], 3),
        Goal(f"seconds of list --search with the index, {records}", found["videos, index"]["wall"], 3),
        Goal("CPU of list with the index, of that without", with_it["cpu"] / without["cpu"], 0.3),
    ]
    index = {"objects": objects, "mb": size / 1e6, "seconds": seconds}
    keep("listing", vars(options), {"lists": found, "index": index}, goals)
    bars("listing", [(f"seconds of list, {records}", {name: f["wall"] for name, f in found.items()})])


if __name__ == "__main__":
    main()
