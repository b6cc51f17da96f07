"""One way to copy files from links into the bucket, many at once: `WAY URL COUNT CORE`.

ours    the project's own two tasks: spool, hash, fsync, probe, PUT, poster, record, clean-up
spool   only the spool file, its hash, fsync and the PUT

The others are loops: see `copying`.
"""

from __future__ import annotations

import asyncio
import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

from benchmarks.contenders.copying import copier, copy_all
from benchmarks.counting import count_s3, tell
from prefect_together_video.blocks.archive import VideoArchive
from prefect_together_video.blocks.credentials import TogetherCredentials
from prefect_together_video.blocks.ledger.ledger import Ledger
from prefect_together_video.tasks.running.runs import step
from prefect_together_video.tasks.steps import download
from prefect_together_video.tasks.steps.archive import store_clip
from prefect_together_video.tasks.steps.purchase import Purchase
from together_video.api.client import TogetherClient
from together_video.jobs import VideoJob
from together_video.ledger.records import Submission, VideoPlan
from together_video.ledger.spool import Spool
from together_video.media.clips import Inspection, inspect_clip
from together_video.media.isolation import pool
from together_video.requests import VideoRequest

#: Seconds between two checks of the event loop's lag: few, because they cost CPU too.
_TICK = 0.02

Bring = Callable[[int], Awaitable[None]]


class Bill:
    """The CPU time and memory of this process and its decoders from now on."""

    def __init__(self) -> None:
        #: CPU seconds of this process in `inspect_clip`: its work for a decoder.
        self.inspecting = 0.0
        self._cpu, self._decoders, self._peak = _cpu(), _cpu_of_decoders(), _peak_mb()
        self._began = time.perf_counter()

    def inspect(self, path: Path) -> Inspection:
        began = time.thread_time()
        try:
            return inspect_clip(path)
        finally:
            self.inspecting += time.thread_time() - began

    def figures(self) -> dict[str, float]:
        return {
            "seconds": time.perf_counter() - self._began,
            "cpu": _cpu() - self._cpu - self.inspecting,
            "inspecting": self.inspecting,
            "decoders": _cpu_of_decoders() - self._decoders,
            "growth_mb": _peak_mb() - self._peak,
        }


def _cpu(who: int = resource.RUSAGE_SELF) -> float:
    usage = resource.getrusage(who)
    return usage.ru_utime + usage.ru_stime


def _cpu_of_decoders() -> float:
    """CPU seconds of ended and running decoders, by Linux's clock for each process."""
    running = sum(time.clock_gettime((~pid << 3) | 2) for pid in pool.workers())
    return _cpu(resource.RUSAGE_CHILDREN) + running


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


async def ours(url: str, count: int, client: TogetherClient, ledger: Ledger) -> Bring:
    spool = Spool()
    bought = []
    for number in range(count + 1):
        plan = VideoPlan(request=VideoRequest(model="m", prompt=f"file {number}"))
        claim = await ledger.claim(plan, valid_seconds=250)
        if claim is None:
            raise RuntimeError("this bucket has been used before")
        outputs = {"video_url": url, "cost": 0.01}
        job = VideoJob.from_json({"id": f"job-{number}", "status": "completed", "outputs": outputs})
        submission = await ledger.submitted(Submission.of(claim, job))
        bought.append((Purchase(claim=claim, submission=submission), job))

    async def bring(number: int) -> None:
        purchase, job = bought[number]
        clip = await step(download.fetch_clip, purchase, job, client, ledger, spool)
        await step(store_clip, purchase, job, clip, ledger, spool)

    return bring


def spool(url: str, folder: Path, client: TogetherClient, ledger: Ledger) -> Bring:
    async def bring(number: int) -> None:
        file = await client.download(url, folder / f"{number}.mp4", max_bytes=10**9)
        key = ledger.layout.key("relay", f"{number}.mp4")
        if not await ledger.store.put_file_once(key, file.path, file.sha256, "video/mp4"):
            raise RuntimeError(f"{key} was there before")
        file.path.unlink()

    return bring


async def _tick(lags: list[float]) -> None:
    """Measure how late the event loop returns, in seconds."""
    while True:
        began = time.perf_counter()
        await asyncio.sleep(_TICK)
        lags.append(time.perf_counter() - began - _TICK)


async def relay(way: str, url: str, count: int, folder: Path) -> None:
    requests = count_s3()
    async with (
        TogetherCredentials.from_env().get_client() as client,
        VideoArchive.from_env().open() as ledger,
    ):
        await ledger.check()
        bring = (
            await ours(url, count, client, ledger) if way == "ours" else spool(url, folder, client, ledger)
        )
        # The first file loads the decoder and opens connections, which a batch does only once.
        await bring(count)
        before, lags = sum(requests.values()), list[float]()
        bill = Bill()
        download.inspect_clip = bill.inspect
        watch = asyncio.create_task(_tick(lags))
        await asyncio.gather(*(bring(number) for number in range(count)))
        figures = bill.figures()
        watch.cancel()
        with suppress(asyncio.CancelledError):
            await watch
    tell(
        **figures,
        requests=(sum(requests.values()) - before) / count,
        lag_max_ms=1000 * max(lags),
        lag_p99_ms=1000 * statistics.quantiles(lags, n=100)[98],
    )


def loop(way: str, url: str, count: int, folder: Path) -> None:
    archive = VideoArchive.from_env()
    copy = copier(way, url, folder, archive.bucket, archive.prefix)
    copy(count)
    bill = Bill()
    copy_all(copy, range(count))
    tell(**bill.figures(), requests=1)


def main(way: str, url: str, count: int, core: int) -> None:
    os.sched_setaffinity(0, {core})
    with tempfile.TemporaryDirectory() as place:
        if way in {"ours", "spool"}:
            asyncio.run(relay(way, url, count, Path(place)))
        else:
            loop(way, url, count, Path(place))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
