"""Read prompts from a bucket and keep the videos and a report there, with one block of prefect-aws.

    python examples/with_prefect_aws.py

First save an S3 Bucket block `videos` with AWS Credentials, and upload `briefs/prompts.txt`: one prompt per line.
The archive uses the same bucket and the same credentials, under its own prefix.
"""

from __future__ import annotations

import asyncio
import json

from prefect import flow
from prefect_aws import S3Bucket

from prefect_together_video import VideoArchive, amake_video


@flow(log_prints=True)
async def with_prefect_aws(block: str = "videos", prompts: str = "briefs/prompts.txt") -> None:
    bucket: S3Bucket = await S3Bucket.aload(block)
    archive = VideoArchive(bucket=bucket.bucket_name, prefix="archive", credentials=bucket.credentials)

    text = (await bucket.aread_path(prompts)).decode()
    requests = [{"prompt": line, "width": 864, "height": 480} for line in text.splitlines() if line.strip()]
    videos = await asyncio.gather(*(amake_video(request, archive=archive) for request in requests))

    rows = [{"prompt": video.prompt, "uri": video.uri, "cost_usd": str(video.cost_usd)} for video in videos]
    report = await bucket.awrite_path("reports/videos.json", json.dumps(rows, indent=1).encode())
    print(f"{len(videos)} videos; the report is {report}")


if __name__ == "__main__":
    asyncio.run(with_prefect_aws())
