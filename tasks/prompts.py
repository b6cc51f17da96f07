"""Task: turn a brief into prompts, and store them before the first is used."""

from __future__ import annotations

from datetime import UTC, datetime

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.tasks import exponential_backoff

from prefect_together_video.blocks.ledger.ledger import Ledger
from prefect_together_video.tasks.retries import worth_repeating
from prefect_together_video.tasks.runs import run_logger
from together_video.api.client import TogetherClient
from together_video.prompts import Brief, PromptSet, PromptWriting, brief_id


@task(
    name="generate-prompts",
    description="Ask a chat model for prompts, check them, store them before use.",
    task_run_name="prompts: {brief.subject}",
    retries=4,
    retry_delay_seconds=exponential_backoff(2),
    retry_jitter_factor=0.5,
    retry_condition_fn=worth_repeating,
    timeout_seconds=1800,
    # The bucket is what remembers a brief's prompts, for every machine.
    cache_policy=NO_CACHE,
)
async def generate_prompts(
    brief: Brief,
    edition: str,
    prompt_limit: int,
    client: TogetherClient,
    ledger: Ledger,
    negative_limit: int | None = None,
) -> PromptSet:
    """The prompts of this brief in this edition: those stored earlier, else newly written ones.

    Args:
        prompt_limit: the longest prompt that the video model takes, in characters.
        negative_limit: have negative prompts written too; the longest that the video model takes.

    Raises:
        PromptError: the chat model gives too few usable prompts.
        TogetherError, ArchiveError
    """
    logger = run_logger()
    stored = await ledger.prompts(brief_id(brief, edition))
    if stored is not None:
        logger.info("uses the %d prompts stored for this brief", len(stored.prompts))
        return stored
    writing = PromptWriting(brief, prompt_limit, edition=edition, negative_limit=negative_limit)
    await writing.drive(client.chat)
    prompts = await ledger.keep_prompts(writing.result(datetime.now(UTC)))
    logger.info("%d prompts by %s", len(prompts.prompts), prompts.chat_model)
    return prompts
