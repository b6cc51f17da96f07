"""Make one video in a sync flow, one task for each step.

    python examples/sync_flow.py

Run it again: the second run finds the video in the archive and pays nothing.
"""

from __future__ import annotations

from prefect import flow

from prefect_together_video import archive_video, create_video, download_video, wait_for_video


@flow(log_prints=True)
def sync_flow(prompt: str) -> None:
    job = create_video({"prompt": prompt, "width": 864, "height": 480})
    print(f"{job.job_id}: {job.state}")
    finished = wait_for_video(job)
    clip = download_video(finished)
    video = archive_video(clip)
    print(f"{video.uri}: {video.seconds} s, {video.cost_usd} USD")


if __name__ == "__main__":
    sync_flow("a fox trots through fresh snow at dawn, the camera tracks left")
