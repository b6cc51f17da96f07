"""Have a person approve the prompts before money is spent, and check each clip before it is archived.

    python examples/own_approval.py

The flow pauses after the prompts are written. Open its run in the Prefect UI, read the prompts in the log, and resume
it with `approved` on or off.

A clip that the check rejects has been paid for. It stays in flight, where `together-video audit` shows it, and the next
`together-video collect` archives it.
"""

from __future__ import annotations

from pathlib import Path

import av
from prefect import flow, task
from prefect.flow_runs import pause_flow_run
from prefect.input import RunInput

from prefect_together_video import (
    archive_video,
    create_video,
    download_video,
    generate_prompts,
    wait_for_video,
)


class Approval(RunInput):
    approved: bool = False


@task
def is_long_enough(path: Path) -> bool:
    """A check of your own: any code that reads the file."""
    with av.open(str(path)) as clip:
        return clip.duration is not None and clip.duration >= 4 * av.time_base


@flow(log_prints=True)
def own_approval(subject: str, count: int = 2) -> list[str]:
    written = generate_prompts({"subject": subject, "count": count})
    print("\n".join(written.prompts))
    if not pause_flow_run(wait_for_input=Approval, poll_interval=5).approved:
        print("Not approved: nothing was bought.")
        return []

    requests = [{"prompt": prompt, "width": 864, "height": 480} for prompt in written.prompts]
    jobs = create_video.map(requests).result()
    uris = []
    for clip in download_video.map(wait_for_video.map(jobs)).result():
        # A clip without a path is in the archive already: an earlier run approved it.
        if clip.path is None or is_long_enough(clip.path):
            uris.append(archive_video(clip).uri)
        else:
            print(f"Rejected: {clip.title}")
    return uris


if __name__ == "__main__":
    own_approval("lighthouses of the north")
