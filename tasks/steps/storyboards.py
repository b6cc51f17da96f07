"""Task: turn the brief of a film into a storyboard, and store it before it is used."""

from __future__ import annotations

from datetime import UTC, datetime

from prefect_together_video.blocks.ledger.ledger import Ledger
from prefect_together_video.tasks.running.retries import retried_task
from prefect_together_video.tasks.running.runs import run_logger
from together_video.api.client import TogetherClient
from together_video.film.writing.briefs import StoryBrief, story_id
from together_video.film.writing.sets import WrittenStoryboard
from together_video.film.writing.writing import StoryWriting


@retried_task(
    "write-storyboard",
    "Ask a chat model for the storyboard of a film, check it, store it before it is used.",
    run_name="storyboard: {brief.subject}",
    seconds=1800,
)
async def write_storyboard(
    brief: StoryBrief, edition: str, client: TogetherClient, ledger: Ledger | None
) -> WrittenStoryboard:
    """The storyboard of this brief in this edition: the one stored earlier, or a newly written one.

    Args:
        ledger: where it is stored; None: nowhere, so each call writes a new one.

    Raises:
        InputError: the film cannot have this length, or its model makes no videos from text.
        PromptError: the chat model gives too few usable shots.
        TogetherError, ArchiveError
    """
    logger = run_logger()
    stored = await ledger.storyboard(story_id(brief, edition)) if ledger is not None else None
    if stored is not None:
        logger.info("using the storyboard stored for this brief")
        return stored
    writing = StoryWriting(brief, edition=edition)
    await writing.drive(client.chat)
    written = writing.result(datetime.now(UTC))
    if ledger is not None:
        written = await ledger.keep_storyboard(written)
    logger.info("%d shots by %s", len(written.storyboard.shots), written.chat_model)
    return written
