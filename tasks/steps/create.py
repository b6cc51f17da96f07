"""Task: buy one video, once."""

from __future__ import annotations

from prefect_together_video.blocks.ledger.ledger import Ledger
from prefect_together_video.tasks.running.rate_limit import wait_for_rate_limit
from prefect_together_video.tasks.running.retries import retried_task
from prefect_together_video.tasks.running.runs import current_run, run_logger
from prefect_together_video.tasks.steps.purchase import Purchase, buy
from together_video.api.client import TogetherClient
from together_video.ledger.records import VideoPlan, VideoRecord
from together_video.ledger.spool import Spool


@retried_task(
    "create-video",
    "Claim the request, POST it once and store the job id before anything else.",
    run_name="create: {plan.title}",
    retries=5,
)
async def buy_video(
    plan: VideoPlan, client: TogetherClient, ledger: Ledger, spool: Spool
) -> Purchase | VideoRecord:
    """Returns the purchase to wait for, or the final record if the video is already archived.

    Retried only after errors that prove that nothing was created.

    Raises:
        CreateAmbiguous, TogetherError, ArchiveError: see `purchase.buy`.
    """
    logger = run_logger()
    bought = await buy(
        plan, client, ledger, spool, run=current_run(), log=logger.warning, rate_limit=wait_for_rate_limit
    )
    if isinstance(bought, Purchase):
        how = "resumed" if bought.resumed else "created"
        logger.info("%s job %s", how, bought.job_id)
    return bought
