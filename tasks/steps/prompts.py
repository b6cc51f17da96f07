"""Task: turn a brief into prompts, and store them before the first one is used."""

from __future__ import annotations

from datetime import UTC, datetime

from prefect_together_video.blocks.ledger.ledger import Ledger
from prefect_together_video.tasks.running.retries import retried_task
from prefect_together_video.tasks.running.runs import run_logger
from together_video.api.client import TogetherClient
from together_video.prompts import Brief, PromptSet, PromptWriting, brief_id


@retried_task(
    "generate-prompts",
    "Ask a chat model for prompts, check them, store them before use.",
    run_name="prompts: {brief.subject}",
    seconds=1800,
)
async def write_prompts(
    brief: Brief,
    edition: str,
    prompt_limit: int,
    client: TogetherClient,
    ledger: Ledger,
    negative_limit: int | None = None,
) -> PromptSet:
    """The prompts of this brief in this edition: those stored earlier, or newly written ones.

    Args:
        prompt_limit: the longest prompt that the video model takes, in characters.
        negative_limit: the longest negative prompt that the video model takes; None: no negative prompts are written.

    Raises:
        PromptError: the chat model gives too few usable prompts.
        TogetherError, ArchiveError
    """
    logger = run_logger()
    stored = await ledger.prompts(brief_id(brief, edition))
    if stored is not None:
        logger.info("using the %d prompts stored for this brief", len(stored.prompts))
        return stored
    writing = PromptWriting(brief, prompt_limit, edition=edition, negative_limit=negative_limit)
    await writing.drive(client.chat)
    prompts = await ledger.keep_prompts(writing.result(datetime.now(UTC)))
    logger.info("%d prompts by %s", len(prompts.prompts), prompts.chat_model)
    return prompts
