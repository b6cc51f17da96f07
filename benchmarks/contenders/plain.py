"""Prefect like in its documentation: four tasks, mapped one after the other on the thread pool runner."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import boto3
import httpx
from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.task_runners import ThreadPoolTaskRunner
from together import Together

from benchmarks.counting import count_s3

together = Together()
s3 = boto3.client("s3")


@task(retries=2, cache_policy=NO_CACHE)
def create_video(request: dict[str, Any]) -> str:
    return str(together.videos.create(**request).id)


@task(retries=2, cache_policy=NO_CACHE)
def poll_video(job_id: str, interval: float) -> str:
    while True:
        time.sleep(interval)
        job = together.videos.retrieve(job_id)
        if job.status == "failed":
            raise RuntimeError(f"job {job_id} failed")
        if job.status == "completed" and job.outputs is not None:
            return str(job.outputs.video_url)


@task(retries=2, cache_policy=NO_CACHE)
def download_video(url: str) -> bytes:
    return httpx.get(url, follow_redirects=True, timeout=60).raise_for_status().content


@task(retries=2, cache_policy=NO_CACHE)
def archive_video(content: bytes, number: int) -> str:
    key = f"{os.environ['VIDEO_ARCHIVE_PREFIX']}/{number}.mp4"
    s3.put_object(Bucket=os.environ["VIDEO_ARCHIVE_BUCKET"], Key=key, Body=content, ContentType="video/mp4")
    return key


@flow(task_runner=ThreadPoolTaskRunner())  # type: ignore[arg-type]
def make_videos(requests: list[dict[str, Any]], interval: float) -> list[str]:
    jobs = create_video.map(requests)
    links = poll_video.map(jobs, interval)
    contents = download_video.map(links)
    return archive_video.map(contents, list(range(len(requests)))).result()


if __name__ == "__main__":
    count_s3()
    lines = Path(sys.argv[1]).read_text().splitlines()
    make_videos([json.loads(line) for line in lines], float(sys.argv[2]))
