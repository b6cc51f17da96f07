"""Overhead: the same videos made by this project, a bare script, plain Prefect and the documents' loop.

    python -m benchmarks.batch

All videos are in flight at once, in one session on one machine, with a new sandbox and a new S3 server for each
contender. Each contender is a separate process; CPU and memory are those of this process alone. The others poll at a
fixed interval, like the documents; ours polls adaptively, and in a separate row at that interval, to distinguish the
overhead from the polling (see polling.py). No two jobs take the same time: if all ended at a multiple of that interval,
the others would notice each end immediately (`--spread 0`).
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

from benchmarks.bars import bars
from benchmarks.harness import Goal, Measured, Stage, keep, requests_file, stage, table

#: The beginnings of our own contenders' names.
_OURS = ("ours", "the public tasks")


@dataclass(frozen=True)
class Contender:
    name: str
    words: tuple[str, ...]
    recorded: bool = False
    #: The documents' loop would take hours: it makes this many, and the rest is extrapolated.
    videos: int | None = None


def contenders(options: argparse.Namespace) -> list[Contender]:
    ours = ("-m", "benchmarks.contenders.ours", "batch", "FILE", "--json")
    flight = ("--in-flight", str(min(options.videos, 1000)))
    evenly = ("--poll-interval", str(options.interval))
    every = {
        "ours": Contender("ours, recorded by Prefect", (*ours, *flight), recorded=True),
        "mapped": Contender(
            "the public tasks, mapped", ("-m", "benchmarks.contenders.mapped", "FILE"), recorded=True
        ),
        "alone": Contender("ours, without a server", (*ours, *flight)),
        "even": Contender(
            f"ours, recorded, polling every {options.interval:g} s", (*ours, *flight, *evenly), recorded=True
        ),
        "profiled": Contender(
            "ours, recorded by Prefect, with samples",
            ("-m", "benchmarks.contenders.profiled", "batch", "FILE", "--json", *flight),
            recorded=True,
        ),
        "bare": Contender(
            "bare asyncio script", ("-m", "benchmarks.contenders.bare", "FILE", str(options.interval))
        ),
        "plain": Contender(
            "plain Prefect, mapped on threads",
            ("-m", "benchmarks.contenders.plain", "FILE", str(options.interval)),
            recorded=True,
        ),
        "loop": Contender(
            "the documents' loop, extrapolated",
            ("-m", "benchmarks.contenders.loop", "FILE", str(options.interval)),
            videos=1,
        ),
    }
    return [every[name] for name in options.only.split(",")]


def run(made: Stage, contender: Contender, options: argparse.Namespace, folder: Path) -> Measured:
    """Run one contender with its own requests. Raises RuntimeError if a video is missing in the bucket."""
    count = contender.videos or options.videos
    prefix = "".join(letter if letter.isalnum() else "-" for letter in contender.name)
    file = requests_file(folder, prefix, count)
    words = [str(file) if word == "FILE" else word for word in contender.words]
    environment = made.environment(prefix, recorded=contender.recorded)
    before = made.server_cpu()
    found = made.run(words, {**environment, "PREFECT_LOGGING_LEVEL": "WARNING"})
    found.told["server_cpu"] = made.server_cpu() - before
    films = [key for key in made.stored(f"{prefix}/") if key.endswith(".mp4")]
    if len(films) != count:
        raise RuntimeError(f"{contender.name}: {len(films)} of {count} videos are in the bucket")
    return found


def figures(found: Measured, contender: Contender, videos: int) -> dict[str, float]:
    """Figures per video, except for the wall time and the memory."""
    made = contender.videos or videos
    return {
        "wall_seconds": found.told.get("seconds_a_video", 0) * videos or found.wall,
        "cpu_ms_per_video": 1000 * found.cpu / made,
        "server_cpu_ms_per_video": 1000 * found.told["server_cpu"] / made,
        "api_requests_per_video": sum(found.api.values()) / made,
        "s3_requests_per_video": sum(found.s3.values()) / made,
        "peak_mb": found.peak_mb,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--videos", type=int, default=500)
    parser.add_argument("--job-seconds", type=float, default=60, help="on average")
    parser.add_argument("--spread", type=float, default=10, help="seconds by which jobs vary")
    parser.add_argument("--interval", type=float, default=5)
    parser.add_argument(
        "--only",
        default="ours,mapped,bare,alone,even,plain,loop",
        help="contenders, in this order; 'profiled' is possible too",
    )
    parser.add_argument("--rounds", type=int, default=1, help="the best round counts, for each figure")
    options = parser.parse_args()
    found: dict[str, dict[str, float]] = {}
    calls: dict[str, dict[str, int]] = {}
    profiles: list[dict[str, dict[str, float]]] = []
    for contender in contenders(options) * options.rounds:
        # Prefect's server keeps working for half a minute after a run: the next contender must not wait for it.
        # One job can represent all only if it takes as long as they do on average.
        spread = options.spread if contender.videos is None else 0
        with stage(job_seconds=options.job_seconds, spread=spread, prefect=contender.recorded) as made:
            try:
                one = run(made, contender, options, made.folder)
            except RuntimeError as error:
                if contender.name.startswith(_OURS):
                    raise
                # A script without retries ends with the first broken connection; the others continue.
                print(f"{contender.name}: failed. {str(error).splitlines()[-1]}", flush=True)
                continue
        print(f"{contender.name}: {one.wall:.1f} s, CPU {one.cpu:.1f} s", flush=True)
        if samples := one.told.get("samples"):
            profiles.append({"samples": samples, "threads": one.told["threads"]})
            print(profile(samples, one.told["threads"]), flush=True)
        now = figures(one, contender, options.videos)
        before = found.setdefault(contender.name, now)
        found[contender.name] = {name: min(figure, before[name]) for name, figure in now.items()}
        calls[contender.name] = one.s3
    bare = found.get("bare asyncio script")
    rows = [
        [
            name,
            f"{one['wall_seconds']:.1f}",
            f"{one['wall_seconds'] / bare['wall_seconds']:.2f}" if bare else "",
            f"{one['cpu_ms_per_video']:.1f}",
            f"{one['server_cpu_ms_per_video']:.1f}",
            f"{one['api_requests_per_video']:.1f}",
            f"{one['s3_requests_per_video']:.2f}",
            f"{one['peak_mb']:.0f}",
        ]
        for name, one in found.items()
    ]
    head = ["", "wall s", "of bare", "CPU ms/video", "Prefect's server", "API/video", "S3/video", "peak MB"]
    print(
        f"\n{options.videos} videos, jobs of {options.job_seconds:g} ± {options.spread:g} s, all in flight"
        f"\n\n{table(head, rows)}\n"
    )
    keep(
        "batch",
        vars(options),
        {"contenders": found, "s3_requests": calls, "profiles": profiles},
        goals(found),
    )
    bars(
        "batch",
        [
            (
                "wall, seconds (without the loop)",
                {n: f["wall_seconds"] for n, f in found.items() if "loop" not in n},
            ),
            ("CPU, ms a video", {n: f["cpu_ms_per_video"] for n, f in found.items()}),
            ("peak memory, MB", {n: f["peak_mb"] for n, f in found.items()}),
        ],
    )


def profile(samples: dict[str, int], threads: dict[str, float]) -> str:
    """Whose code the main thread ran, and how much CPU each thread took."""
    whole = sum(samples.values()) or 1
    owners = sorted(samples.items(), key=lambda pair: -pair[1])
    of_threads = sorted(threads.items(), key=lambda pair: -pair[1])
    return "\n".join(
        [
            table(["samples", "%"], [[name, f"{100 * count / whole:.0f}"] for name, count in owners]),
            table(
                ["threads", "CPU s"], [[name, f"{taken:.1f}"] for name, taken in of_threads if taken >= 0.1]
            ),
        ]
    )


def goals(found: dict[str, dict[str, float]]) -> list[Goal]:
    """The goals for which both contenders ran."""
    ours = found.get("ours, recorded by Prefect")
    if ours is None:
        return []
    made = [Goal("S3 requests a video", ours["s3_requests_per_video"], 8)]
    if alone := found.get("ours, without a server"):
        made.append(
            Goal(
                "recorded by Prefect, wall, of unrecorded", ours["wall_seconds"] / alone["wall_seconds"], 1.05
            )
        )
    if bare := found.get("bare asyncio script"):
        made.append(Goal("wall, of the bare script", ours["wall_seconds"] / bare["wall_seconds"], 1.10))
    if plain := found.get("plain Prefect, mapped on threads"):
        cpu = ours["cpu_ms_per_video"] / plain["cpu_ms_per_video"]
        made.append(Goal("CPU, of plain Prefect", cpu, 0.5))
    if mapped := found.get("the public tasks, mapped"):
        wall = mapped["wall_seconds"] / ours["wall_seconds"]
        made.append(Goal("the public tasks mapped, wall, of our batch", wall, 1.25))
    return made


if __name__ == "__main__":
    main()
