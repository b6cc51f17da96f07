"""The loop of the API's documents: create, poll every few seconds, download, upload; one video after the other."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import boto3
import httpx
from together import Together

from benchmarks.counting import count_s3, tell


def main(file: str, interval: float) -> None:
    together, s3 = Together(), boto3.client("s3")
    began = time.perf_counter()
    lines = Path(file).read_text().splitlines()
    for number, line in enumerate(lines):
        job = together.videos.create(**json.loads(line))
        while True:
            found = together.videos.retrieve(job.id)
            if found.status == "completed" and found.outputs is not None:
                break
            if found.status == "failed":
                raise RuntimeError(f"job {job.id} failed")
            time.sleep(interval)
        content = httpx.get(str(found.outputs.video_url), follow_redirects=True, timeout=60).content
        key = f"{os.environ['VIDEO_ARCHIVE_PREFIX']}/{number}.mp4"
        s3.put_object(Bucket=os.environ["VIDEO_ARCHIVE_BUCKET"], Key=key, Body=content)
    tell(seconds_a_video=(time.perf_counter() - began) / len(lines))


if __name__ == "__main__":
    count_s3()
    main(sys.argv[1], float(sys.argv[2]))
