"""`together-video save-blocks` and `save-notifications`: what deployments need of a Prefect server."""

from __future__ import annotations

import asyncio

from prefect_together_video.flows.cli.preamble import import_prefect, prepare
from prefect_together_video.flows.cli.screen.terminal import Terminal


def save_blocks(name: str = "production", /) -> int:
    """Save the blocks that deployments name, from the environment, to the Prefect server that is configured.

    Together-credentials: from TOGETHER_API_KEY and TOGETHER_BASE_URL.

    Video-archive: from VIDEO_ARCHIVE_BUCKET or VIDEO_ARCHIVE_FOLDER,
    VIDEO_ARCHIVE_PREFIX, VIDEO_ARCHIVE_MONTHLY_LIMIT_USD, VIDEO_ARCHIVE_LINK_HOURS
    and the AWS_* variables.

    Aws-credentials: for a bucket, where AWS_ACCESS_KEY_ID is set. Else workers take what
    boto3 finds where they run, such as an instance's role.

    Blocks that are there already are brought up to date, so this is also how
    a key is rotated.

    Parameters
    ----------
    name
        The name of the blocks.
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
    """Send batch summaries and alerts by one of Prefect's notification blocks.

    Eight automations are made, or brought up to date: the summary of each batch; a
    video that is ambiguous; a batch that waits for approval; a budget that is reached; a batch of which much
    failed; a share of the monthly limit; a video that has been ambiguous for a
    day; and no nightly run. One that you have paused stays paused.

    Parameters
    ----------
    block
        A saved notification block, such as slack-webhook/videos, microsoft-teams-webhook/videos or
        custom-webhook/videos.
    failed_above
        Alert when more of a batch than this failed, was refused or is ambiguous, in percent.
    month_percent
        Alert when so much of the monthly limit is reached: 50, 80, 90 or 100 percent.
    nightly_hours
        Alert when no run of generate-batch/nightly has begun for so many hours since the last one.
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
