"""The minimum: asyncio, the official SDK, httpx, and boto3 in threads. No claims, no checks, no records."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3
import httpx
from botocore.config import Config
from together import AsyncTogether

from benchmarks.counting import count_s3


async def main(file: str, interval: float) -> None:
    requests = [json.loads(line) for line in Path(file).read_text().splitlines()]
    bucket, prefix = os.environ["VIDEO_ARCHIVE_BUCKET"], os.environ["VIDEO_ARCHIVE_PREFIX"]
    s3 = boto3.client("s3", config=Config(max_pool_connections=64))
    threads = ThreadPoolExecutor(64)
    limits = httpx.Limits(max_connections=200)
    async with AsyncTogether(max_retries=2) as together, httpx.AsyncClient(limits=limits, timeout=60) as web:

        async def one(number: int, request: dict[str, object]) -> None:
            job = await together.videos.create(**request)  # type: ignore[arg-type]
            while True:
                await asyncio.sleep(interval)
                found = await together.videos.retrieve(job.id)
                if found.status == "failed":
                    raise RuntimeError(f"job {job.id} failed")
                if found.status == "completed" and found.outputs is not None:
                    break
            answer = await web.get(str(found.outputs.video_url), follow_redirects=True)
            answer.raise_for_status()

            def upload() -> None:
                key = f"{prefix}/{number}.mp4"
                s3.put_object(Bucket=bucket, Key=key, Body=answer.content, ContentType="video/mp4")

            await asyncio.get_running_loop().run_in_executor(threads, upload)

        await asyncio.gather(*(one(number, request) for number, request in enumerate(requests)))


if __name__ == "__main__":
    count_s3()
    asyncio.run(main(sys.argv[1], float(sys.argv[2])))
