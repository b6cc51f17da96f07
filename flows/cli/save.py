"""`together-video save-blocks` and `save-notifications`: save what deployments need on a Prefect server."""

from __future__ import annotations

import asyncio

from prefect_together_video.flows.cli.preamble import import_prefect, prepare
from prefect_together_video.flows.cli.screen.terminal import Terminal


def save_blocks(name: str = "production", /) -> int:
    """Save the blocks that deployments use to the configured Prefect server, from the environment.

    Together-credentials: from TOGETHER_API_KEY and TOGETHER_BASE_URL.

    Video-archive: from VIDEO_ARCHIVE_BUCKET or VIDEO_ARCHIVE_FOLDER,
    VIDEO_ARCHIVE_PREFIX, VIDEO_ARCHIVE_MONTHLY_LIMIT_USD, VIDEO_ARCHIVE_LINK_HOURS
    and the AWS_* variables.

    Aws-credentials: for a bucket, if AWS_ACCESS_KEY_ID is set. Without them,
    workers use what boto3 finds on their machine, such as an instance role.

    Existing blocks are updated, so you can also rotate a key this way.

    Parameters
    ----------
    name
        Name of the blocks.
    """
    terminal = Terminal()
    prepare(terminal, verbose=True)
    with terminal.waiting("Starting …", in_pipe=False):
        import_prefect()
    from prefect_together_video.flows.server import saved_blocks

    return _say_saved(saved_blocks.save_blocks(name))


def save_notifications(
    block: str, /, *, failed_above: int = 25, month_percent: int = 80, nightly_hours: float = 26
) -> int:
    """Send batch summaries and alerts through one of Prefect's notification blocks.

    Creates or updates eight automations: the summary of each batch, an ambiguous
    video, a batch that waits for approval, a budget that is reached, a batch with
    many failures, a share of the monthly limit, a video that has been ambiguous
    for a day, and a missing nightly run. Paused automations stay paused.

    Parameters
    ----------
    block
        A saved notification block: slack-webhook/videos, microsoft-teams-webhook/videos, custom-webhook/videos, …
    failed_above
        Alert if more than this percentage of a batch failed, was refused or is ambiguous.
    month_percent
        Alert at this percentage of the monthly limit: 50, 80, 90 or 100.
    nightly_hours
        Alert if generate-batch/nightly has not started for this many hours.
    """
    terminal = Terminal()
    prepare(terminal, verbose=True)
    with terminal.waiting("Starting …", in_pipe=False):
        import_prefect()
    from prefect_together_video.flows.server import saved_notifications

    thresholds = saved_notifications.Thresholds.of(
        failed_above=failed_above, month_percent=month_percent, nightly_hours=nightly_hours
    )
    return _say_saved(asyncio.run(saved_notifications.save_notifications(block, thresholds)))


def _say_saved(names: list[str]) -> int:
    for name in names:
        print(f"saved {name}")  # noqa: T201 - the result
    return 0
