"""Public task: one request, one archived video."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from prefect_together_video.tasks.archived_video import ArchivedVideo
from prefect_together_video.tasks.public_steps import (
    GivenArchive,
    GivenTogether,
    paid_for,
    place_of,
    run_name,
)
from prefect_together_video.tasks.running.public_task import task_pair
from prefect_together_video.tasks.running.runs import run_logger
from prefect_together_video.tasks.session.checked_request import CheckedRequest, GivenRequest
from prefect_together_video.tasks.session.run_policy import OnAmbiguous, RunPolicy
from prefect_together_video.tasks.session.terms import tries_of
from together_video.errors import JobFailed, JobInDoubt
from together_video.ledger.forecast import price_words
from together_video.ledger.records import VideoRecord
from together_video.polling.policy import PollPolicy


async def _make(
    request: GivenRequest,
    *,
    model: str | None = None,
    take: int = 1,
    edition: str = "once",
    poll: PollPolicy | None = None,
    price_usd: Decimal | None = None,
    retry_failed: bool = False,
    attempts: int = 1,
    new_seed: bool = False,
    fallback_models: Sequence[str] = (),
    on_ambiguous: OnAmbiguous = "hold",
    together: GivenTogether = None,
    archive: GivenArchive = None,
) -> ArchivedVideo:
    """Create a video, wait for it, download it and archive it: all four steps in one task run.

    Called again with the same request, take and edition, in any run, it does not buy again: it waits for the job that
    is under way, or returns the archived video.

    Args:
        request: a prompt, a mapping of request fields, or a `VideoRequest`.
        model: the model of a request that names none; by default the catalogue's default.
        take: another number makes another video from the same request.
        edition: when an identical request may be bought again: once, daily, hourly, or a text of your own.
        poll: when to poll the job, and for how long; by default as earlier jobs of the model suggest.
        price_usd: the highest price of the video, in US dollars, if the catalogue knows none.
        retry_failed: buy again what the provider reported as failed in an earlier run.
        attempts: how often this call may buy the video from one model if the provider fails its jobs; failed attempts
            of earlier calls count.
        new_seed: buy a failed video again with another seed, if its request has one.
        fallback_models: models that take over, in this order, if one is refused, retired or overloaded, or has failed
            all its attempts.
        on_ambiguous: what to do with a create of an earlier run that may have been charged: hold, resolve or resubmit.
        together: a `TogetherCredentials` block or the name of a saved one; by default from the environment.
        archive: a `VideoArchive` block or the name of a saved one; by default from the environment.

    Raises:
        VideoError: as `create_video`, `wait_for_video`, `download_video` and `archive_video`. After the create the
            archive remembers the job: call this again to archive its video.

    Example:
        ```python
        from prefect import flow
        from prefect_together_video import make_video

        @flow
        def many():
            futures = make_video.map(["a fox", "an owl"], model="minimax/hailuo-02")
            return [future.result().uri for future in futures]
        ```
    """
    tries = tries_of(attempts, new_seed, fallback_models)
    checked = await CheckedRequest.of(
        request, model=model, take=take, edition=edition, price_usd=price_usd, tries=tries
    )
    policy = RunPolicy(retry_failed=retry_failed, on_ambiguous=on_ambiguous)
    async with place_of(together, archive) as place:
        session = place.session
        await session.check()
        plan = await checked.plan(session.ledger)
        await session.offers.warn([plan.request.model])
        run_logger().info(
            "%s by %s: %s, unless it was bought before.", plan.title, plan.request.model, price_words(plan)
        )
        buyer = session.buyer(policy)
        while True:
            found = await buyer.obtain(plan)
            if isinstance(found, VideoRecord):
                return place.archived(found, reused=True)
            try:
                async with paid_for(found, session):
                    record = await session.finisher(poll).finish(found)
            except JobInDoubt as error:
                if not await buyer.give_up_job(found, error):
                    raise
            except JobFailed:
                # The failure is recorded. Is there another attempt, or another model?
                if not plan.is_tried_again or not await buyer.standings.has_more(plan):
                    raise
            else:
                return place.finished(record, resumed=found.resumed)


make_video, amake_video = task_pair(
    _make,
    names=("make_video", "amake_video"),
    task_name="make-video",
    description="Create a video, wait for it, download it and archive it.",
    run_name=lambda: run_name("make", "request"),
)
