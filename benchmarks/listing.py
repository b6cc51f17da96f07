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
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from benchmarks.bars import bars
from benchmarks.harness import Goal, account, keep, table
from prefect_together_video.blocks.ledger.inventory import take_inventory
from prefect_together_video.blocks.ledger.ledger import Ledger
from prefect_together_video.blocks.ledger.opened import ledger_of
from together_video.ledger.records import RunRef, VideoPlan, VideoRecord
from together_video.ledger.reviews import Mark
from together_video.ledger.settings import ArchiveSettings
from together_video.requests import VideoRequest

_FIRST = datetime(2026, 1, 1, tzinfo=UTC)
#: Videos of one batch; one in so many videos has a mark.
_BATCH, _MARKED = 200, 50
#: What is listed: the newest batches, and the videos with a word in the prompt.
_LISTS = {"batches": ("list",), "videos": ("list", "--search", "kite 4711", "--limit", "30")}


def write(folder: Path, records: int) -> None:
    """Records as a year of batches writes them, and a mark for every fiftieth."""
    (folder / "records").mkdir(parents=True)
    for number in range(records):
        at = _FIRST + timedelta(minutes=5 * number)
        batch = _FIRST + timedelta(minutes=5 * (number - number % _BATCH))
        request = VideoRequest.model_construct(
            model="pixverse/pixverse-v5",
            prompt=f"kite {number} over a stormy sea at dusk, the camera follows it",
            width=864,
            height=480,
            seconds="5",
            labels={"campaign": f"c{number % 7}"},
        )
        video = f"{number * 0x9E3779B97F4A7C15F39CC060 % 2**96:024x}"
        plan = VideoPlan.model_construct(
            request=request, batch_id=f"{batch:%Y%m%dT%H%M%S}-abcdef", estimate_usd=Decimal("0.30")
        )
        record = VideoRecord.model_construct(
            id=video,
            state="archived" if number % 40 else "failed",
            plan=plan,
            job_id=f"job-{number}",
            claimed_at=at,
            submitted_at=at,
            recorded_at=at + timedelta(minutes=2),
            cost_usd=Decimal("0.28"),
            job={
                "id": f"job-{number}",
                "status": "completed",
                "outputs": {"cost": 0.28},
                "model": "pixverse",
            },
            run=RunRef(flow_run_name="a batch", host="worker-1"),
        )
        (folder / "records" / f"{video}.json").write_text(record.model_dump_json(indent=1), encoding="utf-8")
        if number % _MARKED == 0:
            mark = Mark.model_validate(
                {"id": video, "mark": "star", "at": "2026-12-31T12:00:00Z", "who": "Ann"}
            )
            path = folder / "reviews" / video / mark.object_name
            path.parent.mkdir(parents=True)
            path.write_bytes(mark.content)


async def build_index(folder: Path) -> tuple[int, float]:
    """Objects of the index, and seconds that a rebuild takes which reads every record."""
    began = time.perf_counter()
    async with ledger_of(ArchiveSettings(folder=str(folder))) as ledger:
        written = await _rebuild(ledger)
    return written, time.perf_counter() - began


async def _rebuild(ledger: Ledger) -> int:
    return await ledger.index.rebuild((await take_inventory(ledger, {})).recorded)


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
