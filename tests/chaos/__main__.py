"""`python -m tests.chaos`: kill the commands anywhere, for many rounds, and compare the bill with the archive.

Exit code 0: nothing was paid twice, nothing paid is lost, and everything else is as promised.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import secrets
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.chaos.demo import kill_demo
from tests.chaos.plans import RoundPlan, draw, in_folder, tour, tour_again
from tests.chaos.points import POINTS
from tests.chaos.results import Result, say, summarise, unreached
from tests.chaos.rounds import Round
from tests.chaos.starting import Starter
from tests.chaos.world import World


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--rounds", type=int, default=30, help="how many rounds")
    parser.add_argument(
        "--first", type=int, default=1, help="number of the first round, to repeat one of a seed"
    )
    parser.add_argument("--seed", type=int, help="the same seed draws the same plans")
    parser.add_argument(
        "--tour", action="store_true", help="start with a quick tour that reaches every point once"
    )
    parser.add_argument("--film", action="store_true", help="only rounds of films")
    parser.add_argument("--demo", action="store_true", help="finally kill the demo and run it again")
    parser.add_argument(
        "--archive",
        choices=("bucket", "folder", "both"),
        default="both",
        help="both: in turn",
    )
    parser.add_argument("--jobs", type=int, default=3, help="rounds at the same time")
    parser.add_argument("--folder", type=Path, help="where to keep the evidence of failed rounds")
    options = parser.parse_args()
    seed = secrets.randbelow(10**6) if options.seed is None else options.seed
    folder = options.folder or Path(tempfile.mkdtemp(prefix="chaos-"))
    folder.mkdir(parents=True, exist_ok=True)
    say(f"seed {seed}, {options.rounds} rounds, {options.jobs} at a time; evidence of failures in {folder}")
    rounds = [
        plan_of(seed, number, film=options.film)
        for number in range(options.first, options.first + options.rounds)
    ]
    plans = placed([*(tour(seed) if options.tour else []), *rounds], options.archive)
    began = time.monotonic()
    with contextlib.suppress(KeyboardInterrupt, asyncio.CancelledError):
        results = asyncio.run(play(plans, options.jobs, folder))
        if options.tour and (missed := unreached(results)):
            again = placed(tour_again(seed, missed), options.archive)
            results += asyncio.run(play(again, options.jobs, folder / "again"))
            plans += again
        good = summarise(results, len(plans), seed, time.monotonic() - began, every_point=options.tour)
        if options.demo:
            wrong = kill_demo(folder)
            say(
                "\nthe demo, killed and run again: "
                + ("; ".join(wrong) or "the same videos, four creates in all")
            )
            good = good and not wrong
        if good:
            shutil.rmtree(folder, ignore_errors=True)
        return 0 if good else 1
    say("interrupted")
    return 130


def plan_of(seed: int, number: int, *, film: bool) -> RoundPlan:
    """The first rounds reach each point by name, later ones every second time. `film`: only film points."""
    points = [point for point in POINTS if point.source == "film"] if film else POINTS
    if number <= len(points):
        return draw(seed, number, point=points[number - 1], film=film)
    turn, free = divmod(number - len(points) - 1, 2)
    return draw(seed, number, point=None if free == 0 else points[turn % len(points)], film=film)


def placed(rounds: list[RoundPlan], archive: str) -> list[RoundPlan]:
    """The rounds in a bucket, in a folder, or in both in turn."""
    if archive == "bucket":
        return rounds
    return [in_folder(plan) if archive == "folder" or plan.number % 2 == 0 else plan for plan in rounds]


async def play(plans: list[RoundPlan], jobs: int, folder: Path) -> list[Result]:
    """Play all rounds, some at a time. No process is left, whatever happens."""
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, asyncio.current_task().cancel)  # type: ignore[union-attr]
    world = World(folder / "servers")
    results: list[Result] = []
    rest: Iterator[RoundPlan] = iter(plans)
    try:
        async with Starter(folder / "home") as starter:

            async def work() -> None:
                for plan in rest:
                    evidence = folder / f"round-{plan.number:05}"
                    result = await Round(world, starter, plan, evidence).play()
                    results.append(result)
                    say(result.line)
                    verdict = result.verdict
                    for kind in ("duplicates", "losses", "surprises"):
                        for words in getattr(verdict, kind):
                            say(f"            {kind}: {words}")
                    if verdict.is_good:
                        shutil.rmtree(evidence)
                    else:
                        say(f"            evidence: {evidence}")

            async with asyncio.TaskGroup() as workers:
                for _ in range(jobs):
                    workers.create_task(work())
    finally:
        world.close()
    return results


if __name__ == "__main__":
    sys.exit(main())
