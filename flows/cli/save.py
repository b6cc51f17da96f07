"""`together-video save-blocks` and `save-notifications`: what deployments need of a Prefect server."""

from __future__ import annotations

import asyncio

from prefect_together_video.flows.cli.preamble import import_prefect, prepare
from prefect_together_video.flows.cli.terminal import Terminal


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
    prepare(Terminal(), verbose=True)
    import_prefect()
    from prefect_together_video.flows.server import saved_blocks

    return _say_saved(saved_blocks.save_blocks(name))


def save_notifications(block: str, /) -> int:
    """Send batch summaries by one of Prefect's notification blocks.

    Three automations are made, or brought up to date: the summary of each
    batch, a word on each video that is ambiguous, and one when a budget is
    reached. They are examples: change them in the UI.

    Parameters
    ----------
    block
        A saved notification block, such as slack-webhook/videos, microsoft-teams-webhook/videos or
        custom-webhook/videos.
    """
    prepare(Terminal(), verbose=True)
    import_prefect()
    from prefect_together_video.flows.server import saved_notifications

    return _say_saved(asyncio.run(saved_notifications.save_notifications(block)))


def _say_saved(names: list[str]) -> int:
    for name in names:
        print(f"saved {name}")  # noqa: T201 - the result
    return 0
