"""Scale in one process: thousands of videos in one batch, and a batch that is run again.

    python -m benchmarks.scale --videos 2000 --in-flight 1000 --again 1000

The first part watches the memory of the process while it collects videos; the second makes videos and requests the same
ones again. Jobs take `--job-seconds`, long enough for all places to be used.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from benchmarks.bars import bars
from benchmarks.harness import Goal, Measured, Stage, keep, requests_file, stage, table


def batch(made: Stage, file: Path, prefix: str, options: argparse.Namespace) -> Measured:
    """`together-video batch FILE`. Raises RuntimeError if it does not exit with 0."""
    words = ["-m", "benchmarks.contenders.ours", "batch", str(file), "--json"]
    flight = ["--in-flight", str(options.in_flight)]
    environment = {**made.environment(prefix, recorded=options.recorded), "PREFECT_LOGGING_LEVEL": "WARNING"}
    if options.monthly_limit_usd:
        environment["VIDEO_ARCHIVE_MONTHLY_LIMIT_USD"] = str(options.monthly_limit_usd)
    return made.run([*words, *flight], environment)


def page_sizes(made: Stage, prefix: str) -> list[int]:
    return [size for key, size in made.stored(f"{prefix}/batches/").items() if key.endswith(".html")]


def large(made: Stage, options: argparse.Namespace) -> tuple[dict[str, float], list[Goal]]:
    """One large batch. Memory in MB: before the first video, with all places used, at 40 % and at the end."""
    file = requests_file(made.folder, "large", options.videos)
    found = batch(made, file, "large", options)
    samples: list[tuple[int, int, float]] = [tuple(sample) for sample in found.told["memory"]]
    start = samples[0][2]
    full = next(
        (mb for _, taken, mb in samples if taken >= min(options.in_flight, options.videos)), samples[-1][2]
    )
    middle = next(mb for done, _, mb in samples if done >= 0.4 * options.videos)
    sizes = page_sizes(made, "large")
    figures = {
        "seconds": found.wall,
        "cpu_ms_per_video": 1000 * found.cpu / options.videos,
        "s3_requests_per_video": sum(found.s3.values()) / options.videos,
        "start_mb": start,
        "all_in_flight_mb": full,
        "middle_mb": middle,
        "end_mb": samples[-1][2],
        "peak_mb": found.peak_mb,
        "pages": len(sizes),
        "largest_page_kb": max(sizes) / 1e3,
    }
    goals = [
        Goal(f"growth of memory with {options.in_flight} in flight, MB", full - start, 100),
        Goal("memory at the end, of that at 40 %", samples[-1][2] / middle, 1.25),
        Goal("largest gallery page, kB", max(sizes) / 1e3, 2000),
    ]
    return figures, goals


def again(made: Stage, options: argparse.Namespace) -> tuple[dict[str, float], list[Goal]]:
    """A batch that is archived already."""
    file = requests_file(made.folder, "again", options.again)
    batch(made, file, "again", options)
    found = batch(made, file, "again", options)
    states = json.loads(found.output)["counts"]
    if states["reused"] != options.again:
        raise RuntimeError(f"not all were reused: {states}")
    figures = {
        "seconds": found.wall,
        "posts": found.api["posts"],
        "s3_requests_per_video": sum(found.s3.values()) / options.again,
    }
    goals = [
        Goal(f"creates of a re-run of {options.again}", found.api["posts"], 0),
        Goal(f"seconds of a re-run of {options.again}", found.wall, 10),
    ]
    return figures, goals


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--videos", type=int, default=2000)
    parser.add_argument("--in-flight", type=int, default=1000)
    parser.add_argument("--again", type=int, default=1000)
    parser.add_argument("--job-seconds", type=float, default=60)
    parser.add_argument("--recorded", action="store_true", help="as flow runs of a Prefect server")
    parser.add_argument("--monthly-limit-usd", type=float, help="the archive's limit, none by default")
    parser.add_argument("--only", choices=("large", "again"), help="only one of the two parts")
    options = parser.parse_args()
    found, goals = {}, []
    parts = {"large": (large, options.job_seconds), "again": (again, 5.0)}
    for name, (part, job_seconds) in parts.items():
        if options.only not in (None, name):
            continue
        with stage(job_seconds=job_seconds, prefect=options.recorded) as made:
            found[name], met = part(made, options)
        goals += met
        print(table([name, ""], [[what, f"{figure:.4g}"] for what, figure in found[name].items()]), "\n")
    keep("scale", vars(options), {"parts": found}, goals)
    if "large" in found:
        memory = {name: figure for name, figure in found["large"].items() if name.endswith("_mb")}
        bars("scale", [(f"memory, MB, {options.videos} videos, {options.in_flight} in flight", memory)])


if __name__ == "__main__":
    main()
