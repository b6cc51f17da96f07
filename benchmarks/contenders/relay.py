"""One way to bring files from links into the bucket, all at once: `WAY URL COUNT`.

ours    the project's own tasks: spool, hash, fsync, probe, PUT, poster, record, clean-up
spool   of that the spool file, its hash, fsync and the PUT alone
memory  each file whole in memory, its hash, the PUT
boto3   a copy loop in threads: to a file without fsync or hash, then a PUT as boto3 makes it of itself
raw     the same loop with a PUT of which the server checks nothing
curl    curl to a file, then that PUT
"""

from __future__ import annotations

import asyncio
import hashlib
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import boto3
import httpx
from botocore.config import Config

from benchmarks.counting import tell
from prefect_together_video.blocks.archive import VideoArchive
from prefect_together_video.blocks.credentials import TogetherCredentials
from prefect_together_video.blocks.ledger.ledger import Ledger
from prefect_together_video.blocks.s3.client import make_client
from prefect_together_video.tasks.running.runs import step
from prefect_together_video.tasks.steps.archive import store_clip
from prefect_together_video.tasks.steps.download import fetch_clip
from prefect_together_video.tasks.steps.purchase import Purchase
from together_video.api.client import TogetherClient
from together_video.jobs import VideoJob
from together_video.ledger.records import Submission, VideoPlan
from together_video.ledger.spool import Spool
from together_video.requests import VideoRequest

AT_ONCE = 32
_TICK = 0.005

Bring = Callable[[int], Awaitable[None]]


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
        clip = await step(fetch_clip, purchase, job, client, ledger, spool)
        await step(store_clip, purchase, job, clip, ledger, spool)

    return bring


async def put(ledger: Ledger, number: int, source: Path | bytes, sha256: str) -> None:
    """Raises RuntimeError where the key is taken: nothing would be sent then."""
    key = ledger.layout.key("relay", f"{number}.mp4")
    if not await ledger.store.put_file_once(key, source, sha256, "video/mp4"):
        raise RuntimeError(f"{key} was there before")


def spool(url: str, folder: Path, client: TogetherClient, ledger: Ledger) -> Bring:
    async def bring(number: int) -> None:
        file = await client.download(url, folder / f"{number}.mp4", max_bytes=10**9)
        await put(ledger, number, file.path, file.sha256)
        file.path.unlink()

    return bring


def memory(url: str, web: httpx.AsyncClient, ledger: Ledger) -> Bring:
    async def bring(number: int) -> None:
        data = (await web.get(url)).content
        sha256 = await asyncio.to_thread(lambda: hashlib.sha256(data).hexdigest())
        await put(ledger, number, data, sha256)

    return bring


def copying(way: str, url: str, folder: Path, bucket: str) -> Bring:
    s3 = (
        boto3.client("s3", config=Config(max_pool_connections=64))
        if way == "boto3"
        else make_client(None, 64)
    )
    threads = ThreadPoolExecutor(AT_ONCE)

    def copy(number: int) -> None:
        path = folder / f"{number}.mp4"
        if way == "curl":
            subprocess.run(["curl", "-sf", "--noproxy", "*", "-o", str(path), url], check=True)
        else:
            with urllib.request.urlopen(url) as source, path.open("wb") as out:  # noqa: S310 - our own server
                while piece := source.read(1 << 20):
                    out.write(piece)
        with path.open("rb") as body:
            s3.put_object(Bucket=bucket, Key=f"{way}/{number}.mp4", Body=body)
        path.unlink()

    async def bring(number: int) -> None:
        await asyncio.get_running_loop().run_in_executor(threads, copy, number)

    return bring


async def ticking(lags: list[float]) -> None:
    """How much later than asked for the event loop comes back, in seconds."""
    while True:
        began = time.perf_counter()
        await asyncio.sleep(_TICK)
        lags.append(time.perf_counter() - began - _TICK)


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


async def main(way: str, url: str, count: int) -> None:
    archive = VideoArchive.from_env()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        async with (
            TogetherCredentials.from_env().get_client() as client,
            archive.open() as ledger,
            httpx.AsyncClient(timeout=120) as web,
        ):
            await ledger.check()
            if way == "ours":
                bring = await ours(url, count, client, ledger)
            elif way == "spool":
                bring = spool(url, folder, client, ledger)
            elif way == "memory":
                bring = memory(url, web, ledger)
            else:
                bring = copying(way, url, folder, archive.bucket)
            # The first file loads the decoder and opens connections: no batch pays for that twice.
            await bring(count)
            lags: list[float] = []
            before = peak_mb()
            watch = asyncio.create_task(ticking(lags))
            began = time.perf_counter()
            await asyncio.gather(*(bring(number) for number in range(count)))
            seconds = time.perf_counter() - began
            watch.cancel()
            with suppress(asyncio.CancelledError):
                await watch
    tell(
        seconds=seconds,
        growth_mb=peak_mb() - before,
        lag_max_ms=1000 * max(lags),
        lag_p99_ms=1000 * statistics.quantiles(lags, n=100)[98],
    )


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
